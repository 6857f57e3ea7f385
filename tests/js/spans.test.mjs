// One member from the middle of a file: where nothing is compressed, and where rollsnap wrote an index.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Checkpoints } from '../../web/pkg/nodejs/load.mjs';
import { inspectBlob, readMember } from '../../web/pkg/nodejs/rollsnap.mjs';
import { exported } from './support.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A file that counts what is read of it. */
class Counted extends Blob {
  read = 0;

  slice(from, to) {
    this.read += Math.min(to, this.size) - from;
    return super.slice(from, to);
  }

  stream() {
    this.read += this.size;
    return super.stream();
  }
}

const file = exported();
const plain = gunzipSync(file);
const { members } = await inspectBlob(new Blob([file]), { list: true });

/** What stands in the archive, by its own offsets. */
const contentOf = ({ offset, size }) => plain.subarray(offset, offset + size);

/** Reads each member by where it is; gives how much was read for the one that took most. */
async function readEach(bytes) {
  let most = 0;
  for (const member of members.list) {
    const blob = new Counted([bytes]);
    const found = await readMember(blob, member);
    assert.deepEqual(found.member, member);
    assert.equal(found.sha256, sha256(contentOf(member)), member.name);
    assert.equal(Buffer.from(await found.content.arrayBuffer()).equals(contentOf(member)), true, member.name);
    most = Math.max(most, blob.read);
  }
  return most;
}

test('there is something to leave out', () => {
  assert.ok(members.list.length > 12 && plain.length > 6_000_000);
});

test('of what rollsnap exported only the places that hold the member are read', async () => {
  // A span has 2 MiB of content, and a member of 2 MB may be in two of them; the file's first 128 KiB are looked at before.
  assert.ok((await readEach(file)) < 2 * (2 << 20) + (1 << 18));
  const last = new Counted([file]);
  await readMember(last, members.list.at(-1), { limit: 100 });
  assert.ok(last.read < file.length / 2, `${last.read} of ${file.length}`);
});

test('of an uncompressed file too', async () => {
  assert.ok((await readEach(plain)) < 2_000_000 + 2 * (2 << 20) + (1 << 18));
});

test('a file without an index is read from its beginning', async () => {
  const foreign = gzipSync(plain);
  assert.ok((await readEach(foreign)) >= foreign.length);
});

test('a preview is what it would be', async () => {
  const member = members.list.find(({ name }) => name.endsWith('/three'));
  for (const bytes of [file, plain]) {
    const { content, sha256 } = await readMember(new Blob([bytes]), member, { limit: 1000 });
    assert.equal(sha256, null);
    assert.equal(Buffer.from(await content.arrayBuffer()).equals(contentOf(member).subarray(0, 1000)), true);
  }
});

test('places that are wrong lead to the member all the same, or nowhere', async () => {
  const member = members.list.find(({ name }) => name === 'metadata');
  const elsewhere = members.list.map(({ offset }) => offset);
  for (const offset of [0, 1, 570, member.offset + 512, plain.length, plain.length * 2, 2 ** 53 - 1, ...elsewhere]) {
    for (const bytes of [file, plain]) {
      const { content } = await readMember(new Blob([bytes]), { name: 'metadata', offset });
      assert.equal(await content.text(), contentOf(member).toString(), offset);
    }
  }
  await assert.rejects(readMember(new Blob([file]), { name: 'nothing', offset: member.offset }), { code: 'member.unknown' });
});

test('an index is not believed', async () => {
  const member = members.list.find(({ name }) => name.endsWith('/three'));
  const index = file.indexOf('RSIX');
  assert.ok(index > 0 && index < 64);
  // Anywhere in the index, and in the data: never other bytes than those of reading from the beginning.
  const places = [index, index + 4, index + 11, index + 15, index + 23, index + 31, index + 60, index + 79];
  for (const at of [...places, file.length - 6, file.length - 2, file.length >> 1, file.length - 100_000]) {
    const changed = Buffer.from(file);
    changed[at] ^= 1;
    const told = async (wanted) => readMember(new Blob([changed]), wanted).then(async ({ content }) => sha256(Buffer.from(await content.arrayBuffer())), ({ code }) => code);
    // Damage before the member stops only who passes by.
    const near = await told(member);
    assert.ok(near === sha256(contentOf(member)) || near === (await told(member.name)), `${at}: ${near}`);
  }
});

test('what is asked in a wrong way', () => {
  const [first, last] = [file.subarray(0, 1 << 17), file.subarray(-8)];
  const points = Checkpoints.of(first, last, file.length);
  assert.equal(points.spanAt(plain.length), undefined);
  const { number, from, to, start, end } = points.spanAt(3_000_000);
  assert.equal(Buffer.from(points.inflate(number, file.subarray(from, to))).equals(plain.subarray(start, end)), true);
  for (const bytes of [new Uint8Array(0), file.subarray(0, to - from), file.subarray(from, from + 1000)]) assert.throws(() => points.inflate(number, bytes), { name: 'RollsnapError' });
  assert.throws(() => points.inflate(1_000_000, file), { code: 'gzip.index' });
  assert.equal(Buffer.from(points.beginning().subarray(0, 58)).equals(plain.subarray(0, 58)), true);
  for (const wrong of [-1, 0.5, NaN, 2 ** 60]) {
    assert.throws(() => points.spanAt(wrong), TypeError);
    assert.throws(() => Checkpoints.of(first, last, wrong), TypeError);
  }
  assert.throws(() => Checkpoints.of('bytes', last, file.length), TypeError);
  assert.equal(Checkpoints.of(first, last, file.length + 1), undefined);
  assert.equal(Checkpoints.of(new Uint8Array(0), new Uint8Array(0), 0), undefined);
});
