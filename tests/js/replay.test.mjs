// Replays of snapshots with the engine of Node: what they say is what the command line says, of directories whose contexts are
// what the nodes' own machine computed.
import assert from 'node:assert/strict';
import { openAsBlob, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Replayer, RollsnapError, replay } from '../../web/pkg/nodejs/machine/machine.mjs';
import { ROOT } from './support.mjs';

const FIXTURES = join(ROOT, 'tests/fixtures');
const place = (name) => join(FIXTURES, `replay/${name}.head.snapshot.gz`);
const blobOf = (name) => openAsBlob(place(name));
const expected = (name) => {
  const { blocks } = JSON.parse(readFileSync(join(FIXTURES, `replay/${name}.expect.json`), 'utf8'));
  return new Map(Object.values(blocks).map((block) => [block.level, block]));
};
const evidence = (report) => report.checks.find(({ code }) => code === 'replay.blocks');

test('every snapshot replays to the states that the nodes computed', async () => {
  for (const [name, of, first] of [
    ['r5-dense', 'r5-dense', 5000],
    ['r5-dense-compact', 'r5-dense', 5000],
    ['r5-sparse', 'r5-sparse', 777],
    ['r5-sparse-compact', 'r5-sparse', 777],
    ['r5-full-compact', 'r5-full', 61015],
    ['r4-mavkit', 'r4-mavkit', 3000],
    ['r4-mavkit-compact', 'r4-mavkit', 3000],
    ['r5-stuck-full-compact', 'r5-stuck-full', 412],
  ]) {
    const truth = expected(of);
    const head = Math.max(...truth.keys());
    const seen = [];
    let plan;
    const report = await replay(await blobOf(name), {
      onBegin: (begun) => {
        plan = begun;
      },
      onBlock: (block) => seen.push(block),
    });
    assert.deepEqual(plan, { firstLevel: first, headLevel: head, of: head - first, planned: head - first }, name);
    assert.equal(report.verdicts.replayed, 'yes', name);
    assert.equal(report.verdicts.intact, 'yes', name);
    assert.match(evidence(report).text, new RegExp(`^${head - first} of ${head - first} blocks run again: `), name);
    assert.deepEqual(
      seen.map(({ level, ticks, context }) => [level, String(ticks), context]),
      seen.map((_, at) => {
        const { num_ticks, context_hex } = truth.get(first + 1 + at);
        return [first + 1 + at, String(num_ticks), Boolean(context_hex)];
      }),
      name,
    );
    for (const { level, stateHash } of seen) assert.equal(stateHash, truth.get(level).state_hash, `${name}, ${level}`);
  }
});

test('levels, streams and uncompressed files', async () => {
  const levels = async (options) => {
    const seen = [];
    const report = await replay(await blobOf('r5-dense'), { ...options, onBlock: ({ level }) => seen.push(level) });
    return [report.replay.scope, seen];
  };
  assert.deepEqual(await levels({ from: 5010, to: 5012 }), ['5010..5012', [5010, 5011, 5012]]);
  assert.deepEqual(await levels({ last: 2 }), ['last:2', [5030, 5031]]);
  assert.deepEqual((await levels({ last: 1000 }))[1].length, 31);
  assert.deepEqual(await levels({ to: 5001 }), ['..5001', [5001]]);
  const plain = new Blob([gunzipSync(readFileSync(place('r5-sparse-compact')))]).stream();
  const report = await replay(plain, { last: 3 });
  assert.equal(report.verdicts.replayed, 'yes');
  // From the last context before them: that of the first block, for it is the only one.
  assert.equal(report.replay.planned, 39);
});

