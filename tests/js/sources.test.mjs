// Whatever stands for a file is read alike, by everything that reads one.
import assert from 'node:assert/strict';
import { createReadStream, mkdtempSync, openAsBlob, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as machine from '../../web/pkg/nodejs/machine/machine.mjs';
import {
  RollsnapError,
  inspect,
  inspectBlob,
  inspectStream,
  listMembers,
  readMember,
} from '../../web/pkg/nodejs/rollsnap.mjs';
import { ROOT, SNAPSHOTS, canonical, expectedHeader, fixture, serve, snapshots } from './support.mjs';

const PATH = join(SNAPSHOTS, 'archive.gz');
const { facts } = snapshots().find(({ name }) => name === 'archive.gz');

/** The same file, or these bytes of it, in all forms. */
async function forms(path) {
  const bytes = readFileSync(path);
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  };
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return {
    'a path': path,
    'a path from here': relative(process.cwd(), path),
    'a file: address': pathToFileURL(path).href,
    'a file: URL': pathToFileURL(path),
    'a Blob': new Blob([bytes]),
    'a Blob of a file': await openAsBlob(path),
    'a Buffer': bytes,
    'a Uint8Array': new Uint8Array(own),
    // Memory of which the bytes are a part.
    'a DataView': new DataView(Uint8Array.from([1, 2, 3, ...bytes, 4]).buffer, 3, bytes.length),
    'an ArrayBuffer': own,
    'a stream of the web': new Blob([bytes]).stream(),
    'a stream of Node': createReadStream(path, { highWaterMark: 777 }),
    'another stream of Node': Readable.from(pieces()),
    'an array of bytes': [...pieces()],
    'a generator': pieces(),
    'an asynchronous generator': (async function* () {
      yield* pieces();
    })(),
  };
}

test('every form gives the same report, header, list and member', async () => {
  const expected = canonical(await inspectBlob(new Blob([readFileSync(PATH)]), { list: true }));
  const header = { ...expectedHeader(facts), compression: 'gzip' };
  for (const [form, source] of Object.entries(await forms(PATH))) {
    assert.equal(canonical(await inspect(source, { list: true })), expected, form);
  }
  for (const [form, source] of Object.entries(await forms(PATH))) {
    const given = await inspect(source, { headerOnly: true });
    assert.equal(canonical(given.header), canonical(header), form);
  }
  const names = JSON.parse(expected).members.list.map(({ name }) => name);
  for (const [form, source] of Object.entries(await forms(PATH))) {
    const { members } = await listMembers(source);
    assert.deepEqual(
      members.list.map(({ name }) => name),
      names,
      form,
    );
  }
  const content = gunzipSync(fixture('archive.gz'));
  const { offset, size } = JSON.parse(expected).members.list.find(({ name }) => name === 'metadata');
  for (const [form, source] of Object.entries(await forms(PATH))) {
    const { content: found } = await readMember(source, 'metadata');
    const bytes = Buffer.from(await found.arrayBuffer());
    assert.deepEqual(bytes, content.subarray(offset, offset + size), form);
  }
});

test('the other names read the same', async () => {
  assert.equal((await inspectStream(PATH, { headerOnly: true })).size, fixture('archive.gz').length);
  assert.equal((await inspectBlob(createReadStream(PATH))).verdicts.intact, 'yes');
});

test('an uncompressed file is read here and there, whatever it comes as', async () => {
  const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  try {
    const path = join(place, 'plain.snapshot');
    writeFileSync(path, gunzipSync(fixture('archive.gz')));
    const { members } = await listMembers(path);
    const last = members.list.at(-1);
    for (const [form, source] of Object.entries(await forms(path))) {
      const { member } = await readMember(source, last);
      assert.deepEqual([member.name, member.offset], [last.name, last.offset], form);
    }
  } finally {
    rmSync(place, { recursive: true });
  }
});

test('a replay takes them as well', async () => {
  const path = join(ROOT, 'tests/fixtures/replay/r5-sparse.head.snapshot.gz');
  for (const source of [path, readFileSync(path), createReadStream(path)]) {
    const report = await machine.replay(source, { last: 1 });
    assert.equal(report.verdicts.replayed, 'yes');
  }
  const server = await serve();
  try {
    const report = await machine.replay(`${server.origin}/tests/fixtures/replay/r5-sparse.head.snapshot.gz`, {
      last: 1,
    });
    assert.equal(report.verdicts.replayed, 'yes');
  } finally {
    await server.close();
  }
});

test('a source that cannot be opened has a code, and what is no source is a TypeError', async () => {
  const refused = async (source, code) => {
    for (const read of [inspect, listMembers, (file) => readMember(file, 'metadata')]) {
      await assert.rejects(read(source), (error) => {
        assert.ok(error instanceof RollsnapError, `${error?.stack}`);
        assert.deepEqual([error.code, error.at], [code, { path: source }]);
        return true;
      });
    }
  };
  await refused('/nowhere/at/all', 'io.not-found');
  await refused(`${PATH}/below`, 'io.not-found');
  await refused('/tmp', 'io.other');
  for (const source of [undefined, null, 7, true, {}, Symbol('file'), () => {}]) {
    for (const read of [inspect, listMembers, (file) => readMember(file, 'metadata')])
      await assert.rejects(read(source), TypeError, String(source));
  }
  for (const chunks of [['text'], [new Uint8Array(58), 'text'], [[1, 2]], [null]])
    await assert.rejects(inspect(chunks), TypeError, JSON.stringify(chunks));
});

test('a source that is not wanted any more is ended', async () => {
  let [ended, given] = [0, 0];
  const bytes = fixture('archive.gz');
  const source = async function* () {
    try {
      for (;;) {
        given += 1;
        yield bytes.subarray(0, 60_000);
      }
    } finally {
      ended += 1;
    }
  };
  assert.equal((await inspect(source(), { headerOnly: true })).header.head_level, facts.head_level);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([ended, given <= 3], [1, true]);
  const stop = new AbortController();
  await assert.rejects(
    inspect(source(), { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) }),
    /enough/,
  );
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(ended, 2);
  const failing = async function* () {
    yield bytes.subarray(0, 100);
    throw new Error('the disk is gone');
  };
  await assert.rejects(inspect(failing()), /the disk is gone/);
  const file = createReadStream(PATH, { highWaterMark: 1000 });
  await inspect(file, { headerOnly: true }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(file.destroyed);
});
