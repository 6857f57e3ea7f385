// One member from the middle of a file: where nothing is compressed, and where rollsnap wrote an index.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Checkpoints } from '../../web/pkg/nodejs/load.mjs';
import { inspectBlob, listMembers, readMember } from '../../web/pkg/nodejs/rollsnap.mjs';
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

/** Reads each member by where it is; gives how much more was read than its size, of the one where that was most. */
async function readEach(bytes) {
  let most = 0;
  for (const member of members.list) {
    const blob = new Counted([bytes]);
    const found = await readMember(blob, member);
    assert.deepEqual(found.member, member);
    assert.equal(found.sha256, sha256(contentOf(member)), member.name);
    assert.equal(Buffer.from(await found.content.arrayBuffer()).equals(contentOf(member)), true, member.name);
    most = Math.max(most, blob.read - member.size);
  }
  return most;
}

test('there is something to leave out', () => {
  assert.ok(members.list.length > 12 && plain.length > 10_000_000);
});

test('of what rollsnap exported only the places that hold the member are read', async () => {
  // A span has 2 MiB of content, and a member may begin and end within one; the file's first 128 KiB are looked at before.
  assert.ok((await readEach(file)) < 2 * (2 << 20) + (1 << 18));
  const last = new Counted([file]);
  await readMember(
    last,
    members.list.find(({ name }) => name.endsWith('/three')),
    { limit: 100 },
  );
  assert.ok(last.read < file.length / 2, `${last.read} of ${file.length}`);
});

test('of an uncompressed file too', async () => {
  assert.ok((await readEach(plain)) < (2 << 20) + (1 << 18));
});

test('a file without an index is read from its beginning', async () => {
  const foreign = gzipSync(plain);
  assert.ok((await readEach(foreign)) >= foreign.length - 6_000_000);
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
  await assert.rejects(readMember(new Blob([file]), { name: 'nothing', offset: member.offset }), {
    code: 'member.unknown',
  });
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
    const told = async (wanted) =>
      readMember(new Blob([changed]), wanted).then(
        async ({ content }) => sha256(Buffer.from(await content.arrayBuffer())),
        ({ code }) => code,
      );
    // Damage before the member stops only who passes by.
    const near = await told(member);
    assert.ok(near === sha256(contentOf(member)) || near === (await told(member.name)), `${at}: ${near}`);
  }
});

test('members are listed by their headers', async () => {
  const list = async (bytes) => {
    const blob = new Counted([bytes]);
    const seen = [];
    const report = await listMembers(blob, { onProgress: ({ read, total }) => seen.push(read / total) });
    assert.deepEqual(report.members, members);
    assert.deepEqual([seen.at(-1), seen.every((part, index) => part >= (seen[index - 1] ?? 0))], [1, true]);
    return { ...report, read: blob.read };
  };
  const [indexed, flat, foreign] = [await list(file), await list(plain), await list(gzipSync(plain))];
  // The last member has 6 MB, of which one span of 2 MiB at least is only that.
  assert.ok(indexed.read < file.length - 1_500_000, `${indexed.read}`);
  assert.ok(flat.read < 3_000_000, `${flat.read}`);
  assert.ok(foreign.read >= plain.length / 2);
  // Only who has read all says that all is whole; of an uncompressed file there is nothing else to check.
  assert.deepEqual(
    [indexed, flat, foreign].map(({ verdicts }) => verdicts.intact),
    ['unknown', 'yes', 'yes'],
  );
  assert.ok(
    indexed.checks.some(
      ({ code, status, text }) =>
        code === 'gzip.crc' && status === 'unknown' && text.includes('the contents of members that were not read'),
    ),
  );
});

test('a list of what is damaged, cut or no snapshot is that of the whole reading', async () => {
  const told = (reading) =>
    reading.then(({ verdicts, members, checks }) => ({ intact: verdicts.intact, members, checks }));
  const broken = Buffer.from(plain);
  broken[members.list[3].offset - 512] ^= 1;
  for (const bytes of [
    broken,
    plain.subarray(0, 5_000_000),
    file.subarray(0, 3_000_000),
    plain.subarray(58),
    gzipSync(plain.subarray(58)),
    Buffer.alloc(0),
    Buffer.from('text'),
  ]) {
    const blob = new Blob([bytes]);
    assert.deepEqual(await told(listMembers(blob)), await told(inspectBlob(blob, { list: true })));
  }
  // Damaged where a header is: found by the span. Elsewhere: the list is right, or the file is read to its end.
  const spoilt = Buffer.from(file);
  spoilt[70_000] ^= 1;
  assert.deepEqual(
    await told(listMembers(new Blob([spoilt]))),
    await told(inspectBlob(new Blob([spoilt]), { list: true })),
  );
  const stop = AbortSignal.abort('enough');
  await assert.rejects(listMembers(new Blob([file]), { signal: stop }), (reason) => reason === 'enough');
  await assert.rejects(listMembers(new Blob([file]), { maxMembers: -1 }), TypeError);
  const few = await listMembers(new Blob([file]), { maxMembers: 3 });
  assert.ok(
    few.checks.some(({ code, status }) => code === 'tar.members' && status === 'no'),
    JSON.stringify(few.checks),
  );
});

test('what is asked in a wrong way', () => {
  const [first, last] = [file.subarray(0, 1 << 17), file.subarray(-8)];
  const points = Checkpoints.of(first, last, file.length);
  assert.equal(points.spanAt(plain.length), undefined);
  const { number, from, to, start, end } = points.spanAt(3_000_000);
  assert.equal(Buffer.from(points.inflate(number, file.subarray(from, to))).equals(plain.subarray(start, end)), true);
  for (const bytes of [new Uint8Array(0), file.subarray(0, to - from), file.subarray(from, from + 1000)])
    assert.throws(() => points.inflate(number, bytes), { name: 'RollsnapError' });
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
