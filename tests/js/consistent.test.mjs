// Consistent, in JavaScript: the same report as the command line gives, which reads the database
// with SQLite.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Inspector, inspectBlob } from '../../web/pkg/nodejs/full/rollsnap.mjs';
import { Inspector as Small } from '../../web/pkg/nodejs/rollsnap.mjs';
import { ROOT } from './support.mjs';

const files = ['data-dir', 'snapshot'].flatMap((room) => {
  const directory = join(ROOT, 'tests/fixtures', room);
  return readdirSync(directory)
    .filter((name) => /\.(gz|uncompressed)$/.test(name))
    .map((name) => join(directory, name));
});

/** What the command line says, without what it says of layer 1 and of its own run. */
function commandLine(file) {
  return new Promise((resolve, reject) => {
    execFile(join(ROOT, 'target/debug/rollsnap'), ['verify', '--json', file], (error, stdout) => {
      if (!stdout) return reject(error);
      const { failures, advice, exit_status, phases, ...report } = JSON.parse(stdout);
      report.checks = report.checks.filter(({ code }) => code !== 'l1.commitment');
      return resolve(report);
    });
  });
}

test('there are snapshots of every kind', () => {
  assert.ok(files.length >= 12);
  assert.ok(files.filter((name) => name.includes('/v5')).length >= 3);
  assert.ok(files.some((name) => name.includes('/v4')));
});

for (const file of files) {
  test(file.slice(ROOT.length), async () => {
    const report = await inspectBlob(new Blob([readFileSync(file)]), { consistent: true });
    // On the command line `context stat` tells what the head's commit consists of, not the report.
    if (report.context) report.context.head = null;
    assert.deepEqual(JSON.parse(JSON.stringify(report)), await commandLine(file));
    if (/\/v[45]/.test(file)) assert.equal(report.verdicts.consistent, 'yes');
  });
}

test('the context is counted, and what its head consists of', async () => {
  const file = files.find((name) => name.endsWith('/v5-archive.head.snapshot.gz'));
  const { verdicts, context } = await inspectBlob(new Blob([readFileSync(file)]), { consistent: true });
  assert.equal(verdicts.consistent, 'yes');
  const { head, ...facts } = context;
  // As the reader in Python counts them (tests/cli/irmin.py); inner parts are the rest of the file.
  const contents = { count: 188, bytes: 49_741 };
  const directories = { count: 337, bytes: 17_445 };
  const inner = { count: 656, bytes: 36_933 };
  const commits = { count: 26, bytes: 26 * 59 };
  assert.deepEqual(facts, {
    objects: { count: 1207, bytes: 105_653 },
    contents,
    directories,
    inner,
    commits,
    inner_depth: 7,
  });
  const { subtrees, objects, ...rest } = head;
  assert.deepEqual(rest, { content_bytes: 40_827, depth: 13, largest: 16_384, subtrees_left_out: false });
  assert.deepEqual(objects, { count: 260, bytes: 52_937 });
  // Each tells all that is below it: root and commit are above them.
  const [outside, pvm] = subtrees.filter(({ depth }) => depth === 1);
  assert.deepEqual([outside.path, pvm.path], ['outside', 'pvm_state']);
  assert.deepEqual(objects, {
    count: outside.objects.count + pvm.objects.count + 2,
    bytes: outside.objects.bytes + pvm.objects.bytes + 56 + 59,
  });
  const theirs = await commandLine(file);
  assert.deepEqual(theirs.context, { ...facts, head: null });
});

test('what kind of store it is, and how far it reaches', async () => {
  // What the program that made the directories recorded of them.
  for (const [name, version, writers] of [
    ['v4-full', 4, 'Mavkit, or Octez before v21'],
    ['v5-archive', 5, 'Octez since v21'],
  ]) {
    const expected = JSON.parse(readFileSync(join(ROOT, `tests/fixtures/data-dir/${name}.expect.json`)));
    const file = files.find((file) => file.includes(`/${name}.`));
    const { store } = await inspectBlob(new Blob([readFileSync(file)]), { consistent: true });
    const { levels, lcc, history_mode } = expected;
    assert.deepEqual(store, {
      version,
      writers,
      history_mode,
      first_level: levels.first_available,
      head_level: levels.head,
      finalized_level: levels.finalized,
      last_cemented: lcc.hash,
      last_cemented_level: lcc.level,
    });
  }
});

