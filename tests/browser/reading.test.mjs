// The reading: progress, stopping, files that are damaged, cut, or something else.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { answers, choose, done, fact, launch, look, visit } from './lib/browser.mjs';
import { serveForeign, servePage } from './lib/server.mjs';
import { end, example, exampleHeader, exampleMembers, header, memberHeader, snapshot } from './lib/snapshots.mjs';

let browser, own, foreign;
before(async () => ([browser, own, foreign] = await Promise.all([launch(), servePage(), serveForeign()])));
after(() => Promise.all([browser.close(), own.close(), foreign.close()]));

const ALLOWED = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Content-Range' };
const codes = (page) => page.$$eval('[data-verdict=intact] .check-no', (all) => all.map(({ dataset }) => dataset.code));
const names = (page) => page.$$eval('button.name', (all) => all.map(({ textContent }) => textContent).sort());

/** Answers requests for parts as long as they are short, with zeros behind `first`; the rest of the file is up to `send(response, from)`. */
const twoSteps = (total, first, send) => (request, response) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range).map(Number);
  const last = Math.min(to, total - 1);
  const length = last - from + 1;
  response.writeHead(206, { ...ALLOWED, 'content-range': `bytes ${from}-${last}/${total}`, 'content-length': length });
  if (length > 2 << 20) return send(response, from);
  const known = first.subarray(from, last + 1);
  response.end(Buffer.concat([known, Buffer.alloc(length - known.length)]));
};

test('a reading that is stopped keeps what was seen', async (t) => {
  const seen = snapshot([
    ['metadata', Buffer.from('{}')],
    ['storage/x', Buffer.alloc(3000, 1)],
  ]).subarray(0, -1024);
  const half = Buffer.concat([seen, memberHeader('context/store.0.suffix', 50_000_000), Buffer.alloc(25_000_000)]);
  foreign.answers.set(
    '/held',
    twoSteps(2 * half.length, half, (response, from) => response.write(half.subarray(from))),
  );
  const page = await visit(t, browser, own.base, { hash: `#url=${foreign.base}/held` });
  await page.click('#reading-action:has-text("Read the whole file")');
  await page.waitForFunction(() => document.querySelector('#reading-percent').textContent === '50 %');
  assert.match(await page.textContent('#reading-figures'), /^25\.0 MB of 50\.0 MB/);
  assert.equal((await answers(page)).intact, 'reading');
  await look(page, 'reading');
  await page.click('#reading-action:has-text("Cancel")');
  await page.waitForFunction(() => document.querySelector('#reading-title').textContent === 'Stopped');
  assert.deepEqual(await answers(page), { intact: 'unknown', consistent: 'unknown', anchored: 'unknown' });
  assert.deepEqual(await names(page), ['context/store.0.suffix', 'metadata', 'storage/x']);
  assert.equal(await fact(page, 'head_level'), '77');
  assert.equal(await page.textContent('#live'), 'Stopped.');
  await look(page, 'stopped');
});

test('a broken connection is reported as one', async (t) => {
  const first = Buffer.concat([header, memberHeader('metadata', 40_000_000), Buffer.alloc(200_000)]);
  let cut;
  // A server that sends no parts: what was lost cannot be asked for again.
  foreign.answers.set('/broken', (_, response) => {
    response.writeHead(200, { ...ALLOWED, 'content-length': 41_000_000 });
    response.write(first);
    cut = () => response.destroy();
  });
  const page = await visit(t, browser, own.base, { hash: `#url=${foreign.base}/broken`, allow: ['net::ERR'] });
  await page.click('#reading-action:has-text("Read the whole file")');
  await page.waitForSelector('button.name');
  cut();
  await page.waitForSelector('#trouble:not([hidden])');
  assert.match(await page.innerText('#trouble'), /remote\.unreachable/);
  assert.deepEqual(await names(page), ['metadata']);
  assert.equal((await answers(page)).intact, 'unknown');
});

