// Runs in Node, Bun and Deno: tests/js/engines.test.mjs starts it.
// Aborts readings on this thread, lets a worker do its jobs, and compares the example with what the fixtures say.
import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as rollsnap from '../../../web/pkg/nodejs/rollsnap.mjs';
import { SnapshotWorker } from '../../../web/pkg/nodejs/worker/worker.mjs';
import { STOPPED, aborts, large } from './aborts.mjs';

const path = fileURLToPath(new URL('../../../www/example.snapshot', import.meta.url));
const truth = JSON.parse(readFileSync(new URL('../../fixtures/replay/r5-dense.expect.json', import.meta.url), 'utf8'));
const head = truth.headers.finalized.head_level;

assert.deepEqual(await aborts(rollsnap), STOPPED);

const worker = new SnapshotWorker();
for (const source of [path, new Blob([readFileSync(path)]), readFileSync(path), createReadStream(path)]) {
  const report = await worker.inspect(source, { consistent: true });
  assert.deepEqual(report.verdicts, { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
  assert.equal(report.header.head_level, head);
}
const { content } = await worker.readMember(path, 'metadata');
assert.equal(await content.text(), await (await rollsnap.readMember(path, 'metadata')).content.text());
const blocks = [];
const replayed = await worker.replay(path, {
  last: 2,
  onBlock: ({ level, ticks }) => blocks.push([level, String(ticks)]),
});
assert.equal(replayed.verdicts.replayed, 'yes');
const ticksOf = (level) => String(Object.values(truth.blocks).find((block) => block.level === level).num_ticks);
assert.deepEqual(
  blocks,
  [head - 1, head].map((level) => [level, ticksOf(level)]),
);
const stop = new AbortController();
const reason = new Error('enough');
const job = worker.inspect(large(), { signal: stop.signal, onProgress: () => stop.abort(reason) });
await assert.rejects(job, (error) => error === reason);
await assert.rejects(worker.replay(path, { blockTimeout: 0 }), { code: 'pvm.time' });
console.log('all of it');
