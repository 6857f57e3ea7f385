// `#url=` of large files, on the server with faults: what is fetched, what is said of it, and what a server must allow.
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { exported, serveFaults } from '../js/support.mjs';
import { answers, fact, launch, look, visit } from './lib/browser.mjs';
import { sendFile, serveForeign, servePage } from './lib/server.mjs';
import { end, header, memberHeader, membersOf, sha256, snapshot } from './lib/snapshots.mjs';

const FAILED = ['Failed to load resource', 'blocked by CORS policy', 'net::ERR'];
const LISTED = 'Only the header and the list of members were read';
const BIG = 20_000_000_000;
const METADATA = Buffer.from('{"made":"for a test"}');

let browser;
let own;
let foreign;
let place;
/** An uncompressed snapshot of 20 GB: holes, but for the headers of its members and the small ones. */
let sparse;
before(async () => {
  [browser, own, foreign] = await Promise.all([launch(), servePage(), serveForeign()]);
  place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  sparse = join(place, 'sparse.full');
  const file = openSync(sparse, 'w');
  const padded = Buffer.concat([METADATA, Buffer.alloc(-METADATA.length & 511)]);
  const front = Buffer.concat([header, memberHeader('context/store.0.suffix', 2 ** 33 - 512)]);
  const middle = memberHeader('context/store.1.suffix', 2 ** 33 - 512);
  writeSync(file, front, 0, front.length, 0);
  const second = front.length + 2 ** 33 - 512;
  writeSync(file, middle, 0, middle.length, second);
  const third = second + 2 ** 33;
  const rest = BIG - third - 3 * 512 - end.length;
  const back = Buffer.concat([
    memberHeader('metadata', METADATA.length),
    padded,
    memberHeader('zeros', rest - (rest & 511)),
  ]);
  writeSync(file, back, 0, back.length, third);
  ftruncateSync(file, third + back.length + (rest - (rest & 511)) + end.length);
  closeSync(file);
});
after(async () => {
  await Promise.all([browser?.close(), own?.close(), foreign?.close()]);
  rmSync(place, { recursive: true });
});

const listed = (page) => page.waitForSelector(`#reading-title:text-is("${LISTED}")`);
const names = (page) => page.$$eval('button.name', (all) => all.map(({ textContent }) => textContent).sort());
const hash = (url) => `#url=${encodeURIComponent(url)}`;

/** What the page says that it fetched is what the server was asked for. */
async function assertHonest(page, count, most) {
  const { requests, body_bytes } = await count();
  const said = await page.textContent('#fetched');
  assert.match(said, new RegExp(`^${requests} requests?, `));
  assert.ok(requests <= most.requests, `${requests} requests`);
  assert.ok(body_bytes <= most.bytes, `${body_bytes} bytes`);
}

/** Opens the dialog of a member and waits for its SHA-256. */
async function digestOf(page, name) {
  await page.locator('button.name').filter({ hasText: name }).click();
  await page.click('#member-digest button:has-text("Compute")');
  await page.waitForSelector('#member-digest code');
  return page.textContent('#member-digest code');
}

for (const [options, note] of [
  [['--cors'], undefined],
  [['--expose', 'Content-Range'], /Access-Control-Expose-Headers: ETag/],
]) {
  test(`a file of 20 GB takes a few requests: ${options.join(' ')}`, async (t) => {
    const { origin, count } = await serveFaults(t, options, { 'sparse.full': sparse });
    const page = await visit(t, browser, own.base, { hash: hash(`${origin}/sparse.full`) });
    await listed(page);
    assert.deepEqual(await names(page), ['context/store.0.suffix', 'context/store.1.suffix', 'metadata', 'zeros']);
    assert.equal(await fact(page, 'size'), '20.0 GB');
    assert.equal(await fact(page, 'head_level'), '77');
    assert.deepEqual(await answers(page), { intact: 'unknown', consistent: 'unknown', anchored: 'unknown' });
    await assertHonest(page, count, { requests: 6, bytes: 1 << 20 });
    const figures = await page.textContent('#reading-figures');
    assert.match(figures, /when you ask for it: 20\.0 GB to download/);
    if (note) assert.equal(figures.split(note).length, 2, figures);
    else assert.doesNotMatch(figures, /lacks/);
    assert.equal(await page.isVisible('#trouble'), false);
    // Offered when there are verdicts.
    assert.doesNotMatch(await page.innerText('#import'), /rollsnap import/);
    await page.click('#tab-tree');
    await page.waitForSelector('.tree summary');
    await page.click('#tab-table');
    await look(page, 'address-listed');
    assert.equal(await digestOf(page, 'metadata'), sha256(METADATA));
    await assertHonest(page, count, { requests: 10, bytes: 8 << 20 });
  });
}