test('a file that is cut shows its header and the members before the cut', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'cut.full', example.subarray(0, 190_000));
  await done(page);
  assert.equal(await fact(page, 'head_level'), exampleHeader.head_level.toLocaleString('en'));
  assert.equal((await answers(page)).intact, 'no');
  assert.deepEqual(await codes(page), ['gzip.truncated']);
  assert.match(await page.innerText('#import'), /refuses to import it/);
  const seen = await names(page);
  const all = exampleMembers.map(({ name }) => name);
  assert.ok(seen.length > 3 && seen.length < all.length);
  assert.deepEqual(seen, all.slice(0, seen.length).sort());
  await look(page, 'cut');
});

test('a damaged file: what, where, expected, found, and what to do', async (t) => {
  const bytes = snapshot([
    ['metadata', Buffer.from('{}')],
    ['storage/x', Buffer.from('x')],
  ]);
  bytes[58 + 1024] ^= 1; // the first letter of the second name
  const page = await visit(t, browser, own.base);
  await choose(page, 'damaged', bytes);
  await done(page);
  assert.equal((await answers(page)).intact, 'no');
  const check = page.locator('.check-no[data-code="tar.checksum"]');
  const text = await check.innerText();
  assert.match(text, /byte 1,082 of the decompressed stream/);
  for (const word of ['Expected', 'Found', 'What to do']) assert.ok(text.includes(word), text);
  await look(page, 'damaged');
});

const EVM = Buffer.concat([Buffer.from('OCTEZ_EVM_node_snapshot\x01'), Buffer.alloc(2000, 3)]);
const DESYNC = Buffer.concat([Buffer.from('3000000000000000f99f127b9c4d8296', 'hex'), Buffer.alloc(600)]);
const OTHERS = [
  ['header.evm-node', 'evm', EVM],
  ['header.desync', 'index', DESYNC],
  ['header.l1-node', 'l1', Buffer.concat([memberHeader('snapshot_version.json', 2), Buffer.alloc(512), end])],
  ['header.foreign', 'tar', Buffer.concat([memberHeader('holiday.jpg', 2), Buffer.alloc(512), end])],
  ['header.foreign', 'html', Buffer.from('<!doctype html><title>502 Bad Gateway</title>'.repeat(30))],
  ['header.short', 'short', header.subarray(0, 30)],
  ['file.empty', 'empty', Buffer.alloc(0)],
];

test('what is no snapshot is named in the words of the one table', async (t) => {
  const page = await visit(t, browser, own.base);
  const rows = await page.evaluate(async () => {
    const { codes, init } = await import(new URL('pkg/rollsnap.mjs', document.baseURI));
    await init();
    return codes();
  });
  for (const [code, name, bytes] of OTHERS) {
    await choose(page, name, bytes);
    await page.waitForFunction(
      (name) => document.title.startsWith(name) && !document.querySelector('#trouble').hidden,
      name,
    );
    const text = (await page.innerText('#trouble')).toLowerCase();
    const { title, advice } = rows.find((row) => row.code === code);
    for (const part of [code, title, advice])
      assert.ok(text.includes(part.toLowerCase()), `${name}: ${part} in ${text}`);
    assert.equal(await page.isVisible('#claims'), false);
    if (name === 'evm') await look(page, 'not-a-snapshot');
  }
});

test('a file that is changed or removed after it was chosen', async (t) => {
  const place = await mkdtemp(path.join(tmpdir(), 'rollsnap-'));
  t.after(() => rm(place, { recursive: true }));
  const page = await visit(t, browser, own.base);
  await page.evaluate(() =>
    document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'other' })),
  );
  // A file of the disk, as the page gets it: the test decides when.
  const hold = async (name) => {
    const file = path.join(place, name);
    await writeFile(file, example);
    await page.setInputFiles('#other', file);
    // Chromium notes size and date when they are first asked for.
    assert.equal(await page.$eval('#other', (input) => input.files[0].size), example.length);
    return file;
  };
  const drop = () =>
    page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(document.querySelector('#other').files[0]);
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
  for (const [name, spoil] of [
    ['changed', (file) => writeFile(file, 'something else')],
    ['removed', (file) => rm(file)],
  ]) {
    await spoil(await hold(name));
    await drop();
    await page.waitForFunction(
      (name) => document.title.startsWith(name) && !document.querySelector('#trouble').hidden,
      name,
    );
    // Which of the two it was, browsers tell differently.
    assert.match(await page.innerText('#trouble'), /(source\.changed|io\.not-found)[\s\S]*Choose it again/);
  }
  const file = await hold('later');
  await drop();
  await page.waitForFunction(() => document.title.startsWith('later'));
  await done(page);
  await writeFile(file, 'something else');
  await page.click('button.name:text-is("metadata")');
  await page.click('#member-digest button');
  await page.waitForSelector('.task-failed');
  assert.match(await page.textContent('.task-failed'), /Choose it again/);
  await page.keyboard.press('Escape');
  await page.click('#again');
  await rm(file);
  await drop();
  await page.waitForSelector('#trouble:not([hidden])');
  await page.$eval('#other', (input) => input.remove());
  await look(page, 'file-gone');
});

