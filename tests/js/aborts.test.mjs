// A timer's abort is heard while a large file is read, on the thread that reads it and in a worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as nodejs from '../../web/pkg/nodejs/rollsnap.mjs';
import { STOPPED, aborts } from './lib/aborts.mjs';

test('readings stop when a timer aborts them', async () => {
  assert.deepEqual(await aborts(nodejs), STOPPED);
});

test('and in a worker', async () => {
  const text = `
    import { parentPort } from 'node:worker_threads';
    import { aborts } from ${JSON.stringify(import.meta.resolve('./lib/aborts.mjs'))};
    import * as nodejs from ${JSON.stringify(import.meta.resolve('../../web/pkg/nodejs/rollsnap.mjs'))};
    parentPort.postMessage(await aborts(nodejs));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`));
  const outcomes = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assert.deepEqual(outcomes, STOPPED);
});
