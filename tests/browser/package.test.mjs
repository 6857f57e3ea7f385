// The npm package in Chromium: its examples, every snapshot, and what a browser hides of a server.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import * as nodejs from '../../web/pkg/nodejs/rollsnap.mjs';
import { ROOT, SNAPSHOTS, canonical, fixture, serve, snapshots } from '../js/support.mjs';
import { ENGINES } from './lib/engines.mjs';

const NAME = 'archive.gz';
const FILE = join(SNAPSHOTS, NAME);
let browser;
let server;
let other;

before(async () => {
  server = await serve();
  other = await serve(answer);
  browser = await ENGINES.chromium();
});
after(async () => {
  await browser?.close();
  await Promise.all([server.close(), other.close()]);
});

/** Another origin, which lets pages see more or less. */
function answer({ url, headers }, response) {
  const bytes = fixture(NAME);
  const open = { 'access-control-allow-origin': '*' };
  const part = { 'content-range': `bytes 0-65535/${bytes.length}`, 'accept-ranges': 'bytes' };
  const shown = { 'access-control-expose-headers': 'Content-Range' };
  const kinds = {
    '/closed': part,
    '/hidden': { ...open, ...part },
    '/open': { ...open, ...part, ...shown },
    '/whole': open,
  };
  if (!(url in kinds)) return false;
  const ranged = url !== '/whole' && headers.range;
  response.writeHead(ranged ? 206 : 200, kinds[url]).end(ranged ? bytes.subarray(0, 65536) : bytes);
  return true;
}

/** A page at this path of the project; errors of the page are errors of the test. */
async function open(path) {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(server.origin + path);
  const close = async () => {
    await page.close();
    assert.deepEqual(errors, []);
  };
  return { page, close };
}

const reportOf = async (bytes) => canonical(await nodejs.inspectBlob(new Blob([bytes])));

for (const example of ['browser', 'worker']) {
  test(`the example of the ${example}`, async () => {
    const { page, close } = await open(`/web/examples/${example}/index.html`);
    const shown = (start) =>
      page.waitForFunction((text) => document.querySelector('pre').textContent.startsWith(text), start);
    await page.setInputFiles('input', FILE);
    await shown('{');
    assert.equal(canonical(JSON.parse(await page.textContent('pre'))), await reportOf(fixture(NAME)));
    await close();
  });
}

test('the example of the bundler', async () => {
  // A place as a user has it: the package is installed.
  mkdirSync(join(ROOT, 'target'), { recursive: true });
  const place = mkdtempSync(join(ROOT, 'target/bundle-'));
  try {
    mkdirSync(join(place, 'node_modules'));
    symlinkSync(join(ROOT, 'web/pkg'), join(place, 'node_modules/rollsnap'));
    cpSync(join(ROOT, 'web/examples/bundler'), place, { recursive: true });
    await build({
      entryPoints: [join(place, 'main.mjs')],
      bundle: true,
      format: 'esm',
      outdir: place,
      loader: { '.wasm': 'file' },
      conditions: ['browser'],
      logLevel: 'error',
    });
    const path = `/target/${place.split('/').at(-1)}/index.html#/tests/fixtures/snapshot/${NAME}`;
    const { page, close } = await open(path);
    await page.waitForFunction(() => document.querySelector('pre').textContent.startsWith('{'));
    assert.equal(canonical(JSON.parse(await page.textContent('pre'))), await reportOf(fixture(NAME)));
    await close();
  } finally {
    rmSync(place, { recursive: true });
  }
});

test('every snapshot has the same report here as in Node', async () => {
  const { page, close } = await open('/web/examples/browser/index.html');
  for (const { name, bytes } of snapshots()) {
    const report = await page.evaluate(async (address) => {
      const { inspectUrl } = await import('/web/pkg/web/rollsnap.mjs');
      const { remote, ...report } = await inspectUrl(address);
      return JSON.stringify(report);
    }, `/tests/fixtures/snapshot/${name}`);
    assert.equal(canonical(JSON.parse(report)), await reportOf(bytes), name);
  }
  await close();
});

test('what another origin hides is told by the header that is missing', async () => {
  const { page, close } = await open('/web/examples/browser/index.html');
  const ask = (path) =>
    page.evaluate(async (address) => {
      const { RollsnapError, inspectUrl } = await import('/web/pkg/web/rollsnap.mjs');
      return inspectUrl(address, { headerOnly: true }).catch((error) => RollsnapError.toPlain(error));
    }, other.origin + path);
  const { header, size } = await ask('/open');
  assert.deepEqual([header.head_level, size], [1023, readFileSync(FILE).length]);
  const closed = await ask('/closed');
  assert.deepEqual([closed.code, closed.missing], ['http.cors', 'Access-Control-Allow-Origin']);
  const hidden = await ask('/hidden');
  assert.deepEqual([hidden.header.head_level, hidden.remote.ranges], [1023, false]);
  assert.deepEqual(hidden.remote.lacks, ['Access-Control-Expose-Headers: Content-Range']);
  const whole = await ask('/whole');
  assert.deepEqual([whole.header.head_level, whole.remote.lacks], [1023, ['Content-Range']]);
  await close();
});

const changes = [
  ['goes away', 'io.not-found', (path) => rmSync(path)],
  [
    'changes',
    'source.changed',
    (path) => {
      appendFileSync(path, 'more');
      utimesSync(path, 2_000_000_000, 2_000_000_000);
    },
  ],
];
for (const [what, code, change] of changes)
  test(`a chosen file that ${what} ends in ${code}`, async () => {
    const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
    const file = join(place, 'my.snapshot');
    cpSync(FILE, file);
    const { page, close } = await open('/web/examples/browser/index.html');
    await page.evaluate(() =>
      document.querySelector('input').addEventListener('change', (event) => event.stopImmediatePropagation(), true),
    );
    await page.setInputFiles('input', file);
    // Looked at once, so that the browser knows what the file was.
    await page.evaluate(() => document.querySelector('input').files[0].size);
    change(file);
    const plain = await page.evaluate(async () => {
      const { RollsnapError, inspectBlob } = await import('/web/pkg/web/rollsnap.mjs');
      return inspectBlob(document.querySelector('input').files[0]).catch((error) => RollsnapError.toPlain(error));
    });
    assert.deepEqual([plain.code, plain.at], [code, { path: 'my.snapshot' }]);
    await close();
    rmSync(place, { recursive: true });
  });
