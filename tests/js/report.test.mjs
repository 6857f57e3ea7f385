// Header and Report of every snapshot, against what the OCaml libraries say and against the command line.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as full from '../../web/pkg/nodejs/full/rollsnap.mjs';
import { Inspector, inspectBlob, inspectStream, readHeader, readMember } from '../../web/pkg/nodejs/rollsnap.mjs';
import { ROOT, canonical, expectedHeader, fixture, snapshots, streamOf, untar } from './support.mjs';

const SNAPSHOTS = snapshots();

function inspect(bytes, size, options) {
  const inspector = options?.consistent ? new full.Inspector(options) : new Inspector(options);
  for (let at = 0; at < bytes.length; at += size) inspector.feed(bytes.subarray(at, at + size));
  const report = inspector.finish();
  inspector.free();
  return report;
}

/** The members with their places: what follows from names and sizes alone. */
function expectedList(facts) {
  let offset = 58;
  return facts.members.map(({ name, size, mode, mtime, sha256 }) => {
    offset += 512;
    const member = { name, size, mode: Number.parseInt(mode, 8), mtime, offset, sha256 };
    offset += Math.ceil(size / 512) * 512;
    return member;
  });
}

test('there are snapshots to test with', () => assert.ok(SNAPSHOTS.length >= 10));

for (const { name, facts, bytes } of SNAPSHOTS) {
  test(`header of ${name}`, () => {
    const compression = facts.compressed ? 'gzip' : 'none';
    assert.deepEqual(readHeader(bytes.subarray(0, 65536)), { ...expectedHeader(facts), compression });
  });

  test(`report of ${name}`, async () => {
    const report = await inspectBlob(new Blob([bytes]), { list: true, digests: true });
    const { checks, ...rest } = report;
    const list = expectedList(facts);
    assert.deepEqual(rest, {
      schema: 'rollsnap.report/1',
      header: expectedHeader(facts),
      container: {
        compression: facts.compressed ? 'gzip' : 'none',
        compressed_bytes: facts.size,
        bytes: facts.decompressed_size,
      },
      members: { count: list.length, bytes: list.reduce((sum, { size }) => sum + size, 0), complete: true, list },
      verdicts: { intact: 'yes', consistent: 'unknown', anchored: 'unknown' },
      checks_left_out: 0,
    });
    const gzip = facts.compressed ? ['gzip.crc', 'gzip.size'] : [];
    const codes = checks.filter(({ status }) => status === 'yes').map(({ code }) => code);
    assert.deepEqual(codes.toSorted(), ['header.version', ...gzip, 'tar.checksum', 'tar.end'].toSorted());
    assert.equal(codes.length, checks.length);
  });
}

test('pieces of any size give the same report', async () => {
  for (const name of ['archive.gz', 'archive-readdir.uncompressed']) {
    const bytes = fixture(name);
    const whole = inspect(bytes, bytes.length, { list: true, digests: true });
    assert.equal(whole.verdicts.intact, 'yes');
    for (const size of [1, 7, 511, 4096, 65537]) {
      assert.deepEqual(inspect(bytes, size, { list: true, digests: true }), whole, `${name}, pieces of ${size}`);
    }
    assert.deepEqual(await inspectStream(streamOf(bytes, 1000), { list: true, digests: true }), whole);
  }
});

test('events tell every member, and chosen ones are handed over', () => {
  const { facts, bytes } = SNAPSHOTS.find(({ name }) => name === 'archive.gz');
  const chosen = facts.members.find(({ name }) => name === 'context/store.0.suffix');
  const inspector = new Inspector({ digests: [chosen.name] });
  const parts = [];
  inspector.extract(chosen.name, (chunk, member, offset) => {
    assert.equal(member.size, chosen.size);
    assert.equal(
      offset,
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    parts.push(chunk);
  });
  const events = [];
  for (let at = 0; at < bytes.length; at += 10000) events.push(...inspector.feed(bytes.subarray(at, at + 10000)));
  const report = inspector.finish();
  assert.deepEqual(inspector.events(), []);
  inspector.free();
  assert.equal(report.members.list, undefined);
  assert.deepEqual(events[0], { type: 'header', header: { ...expectedHeader(facts), compression: 'gzip' } });
  assert.deepEqual(events.at(-1), { type: 'end' });
  const of = (type) => events.filter((event) => event.type === type);
  assert.deepEqual(
    of('member').map(({ type, ...member }) => member),
    expectedList(facts).map(({ sha256, ...rest }) => rest),
  );
  const ends = facts.members.map(({ name, size, sha256 }) => ({
    type: 'member-end',
    name,
    size,
    sha256: name === chosen.name ? sha256 : null,
  }));
  assert.deepEqual(of('member-end'), ends);
  assert.equal(
    parts.reduce((sum, part) => sum + part.length, 0),
    chosen.size,
  );
});

test('one member can be read', async () => {
  const { facts, bytes } = SNAPSHOTS.find(({ name }) => name === 'archive.gz');
  for (const expected of facts.members) {
    const { member, content, sha256 } = await readMember(new Blob([bytes]), expected.name);
    assert.deepEqual(
      [member.name, member.size, content.size, sha256],
      [expected.name, expected.size, expected.size, expected.sha256],
    );
  }
  const preview = await readMember(new Blob([bytes]), 'metadata', { limit: 10 });
  assert.equal(await preview.content.text(), '{ "rollup_');
  assert.equal(preview.sha256, null);
  await assert.rejects(readMember(new Blob([bytes]), 'nothing'), { name: 'RollsnapError', code: 'member.unknown' });
});

test('the command line says the same of everything', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  const cases = [...SNAPSHOTS, ...untar(fixture('edge.tar'))];
  assert.ok(cases.length > 130);
  try {
    for (const [index, { name, bytes }] of cases.entries()) {
      const file = join(dir, String(index));
      writeFileSync(file, bytes);
      const json = await commandLine(file);
      // What it says of layer 1, of its own run and of its working directory is its own.
      // A file without a name is "snapshot".
      const nameless = json.replace(/"[^"]*\/\.rollsnap-work-[^/"]+\//g, '"').replaceAll(file, 'snapshot');
      const { failures, advice, exit_status, phases, ...report } = JSON.parse(nameless);
      report.checks = report.checks.filter(({ code }) => code !== 'l1.commitment');
      const found = inspect(bytes, 65536, { consistent: true });
      // What the head's commit consists of is told where the files of the context are kept.
      if (found.context) found.context.head = null;
      assert.equal(canonical(found), canonical(report), name);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** What the command line prints, whatever its exit status. */
function commandLine(file) {
  return new Promise((resolve, reject) => {
    execFile(join(ROOT, 'target/debug/rollsnap'), ['verify', '--json', file], (error, stdout) => {
      if (stdout) resolve(stdout);
      else reject(error);
    });
  });
}
