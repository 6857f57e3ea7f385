// Snapshots for the tests: the example with what Node's own zlib and hash say of it, and made-up
// ones. Written from the format, without the code under test.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export const example = readFileSync(new URL('../../../www/example.snapshot', import.meta.url));

/** What the makers of its data directory say of it. */
export const truth = JSON.parse(readFileSync(new URL('../../fixtures/replay/r5-dense.expect.json', import.meta.url)));
export const exampleHeader = truth.headers.finalized;

/** `{name, data}` of every member of an uncompressed snapshot. */
export function membersOf(plain) {
  const members = [];
  for (let at = 58; plain[at]; ) {
    const name = plain.toString('utf8', at, at + 100).replace(/\0.*/s, '');
    const size = Number.parseInt(plain.toString('latin1', at + 124, at + 135), 8);
    members.push({ name, data: plain.subarray(at + 512, at + 512 + size) });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return members;
}

export const exampleMembers = membersOf(gunzipSync(example));

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Header of an archive-mode snapshot at level 77. */
export const header = Buffer.concat([
  Buffer.from([0, 0]),
  Buffer.alloc(20, 7),
  Buffer.from([0, 0, 0, 77]),
  Buffer.alloc(32, 9),
]);

export const end = Buffer.alloc(1024);

/** The block in front of a member. */
export function memberHeader(name, size) {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(`0000644\0${'0000000\0'.repeat(2)}${octal(size)}\0${octal(1_700_000_000)}\0`, 100, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(7, '0')}\0`, 148, 'latin1');
  return block;
}

/** A whole uncompressed snapshot of these `[name, data]`. */
export function snapshot(members) {
  const blocks = members.flatMap(([name, data]) => [
    memberHeader(name, data.length),
    data,
    Buffer.alloc(-data.length & 511),
  ]);
  return Buffer.concat([header, ...blocks, end]);
}

const octal = (number) => number.toString(8).padStart(11, '0');