test('a compressed file with an index, in its header or beside it', async (t) => {
  const file = exported({ one: 2_000_000, two: 20_000_000, three: 100 });
  const plain = gunzipSync(file);
  const { origin, count } = await serveFaults(t, ['--cors'], { own: file });
  const page = await visit(t, browser, own.base, { hash: hash(`${origin}/own`) });
  await listed(page);
  const members = membersOf(plain);
  assert.equal((await names(page)).length, members.length);
  await assertHonest(page, count, { requests: members.length + 4, bytes: 12 << 20 });
  const three = members.find(({ name }) => name.endsWith('/three'));
  assert.equal(await digestOf(page, 'three'), sha256(three.data));
});

test('a server that hides Content-Range: the header, and the command line', async (t) => {
  const { origin, count } = await serveFaults(t, ['--expose', 'ETag'], { 'sparse.full': sparse });
  const page = await visit(t, browser, own.base, { hash: hash(`${origin}/sparse.full`) });
  await page.waitForSelector('#reading-title:text-is("Only the header was read")');
  assert.equal(await fact(page, 'head_level'), '77');
  // Which every page may see.
  assert.equal(await fact(page, 'size'), '20.0 GB');
  const text = await page.innerText('#trouble');
  assert.match(text, /Missing: Access-Control-Expose-Headers: Content-Range/);
  assert.ok(text.includes(`rollsnap ls ${origin}/sparse.full`), text);
  await assertHonest(page, count, { requests: 2, bytes: 1 << 17 });
  await look(page, 'address-hidden');
});

test('a server that forbids reading: which header is missing, and the command line', async (t) => {
  const { origin, count } = await serveFaults(t, [], { 'sparse.full': sparse });
  const page = await visit(t, browser, own.base, { hash: hash(`${origin}/sparse.full`), allow: FAILED });
  await page.waitForSelector('#trouble:not([hidden])');
  const text = await page.innerText('#trouble');
  assert.match(text, /http\.cors[\s\S]*Missing: Access-Control-Allow-Origin/);
  assert.ok(text.includes(`rollsnap info ${origin}/sparse.full`), text);
  assert.ok((await count()).requests <= 3);
});

test('a connection that breaks once is no refusal', async (t) => {
  const options = ['--cors', '--drop-before', '--first', '1', '--drop-after', '30000', '--first', '1'];
  const { origin } = await serveFaults(t, options, { 'sparse.full': sparse });
  const page = await visit(t, browser, own.base, { hash: hash(`${origin}/sparse.full`), allow: FAILED });
  await listed(page);
  assert.equal(await fact(page, 'head_level'), '77');
});

test('a file that is replaced while it is looked at', async (t) => {
  const bytes = snapshot([
    ['big', Buffer.alloc(17_000_000)],
    ['metadata', METADATA],
  ]);
  let etag = '"one"';
  foreign.answers.set('/replaced', (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range).map(Number);
    const part = bytes.subarray(from, to + 1);
    response
      .writeHead(206, {
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'Content-Range, ETag',
        'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}`,
        'content-length': part.length,
        etag,
      })
      .end(part);
  });
  const page = await visit(t, browser, own.base, { hash: hash(`${foreign.base}/replaced`) });
  await listed(page);
  etag = '"two"';
  await page.locator('button.name').filter({ hasText: 'metadata' }).click();
  await page.click('#member-digest button:has-text("Compute")');
  await page.waitForSelector('.task-failed');
  assert.match(await page.textContent('.task-failed'), /replaced/);
});

test('a server that is busy is asked again, and the page says so meanwhile', async (t) => {
  const send = sendFile(snapshot([['big', Buffer.alloc(17_000_000)]]));
  let busy = true;
  foreign.answers.set('/busy', (request, response) => {
    if (busy) response.writeHead(503, { 'access-control-allow-origin': '*' }).end();
    else send(request, response);
  });
  const page = await visit(t, browser, own.base, { hash: hash(`${foreign.base}/busy`), ready: false, allow: FAILED });
  await page.waitForFunction(() => /status 503.*trying again/.test(document.querySelector('#result-sub').textContent));
  busy = false;
  await listed(page);
  // What has passed is no remark about the file.
  assert.doesNotMatch(await page.textContent('#reading-figures'), /503/);
});

test('all of a file is read while the search for its members goes on', async (t) => {
  const bytes = snapshot([
    ['big', Buffer.alloc(17_000_000)],
    ['metadata', METADATA],
  ]);
  const send = sendFile(bytes);
  let waiting;
  const asked = new Promise((resolve) => (waiting = resolve));
  foreign.answers.set('/slow', (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range).map(Number);
    // The header of the second member never comes.
    if (from > 65536 && to - from < 1 << 20) waiting();
    else send(request, response);
  });
  const page = await visit(t, browser, own.base, { hash: hash(`${foreign.base}/slow`), ready: false });
  await asked;
  assert.match(await page.textContent('#reading-figures'), /^Looking for its members\./);
  await page.click('#reading-action:has-text("Read the whole file")');
  await page.waitForSelector('#report:not([hidden])');
  assert.equal((await answers(page)).intact, 'yes');
  assert.deepEqual(await names(page), ['big', 'metadata']);
  assert.equal(await page.isVisible('#trouble'), false);
});
