// node tests/browser/webkit.mjs: the page and the package in WebKit, run by hand after web/build --page.
//
//     apt-get install webkit2gtk-driver xvfb
//     xvfb-run node tests/browser/webkit.mjs
//
// It starts WebKitWebDriver and speaks WebDriver to it; in a container that has no namespaces for its sandbox, set
// WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1. MINIBROWSER names another MiniBrowser than Debian's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STOPPED } from '../js/lib/aborts.mjs';
import { ROOT, serve } from '../js/support.mjs';
import { servePage } from './lib/server.mjs';
import { exampleHeader, header, memberHeader } from './lib/snapshots.mjs';

const PORT = 4799;
const MINIBROWSER = process.env.MINIBROWSER || '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const SIZE = 8_000_000_000;

const WORKER = `
  import { aborts } from '/tests/js/lib/aborts.mjs';
  import * as rollsnap from '/web/pkg/web/rollsnap.mjs';
  await rollsnap.init();
  postMessage(await aborts(rollsnap));`;

async function driver(method, path, body) {
  const options = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const { value } = await (await fetch(`http://127.0.0.1:${PORT}${path}`, options)).json();
  if (value?.error) throw new Error(`${path}: ${value.error}: ${value.message}`);
  return value;
}

/** A window of MiniBrowser: `{go, find, run, until}`. */
async function open() {
  const capabilities = {
    alwaysMatch: { 'webkitgtk:browserOptions': { binary: MINIBROWSER, args: ['--automation'] } },
  };
  const { sessionId } = await driver('POST', '/session', { capabilities });
  const at = (path) => `/session/${sessionId}${path}`;
  await driver('POST', at('/timeouts'), { script: 120_000, pageLoad: 60_000 });
  const run = (text, ...args) => {
    const script = `const done = arguments[arguments.length - 1];
      (async (...args) => { ${text} })(...arguments).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    return driver('POST', at('/execute/async'), { script, args }).then(({ value, error }) => {
      if (error) throw new Error(error);
      return value;
    });
  };
  return {
    go: (url) => driver('POST', at('/url'), { url }),
    find: async (value) => {
      const found = await driver('POST', at('/element'), { using: 'css selector', value });
      const element = at(`/element/${found[ELEMENT]}`);
      return {
        click: () => driver('POST', `${element}/click`, {}),
        type: (text) => driver('POST', `${element}/value`, { text }),
      };
    },
    run,
    /** Waits until this expression holds. */
    until: (expression) =>
      run(`while (!(${expression})) await new Promise((resolve) => setTimeout(resolve, 20)); return true;`),
    close: () => driver('DELETE', at('')),
  };
}

const tests = {
  async 'readings stop when a timer aborts them'({ page, files }) {
    await page.go(`${files.origin}/web/examples/browser/index.html`);
    const outcomes = await page.run(`
      const { aborts } = await import('/tests/js/lib/aborts.mjs');
      const rollsnap = await import('/web/pkg/web/rollsnap.mjs');
      await rollsnap.init();
      return aborts(rollsnap);`);
    assert.deepEqual(outcomes, STOPPED);
  },

  async 'and in a worker'({ page, files }) {
    await page.go(`${files.origin}/web/examples/browser/index.html`);
    const outcomes = await page.run(`
      const worker = new Worker('/worker.mjs', { type: 'module' });
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });`);
    assert.deepEqual(outcomes, STOPPED);
  },

  async 'jobs of rollsnap/worker'({ page, files }) {
    await page.go(`${files.origin}/web/examples/browser/index.html`);
    const found = await page.run(`
      const { SnapshotWorker } = await import('/web/pkg/web/worker/worker.mjs');
      const worker = new SnapshotWorker();
      const blob = await (await fetch('/www/example.snapshot')).blob();
      const { verdicts, header } = await worker.inspect(blob, { consistent: true });
      const { verdicts: replayed } = await worker.replay(blob, { last: 2 });
      const late = await worker.replay(blob, { blockTimeout: 0 }).catch(({ code }) => code);
      worker.terminate();
      return { verdicts, head: header.head_level, replayed: replayed.replayed, late };`);
    const verdicts = { intact: 'yes', consistent: 'yes', anchored: 'unknown' };
    assert.deepEqual(found, { verdicts, head: exampleHeader.head_level, replayed: 'yes', late: 'pvm.time' });
  },

  async 'the page answers about the example'({ page, own }) {
    await page.go(own.base);
    await page.until(`document.querySelector('html[data-ready]')`);
    await (await page.find('#file')).type(join(ROOT, 'www/example.snapshot'));
    await page.until(`document.querySelector('#report:not([hidden])')`);
    const answers = await page.run(`
      return Object.fromEntries([...document.querySelectorAll('[data-verdict]')].map(({ dataset }) => [dataset.verdict, dataset.answer]));`);
    assert.deepEqual([answers.intact, answers.consistent], ['yes', 'yes']);
  },

  async 'Cancel ends the reading of 8 GB in the middle'({ page, own, place }) {
    const large = join(place, 'large.snapshot');
    writeFileSync(large, Buffer.concat([header, memberHeader('context/store.0.suffix', SIZE)]));
    truncateSync(large, 58 + 512 + SIZE + 1024);
    await page.go(own.base);
    await page.until(`document.querySelector('html[data-ready]')`);
    await (await page.find('#file')).type(large);
    await page.until(`/^\\d/.test(document.querySelector('#reading-percent').textContent)`);
    await (await page.find('#reading-action')).click();
    await page.until(`document.querySelector('#reading-title').textContent === 'Stopped'`);
    assert.notEqual(await page.run(`return document.querySelector('#reading-percent').textContent`), '100 %');
  },
};

const server = spawn('WebKitWebDriver', [`--port=${PORT}`], { stdio: 'inherit' });
const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
const own = await servePage();
const files = await serve((request, response) => {
  if (request.url !== '/worker.mjs') return false;
  response.writeHead(200, { 'content-type': 'text/javascript' }).end(WORKER);
  return true;
});
let failed = 0;
try {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const version = await driver('GET', '/status').then(({ ready }) => ready);
  assert.ok(version, 'WebKitWebDriver is not ready');
  for (const [name, test] of Object.entries(tests)) {
    const page = await open();
    try {
      await test({ page, own, files, place });
      console.log(`ok - ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok - ${name}\n${error.stack}`);
    } finally {
      await page.close();
    }
  }
} finally {
  server.kill();
  rmSync(place, { recursive: true });
  await Promise.all([own.close(), files.close()]);
}
process.exitCode = failed ? 1 : 0;
