// Temporary storage of a browser in place of memory: what a check keeps there, who removes it, and what happens when it is full.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as nodejs from '../../web/pkg/nodejs/full/full.mjs';
import { ROOT, canonical, serve } from '../js/support.mjs';
import { launch } from './lib/browser.mjs';

const FIXTURE = '/tests/fixtures/data-dir/v5-archive.head.snapshot.gz';

let browser;
let server;
before(async () => ([browser, server] = await Promise.all([launch(), serve()])));
after(() => Promise.all([browser.close(), server.close()]));

/** A tab of the site with a worker that does one thing after the other; `run` answers what the worker does. */
async function tab(context) {
  const page = await context.newPage();
  await page.goto(`${server.origin}/web/js/temporary.mjs`);
  await page.evaluate(() => {
    const script = `
      const full = import('${location.origin}/web/pkg/web/full/full.mjs');
      let temporary;
      const steps = {
        open: async () => ((temporary = await (await full).openTemporary()), Boolean(temporary)),
        close: () => temporary.close(),
        async inspect({ path, padding }) {
          const { init, inspectBlob } = await full;
          await init();
          if (padding) temporary.write(new Uint8Array(padding), { at: 0 });
          const file = await (await fetch('${location.origin}' + path)).blob();
          const report = await inspectBlob(file, { consistent: true, temporary, memory: 0 });
          return { report, size: temporary.size };
        },
        async names() {
          const root = await navigator.storage.getDirectory();
          const files = await root.getDirectoryHandle('rollsnap-temporary', { create: true });
          return Array.fromAsync(files.keys());
        },
      };
      onmessage = async ({ data: [step, given] }) =>
        postMessage(await steps[step](given).then((value) => ({ value }), (error) => ({ error: String(error) })));`;
    globalThis.worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
  });
  const run = (step, given) =>
    page.evaluate(
      ([step, given]) =>
        new Promise((resolve, reject) => {
          globalThis.worker.onmessage = ({ data }) =>
            'error' in data ? reject(new Error(data.error)) : resolve(data.value);
          globalThis.worker.postMessage([step, given]);
        }),
      [step, given],
    );
  return { page, run };
}

test('the report is that of a check in memory, and the storage is given back', async () => {
  const context = await browser.newContext();
  const { run } = await tab(context);
  assert.equal(await run('open'), true);
  const { report, size } = await run('inspect', { path: FIXTURE });
  const bytes = readFileSync(join(ROOT, FIXTURE));
  assert.deepEqual(canonical(report), canonical(await nodejs.inspectBlob(new Blob([bytes]), { consistent: true })));
  assert.ok(size > 2 * 2 ** 20, `${size}`);
  assert.equal((await run('names')).length, 1);
  await run('close');
  assert.deepEqual(await run('names'), []);
  await context.close();
});

test('a file that is not compressed is read in place', async () => {
  const context = await browser.newContext();
  const { run } = await tab(context);
  const path = '/tests/fixtures/snapshot/octez-full.uncompressed';
  await run('open');
  const { report, size } = await run('inspect', { path });
  const bytes = readFileSync(join(ROOT, path));
  assert.deepEqual(canonical(report), canonical(await nodejs.inspectBlob(new Blob([bytes]), { consistent: true })));
  // What is known of its objects and what was put off have a part of 1 MiB each; store and context have none.
  assert.ok(size <= 2 * 2 ** 20, `${size}`);
  await context.close();
});

test('two tabs have a file each, and what a killed one leaves is removed by the next', async () => {
  const context = await browser.newContext();
  const [one, two] = await Promise.all([tab(context), tab(context)]);
  assert.deepEqual([await one.run('open'), await two.run('open')], [true, true]);
  assert.equal((await one.run('names')).length, 2);
  for (const { run } of [one, two]) {
    assert.equal((await run('inspect', { path: FIXTURE })).report.verdicts.consistent, 'yes');
  }
  const [first, second] = await one.run('names');
  await one.page.evaluate(() => globalThis.worker.terminate());
  await one.page.close();
  const three = await tab(context);
  // The browser unlocks the file of a worker that is gone a little later.
  let names;
  for (let tries = 0; tries < 50; tries++) {
    await three.run('open');
    names = await three.run('names');
    await three.run('close');
    if (names.length === 2) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(names.length, 2);
  assert.equal(names.filter((name) => name === first || name === second).length, 1);
  assert.equal((await two.run('inspect', { path: FIXTURE })).report.verdicts.consistent, 'yes');
  await context.close();
});

// Its debugger sets the quota.
const inChromium = { skip: process.env.ENGINE === 'firefox' && 'only in Chromium' };

test('a quota that is reached is no verdict', inChromium, async () => {
  const context = await browser.newContext();
  const { page, run } = await tab(context);
  assert.equal(await run('open'), true);
  const session = await context.newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: server.origin, quotaSize: 1_500_000 });
  const { report } = await run('inspect', { path: FIXTURE });
  assert.deepEqual(
    [report.verdicts.intact, report.verdicts.consistent],
    ['yes', 'unknown'],
    JSON.stringify(report.checks.filter(({ status }) => status !== 'yes')),
  );
  assert.ok(report.checks.some(({ code, status }) => code === 'limit.space' && status === 'unknown'));
  await context.close();
});

test('a page outside of a worker has none', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.origin}/web/js/temporary.mjs`);
  const has = await page.evaluate(async () => {
    const { openTemporary } = await import(`${location.origin}/web/pkg/web/full/full.mjs`);
    return (await openTemporary()) !== undefined;
  });
  assert.equal(has, false);
  await context.close();
});
