// Temporary files in place of memory: the report is the same, and space that is refused is no verdict.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Inspector, inspectBlob, memoryBytes, openTemporary } from '../../web/pkg/nodejs/full/full.mjs';
import { openTemporary as forMachine, replay } from '../../web/pkg/nodejs/machine/machine.mjs';
import { HEADER, ROOT, tarHeader } from './support.mjs';

const files = ['data-dir', 'snapshot'].flatMap((room) => {
  const directory = join(ROOT, 'tests/fixtures', room);
  return readdirSync(directory)
    .filter((name) => /\.(gz|uncompressed)$/.test(name))
    .map((name) => join(directory, name));
});
const blob = (file) => new Blob([readFileSync(file)]);
const sound = files.find((name) => name.endsWith('/v5-archive.head.snapshot.gz'));

for (const file of files) {
  test(`${file.slice(ROOT.length)}, with no memory`, async () => {
    const temporary = await openTemporary();
    const report = await inspectBlob(blob(file), { consistent: true, temporary, memory: 0 });
    assert.deepEqual(report, await inspectBlob(blob(file), { consistent: true }));
    assert.ok(temporary.size > 0 || report.verdicts.consistent !== 'yes');
    await temporary.close();
    await temporary.close();
  });
}

for (const file of files) {
  test(`${file.slice(ROOT.length)}, read in place`, async () => {
    const bytes = new Uint8Array(readFileSync(file));
    const plain = bytes[0] === 0x1f ? new Uint8Array(gunzipSync(bytes)) : bytes;
    for (const [content, isPlain] of [
      [bytes, plain === bytes],
      [plain, true],
    ]) {
      let given = 0;
      const read = (into, { at }) => {
        const there = content.subarray(at, at + into.length);
        into.set(there);
        given += there.length;
        return there.length;
      };
      const inPlace = { read, write: () => assert.fail('it was written') };
      const report = await inspectBlob(new Blob([content]), { consistent: true, inPlace });
      assert.deepEqual(report, await inspectBlob(new Blob([content]), { consistent: true }));
      if (report.verdicts.consistent === 'yes') assert.equal(given > 0, isPlain);
    }
  });
}

test('a file that cannot be read any more is no verdict', async () => {
  const plain = new Uint8Array(gunzipSync(readFileSync(sound)));
  const gone = () => {
    throw new DOMException('the file has changed', 'NotReadableError');
  };
  for (const read of [gone, () => 0, () => -1, () => 'much']) {
    const options = { consistent: true, inPlace: { read, write: gone } };
    const { verdicts, checks } = await inspectBlob(new Blob([plain]), options);
    assert.deepEqual(verdicts, { intact: 'yes', consistent: 'unknown', anchored: 'unknown' });
    assert.deepEqual(
      checks.filter(({ status }) => status === 'no'),
      [],
    );
  }
});

test('a large store takes no memory', async (t) => {
  // Not a store of a node, but one that must be kept until that is known.
  const size = 300 * 2 ** 20;
  const temporary = await openTemporary();
  const inspector = new Inspector({ consistent: true, events: false, temporary });
  const before = memoryBytes();
  inspector.feed(HEADER);
  inspector.feed(tarHeader('store.sqlite', size));
  const piece = new Uint8Array(2 ** 20).fill(7);
  for (let left = size; left > 0; left -= piece.length) inspector.feed(piece);
  inspector.feed(Buffer.alloc(1024));
  const report = inspector.finish();
  inspector.free();
  t.diagnostic(`${memoryBytes() - before} bytes more, ${temporary.size} in the file`);
  assert.equal(report.verdicts.intact, 'yes');
  assert.ok(memoryBytes() - before < 16 * 2 ** 20, `${memoryBytes() - before}`);
  assert.ok(temporary.size >= size);
  await temporary.close();
});

test('it is nowhere to be seen, and gone when it is closed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  try {
    const temporary = await openTemporary({ directory });
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(temporary.write(new Uint8Array([1, 2, 3]), { at: 5 }), 3);
    const into = new Uint8Array(4);
    assert.equal(temporary.read(into, { at: 6 }), 2);
    assert.deepEqual([...into], [2, 3, 0, 0]);
    assert.equal(temporary.size, 8);
    await temporary.close();
    assert.throws(() => temporary.read(into, { at: 0 }));
  } finally {
    rmSync(directory, { recursive: true });
  }
  assert.ok(!existsSync(directory));
  await assert.rejects(openTemporary({ directory }), { code: 'ENOENT' });
});

/** A file that refuses after so many bytes, as a browser does whose user has no room left. */
function small(most, refuse) {
  const bytes = new Uint8Array(most);
  let end = 0;
  return {
    write(given, { at }) {
      if (at + given.length > most) return refuse(given);
      bytes.set(given, at);
      end = Math.max(end, at + given.length);
      return given.length;
    },
    read(into, { at }) {
      const there = bytes.subarray(at, Math.min(end, at + into.length));
      into.set(there);
      return there.length;
    },
  };
}

const refusals = {
  'has no room': () => {
    throw new DOMException('no room is left', 'QuotaExceededError');
  },
  'is taken away': () => {
    throw new TypeError('it was detached');
  },
  'throws a text': () => {
    throw 'not today';
  },
  'takes less than it was given': ({ length }) => length - 1,
  'answers nonsense': () => 'many',
};
for (const [what, refuse] of Object.entries(refusals)) {
  test(`space that ${what}`, async () => {
    for (const most of [0, 50_000, 1.5 * 2 ** 20]) {
      const options = { consistent: true, temporary: small(most, refuse), memory: 0 };
      const report = await inspectBlob(blob(sound), options);
      assert.equal(report.verdicts.intact, 'yes');
      assert.equal(report.verdicts.consistent, 'unknown', `${most}`);
      assert.deepEqual(report.checks.filter(({ status }) => status === 'no').length, 0);
      assert.ok(
        report.checks.some(({ text }) => text.includes('temporary file')),
        JSON.stringify(report.checks),
      );
    }
  });
}

test('what is no file is a mistake of the caller', async () => {
  for (const temporary of [1, 'file', {}, { read() {} }, { read: 1, write: 2 }]) {
    assert.throws(() => new Inspector({ consistent: true, temporary }), TypeError);
    await assert.rejects(replay(blob(sound), { temporary }), TypeError);
  }
});

test('blocks are run again from it', async () => {
  const file = join(ROOT, 'tests/fixtures/replay/r4-mavkit.head.snapshot.gz');
  const run = async (options) => {
    const blocks = [];
    const report = await replay(blob(file), { onBlock: (block) => blocks.push(block), ...options });
    return { report, blocks };
  };
  const temporary = await forMachine();
  const there = await run({ temporary, maxMemory: 0 });
  assert.deepEqual(there, await run({}));
  assert.equal(there.report.verdicts.replayed, 'yes');
  assert.ok(temporary.size > 0);
  await temporary.close();
});