test('a file that somebody writes to while it is read gives no verdict', async (t) => {
  const place = await mkdtemp(path.join(tmpdir(), 'rollsnap-'));
  t.after(() => rm(place, { recursive: true }));
  const file = path.join(place, 'growing.full');
  // Holes take no space, and reading them takes long enough.
  const SIZE = 3_000_000_000;
  const first = Buffer.concat([header, memberHeader('context/store.0.suffix', SIZE - (SIZE & 511))]);
  const page = await visit(t, browser, own.base);
  for (const [name, spoil] of [
    ['written', () => appendFile(file, 'more')],
    ['cut', () => truncate(file, SIZE / 2)],
    ['removed', () => rm(file)],
  ]) {
    await writeFile(file, first);
    await truncate(file, SIZE);
    await page.setInputFiles('#file', file);
    await page.waitForFunction(() => {
      const { value } = document.querySelector('#reading-bar');
      return value > 0.01 && value < 0.3;
    });
    await spoil();
    await page.waitForSelector('#trouble:not([hidden])');
    const text = await page.innerText('#trouble');
    assert.match(text, /source\.changed/, `${name}: ${text}`);
    assert.doesNotMatch(text, /standard input|stop the node first/);
    assert.equal((await answers(page)).intact, 'unknown');
    assert.equal(await page.getAttribute('#answer', 'data-tone'), 'unknown');
  }
});

test('a hundred thousand members and 256 MB in little memory', async (t) => {
  const COUNT = 100_000;
  const BIG = 256 * 1024 * 1024;
  const names = Array.from({ length: COUNT }, (_, index) =>
    memberHeader(`wasm_2_0_0/${String(index).padStart(64, '0')}`, 0),
  );
  const first = Buffer.concat([header, ...names, memberHeader('context/store.0.suffix', BIG)]);
  const chunk = Buffer.alloc(1 << 20, 5);
  foreign.answers.set(
    '/big',
    twoSteps(first.length + BIG + end.length, first, async (response, from) => {
      response.write(first.subarray(from));
      for (let sent = 0; sent < BIG; sent += chunk.length) {
        if (!response.write(chunk)) await new Promise((resume) => response.once('drain', resume));
      }
      response.end(end);
    }),
  );
  const page = await visit(t, browser, own.base, { hash: `#url=${foreign.base}/big` });
  await page.click('#reading-action:has-text("Read the whole file")');
  await done(page);
  assert.equal((await answers(page)).intact, 'yes');
  assert.equal(await page.textContent('.table-count'), '100,001 members');
  assert.match(await page.textContent('.pager'), /Rows 1 to 100 of 100,001/);
  const memory = Number(await page.getAttribute('#reading', 'data-memory'));
  assert.ok(memory > 0 && memory <= 16 * 1024 * 1024, `the reader took ${memory} bytes of memory`);
  await page.fill('#filter', '099999');
  assert.equal(await page.textContent('.table-count'), '1 of 100,001 members');
  await page.fill('#filter', '');
  await page.click('.pager button:has-text("Next")');
  assert.match(await page.textContent('.pager'), /Rows 101 to 200 of/);
  await look(page, 'many-members');
});