test('a store above the bound is left open, and a check says why', async () => {
  const blob = new Blob([readFileSync(files.find((name) => name.includes('/v5-archive')))]);
  const report = await inspectBlob(blob, { consistent: true, maxStore: 4096 });
  assert.deepEqual(report.verdicts, { intact: 'yes', consistent: 'unknown', anchored: 'unknown' });
  assert.ok(
    report.checks.some(({ status, text }) => status === 'unknown' && text.includes('at most 4096 are kept in memory')),
  );
  for (const maxStore of [-1, 1.5, '9']) await assert.rejects(inspectBlob(blob, { maxStore }), TypeError);
});

test('what layer 1 cemented last is compared with the store that was read', async () => {
  const lcc = 'src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx';
  const other = 'src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9';
  const archive = new Uint8Array(readFileSync(files.find((name) => name.includes('/v5-archive'))));
  const full = new Uint8Array(readFileSync(files.find((name) => name.includes('/v5-full.'))));
  const inspected = (bytes, options) => {
    const inspector = new Inspector({ consistent: true, ...options });
    inspector.feed(bytes);
    inspector.finish();
    return inspector;
  };
  const no = (level, text, expected = null, found = null) => ({
    code: 'l1.lcc',
    status: 'no',
    at: { level },
    expected,
    found,
    text,
  });

  const inspector = inspected(archive);
  const yes = 'the last cemented commitment of layer 1, of level 1015, is in the store';
  assert.deepEqual(inspector.compareCemented(lcc, 1015), {
    code: 'l1.lcc',
    status: 'yes',
    at: null,
    expected: null,
    found: null,
    text: yes,
  });
  assert.deepEqual(
    inspector.compareCemented(other, 1015),
    no(1015, `Snapshot contains ${lcc} for LCC at level 1015 but was expected to be ${other}.`, other, lcc),
  );
  assert.deepEqual(
    inspector.compareCemented(lcc, 1016),
    no(1016, 'No commitment for block BME7J6g4cvi9BrHecjpGB67NVjv5HLr1Mi24YqNSqGxdJLY3wjT for LCC level 1016'),
  );
  assert.equal(inspector.compareCemented(lcc, 1024), undefined);
  for (const level of [1.5, 2 ** 32 + 1015, NaN, '1015x'])
    assert.throws(() => inspector.compareCemented(lcc, level), TypeError);
  assert.throws(() => inspector.compareCemented('src1', 1015), { code: 'hash.text' });
  inspector.free();

  const of = (bytes, options, hash, level) => {
    const inspector = inspected(bytes, options);
    try {
      return inspector.compareCemented(hash, level);
    } finally {
      inspector.free();
    }
  };
  assert.deepEqual(
    of(full, {}, 'src12vzwHTCRHgG4PxbFW3qiTE5f36wstgnbZSojg6APbYC12WcBaQ', 2000005),
    no(2000005, 'No block for LCC level 2000005'),
  );
  // A store of version 4, which is kept file by file.
  const mavkit = inspected(new Uint8Array(readFileSync(files.find((name) => name.includes('/v4-full')))));
  const theirs = 'src13iczycVCBNKs6UGBTu7nJuBNSLDoSKEDeu94iuV66gQy3Dp9fq';
  assert.deepEqual(
    [mavkit.compareCemented(theirs, 800015).status, mavkit.compareCemented(lcc, 800015).status],
    ['yes', 'no'],
  );
  assert.deepEqual(mavkit.compareCemented(lcc, 800009), no(800009, 'No block for LCC level 800009'));
  mavkit.free();
  const large = of(archive, { maxStore: 4096 }, lcc, 1015);
  assert.deepEqual([large.code, large.status], ['l1.lcc', 'unknown']);
  assert.match(large.text, /at most 4096 are kept in memory/);
  // Without a store, or with half of one, there is nothing to compare.
  assert.equal(of(archive.subarray(0, 20_000), {}, lcc, 1015), undefined);
  assert.equal(of(new Uint8Array(0), {}, lcc, 1015), undefined);
  assert.throws(() => of(archive, { consistent: false }, lcc, 1015), TypeError);
  assert.throws(() => new Inspector({ consistent: true }).compareCemented(lcc, 1015), TypeError);
  assert.throws(() => new Small().compareCemented(lcc, 1015), TypeError);
});