test('a state that differs is a no at its level', async () => {
  // Two hexadecimal digits of a level 5020 message: the file is written anew by the test, without compression.
  const content = gunzipSync(readFileSync(place('r5-dense')));
  const rows = content.indexOf('SQLite format 3');
  assert.ok(rows > 0);
  const hash = expected('r5-dense').get(5020).state_hash;
  const at = content.indexOf(hash, rows);
  assert.ok(at > rows, 'the state is recorded');
  // Another hash of a state that there is.
  const other = expected('r5-dense').get(5019).state_hash;
  for (let from = at; from >= 0; from = content.indexOf(hash, from + 1)) content.write(other, from, 'latin1');
  const report = await replay(new Blob([content]), {});
  assert.equal(report.verdicts.replayed, 'no');
  const wrong = report.checks.filter(({ status, code }) => status === 'no' && code.startsWith('replay.'));
  assert.equal(wrong.length, 1, JSON.stringify(wrong));
  assert.match(wrong[0].code, /^replay\.(state|commitment)$/);
  assert.equal(wrong[0].at.level, 5020);
  assert.equal(report.replay.blocks, 19);
});

test('what cannot be known is open, what cannot be run is refused', async () => {
  const stuck = await replay(await blobOf('r5-stuck'));
  assert.equal(stuck.verdicts.replayed, 'unknown');
  const open = stuck.checks.find(({ code }) => code.startsWith('pvm.refused.'));
  assert.equal(open.at.level, 409);

  const refused = (promise, code) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof RollsnapError, `${error?.stack}`);
      assert.equal(error.code, code, `${error.message}`);
      return true;
    });
  await refused(replay(await blobOf('r5-dense'), { maxMemory: 1000 }), 'limit.memory');
  await refused(replay(await blobOf('r5-dense'), { from: 5000 }), 'replay.start');
  for (const levels of [{ to: 6000 }, { from: 6000 }])
    await refused(replay(await blobOf('r5-dense'), levels), 'level.unavailable');
  await refused(replay(await blobOf('r5-dense'), { to: 5000 }), 'replay.start');
  // The rest of what is too large is not read.
  let read = 0;
  await refused(
    replay(await blobOf('r5-dense'), { maxMemory: 1000, onProgress: (progress) => (read = progress.read) }),
    'limit.memory',
  );
  assert.equal(read, 0);
  const whole = readFileSync(place('r5-dense'));
  await refused(replay(new Blob([whole.subarray(0, whole.length / 2)])), 'gzip.truncated');
  await refused(replay(new Blob(['<html></html>'])), 'header.foreign');
  // No machine computed these states: their contexts are invented.
  const invented = await openAsBlob(join(FIXTURES, 'data-dir/v5-archive.head.snapshot.gz'));
  await assert.rejects(replay(invented), (error) => error instanceof RollsnapError);
});

test('a signal stops it, and calls in another order are errors of the program', async () => {
  const stop = new AbortController();
  const stopped = replay(await blobOf('r5-long-compact'), {
    signal: stop.signal,
    onBlock: () => stop.abort(new Error('enough')),
  });
  await assert.rejects(stopped, /enough/);
  await assert.rejects(replay(await blobOf('r5-dense'), { signal: AbortSignal.abort() }), { name: 'AbortError' });

  const replayer = new Replayer();
  assert.throws(() => replayer.step(), TypeError);
  assert.throws(() => replayer.report(), TypeError);
  assert.throws(() => replayer.feed('text'), TypeError);
  replayer.feed(readFileSync(place('r5-dense')));
  for (const levels of [{ from: 'a' }, { from: 1.5 }, { last: 0 }, { last: 1, to: 5001 }, { from: 2, to: 1 }])
    assert.throws(() => replayer.begin(levels), TypeError);
  assert.equal(replayer.begin({ last: 1 }).planned, 1);
  assert.throws(() => replayer.begin(), TypeError);
  assert.throws(() => replayer.feed(new Uint8Array(1)), TypeError);
  assert.equal(replayer.step().level, 5031);
  assert.equal(replayer.step(), undefined);
  assert.equal(replayer.report().verdicts.replayed, 'yes');
  replayer.free();
  assert.throws(() => replayer.report(), TypeError);
});
