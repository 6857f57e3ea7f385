// The module stays small, and so does its memory, whatever is fed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGzip, gzipSync } from 'node:zlib';
import { Inspector, memoryBytes } from '../../web/pkg/nodejs/rollsnap.mjs';
import { HEADER, ROOT, tarHeader } from './support.mjs';

const LIMIT = 16 * 2 ** 20;
const SIZE = 2 ** 31;
const END = Buffer.alloc(1024);

test('the module is at most 136 KiB, gzipped', (t) => {
  const module = readFileSync(join(ROOT, 'web/pkg/web/rollsnap_bg.wasm'));
  const size = gzipSync(module, { level: 9 }).length;
  t.diagnostic(`${module.length} bytes, ${size} gzipped`);
  assert.ok(size <= 136 * 1024, `${size}`);
});

test('memory is flat over a compressed stream of 2 GiB', async (t) => {
  const gzip = createGzip({ level: 1 });
  const zeros = Buffer.alloc(2 ** 20);
  async function write() {
    gzip.write(HEADER);
    gzip.write(tarHeader('context/store.0.suffix', SIZE));
    for (let left = SIZE; left > 0; left -= zeros.length) {
      if (!gzip.write(zeros)) await new Promise((resolve) => gzip.once('drain', resolve));
    }
    gzip.end(END);
  }
  const inspector = new Inspector({ events: false, list: true });
  const writing = write();
  for await (const chunk of gzip) inspector.feed(chunk);
  await writing;
  const report = inspector.finish();
  inspector.free();
  assert.equal(report.verdicts.intact, 'yes');
  assert.equal(report.container.bytes, 58 + 512 + SIZE + 1024);
  assert.deepEqual(
    report.members.list.map(({ size }) => size),
    [SIZE],
  );
  t.diagnostic(`memory of the module: ${memoryBytes()} bytes`);
  assert.ok(memoryBytes() <= LIMIT);
});

test('memory is flat over chunks of any length', () => {
  const content = new Uint8Array(2 ** 27);
  const inspector = new Inspector({ events: false });
  inspector.feed(HEADER);
  inspector.feed(tarHeader('metadata', content.length));
  inspector.feed(content);
  inspector.feed(END);
  assert.equal(inspector.finish().verdicts.intact, 'yes');
  inspector.free();
  assert.ok(memoryBytes() <= LIMIT, `${memoryBytes()}`);
});

test('memory of inspectors that are freed is used again', () => {
  const before = memoryBytes();
  for (let round = 0; round < 200; round += 1) {
    const inspector = new Inspector();
    inspector.feed(HEADER);
    inspector[Symbol.dispose]();
  }
  assert.ok(memoryBytes() <= before + 2 ** 20, `${before} → ${memoryBytes()}`);
});
