// A timer's abort, and a message's, are heard while a large file is read: on the thread of a page, and in a worker.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { STOPPED } from '../js/lib/aborts.mjs';
import { serve } from '../js/support.mjs';
import { ENGINES, engine, where } from './lib/engines.mjs';

const WORKER = `
  import { aborts } from '/tests/js/lib/aborts.mjs';
  import * as rollsnap from '/web/pkg/web/rollsnap.mjs';
  await rollsnap.init();
  postMessage(await aborts(rollsnap));`;

let server;
before(async () => {
  server = await serve((request, response) => {
    if (request.url !== '/worker.mjs') return false;
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(WORKER);
    return true;
  });
});
after(() => server.close());

for (const name of Object.keys(ENGINES)) {
  const browser = engine(name, { before, after });

  for (const place of ['on the thread of a page', 'in a worker'])
    test(`${name}: readings stop when a timer aborts them, ${place}`, where(name), async () => {
      const page = await browser().newPage();
      await page.goto(`${server.origin}/web/examples/browser/index.html`);
      const outcomes = await page.evaluate(async (here) => {
        if (here === 'in a worker') {
          const worker = new Worker('/worker.mjs', { type: 'module' });
          return new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = ({ message }) => reject(new Error(message));
          });
        }
        const { aborts } = await import('/tests/js/lib/aborts.mjs');
        const rollsnap = await import('/web/pkg/web/rollsnap.mjs');
        await rollsnap.init();
        return aborts(rollsnap);
      }, place);
      assert.deepEqual(outcomes, STOPPED);
      await page.close();
    });
}
