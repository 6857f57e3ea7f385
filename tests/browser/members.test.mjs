// The members: table, tree, map, one of them, and the report.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { exported } from '../js/support.mjs';
import { choose, done, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { example, exampleHeader, exampleMembers, membersOf, sha256, snapshot } from './lib/snapshots.mjs';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const names = (page) => page.$$eval('button.name', (all) => all.map(({ textContent }) => textContent));
const bySize = [...exampleMembers].sort((a, b) => b.data.length - a.data.length).map(({ name }) => name);
const store = exampleMembers.find(({ name }) => name === 'store.sqlite');
const metadata = exampleMembers.find(({ name }) => name === 'metadata');

async function showExample(t, options) {
  const page = await visit(t, browser, own.base, options);
  await page.click('#example');
  await done(page);
  return page;
}

test('the table sorts and filters', async (t) => {
  const page = await showExample(t);
  assert.deepEqual(await names(page), bySize);
  assert.equal(await page.getAttribute('th[aria-sort=descending]', 'scope'), 'col');
  await page.click('button.head:has-text("Name")');
  assert.deepEqual(await names(page), [...bySize].sort());
  assert.match(await page.textContent('th[aria-sort=ascending]'), /Name/);
  await page.click('button.head:has-text("Name")');
  assert.deepEqual(await names(page), [...bySize].sort().reverse());
  await page.fill('#filter', 'STORE.D');
  assert.deepEqual((await names(page)).sort(), bySize.filter((name) => name.includes('store.d')).sort());
  await page.fill('#filter', 'nothing like this');
  assert.match(await page.innerText('#view-table tbody'), /No member has this in its name/);
});

test('the tree has every member, the map leads to them', async (t) => {
  const page = await showExample(t);
  await page.click('#tab-tree');
  for (const summary of await page.$$('.tree summary')) await summary.click();
  await page.click('.tree details details summary');
  await page.waitForFunction((count) => document.querySelectorAll('.leaf').length === count, exampleMembers.length);
  assert.deepEqual(
    (await page.$$eval('.leaf .tree-name', (all) => all.map(({ textContent }) => textContent))).sort(),
    exampleMembers.map(({ name }) => name.split('/').pop()).sort(),
  );
  await look(page, 'tree');
  const tile = page.getByRole('button', { name: /^context\/, directory, 6 members, 442 KB, 70 % of all$/ });
  await tile.click();
  assert.equal(await page.textContent('#crumbs [aria-current]'), 'context');
  await page.getByRole('button', { name: /^context\/store\.0\.suffix, 438 KB/ }).click();
  assert.equal(await page.textContent('#member-title'), 'context/store.0.suffix');
  await page.keyboard.press('Escape');
  await page.click('#crumbs button');
  assert.equal(await page.textContent('#crumbs [aria-current]'), 'All members');
});

test('one member: text at once, SHA-256 on demand, bytes in hexadecimal', async (t) => {
  const page = await showExample(t);
  await page.click('button.name:text-is("metadata")');
  await page.waitForSelector('#member-preview pre');
  assert.equal(await page.textContent('#member-preview pre'), metadata.data.toString());
  await page.click('#member-digest button:has-text("Compute")');
  assert.equal(await page.textContent('#member-digest code'), sha256(metadata.data));
  await look(page, 'member');
  await page.keyboard.press('Escape');
  await page.click('button.name:text-is("store.sqlite")');
  await page.click('#member-preview button');
  await page.waitForSelector('#member-preview pre');
  assert.match(
    await page.textContent('#member-preview pre'),
    /^0000 {2}53 51 4c 69 74 65 20 66 6f 72 6d 61 74 20 33 00 {2}SQLite format 3\./,
  );
  assert.match(await page.innerText('#member-preview'), /The first 512 bytes of 176 KB/);
  await look(page, 'member-binary');
});

test('the SHA-256 of every member', async (t) => {
  const page = await showExample(t);
  await page.click('#hash-all');
  await page.waitForFunction((count) => document.querySelectorAll('.digest').length === count, exampleMembers.length);
  const rows = await page.$$eval('#members tbody tr', (all) =>
    all.map((row) => [row.querySelector('.name').textContent, row.querySelector('.digest').textContent]),
  );
  assert.deepEqual(
    Object.fromEntries(rows),
    Object.fromEntries(exampleMembers.map(({ name, data }) => [name, sha256(data)])),
  );
});

test('a member is saved as a download', async (t) => {
  const page = await showExample(t);
  await page.click('button.name:text-is("store.sqlite")');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#member-save button')]);
  assert.equal(download.suggestedFilename(), 'store.sqlite');
  assert.equal(sha256(await readFile(await download.path())), sha256(store.data));
  await page.waitForFunction(
    (hash) => document.querySelector('#member-save').innerText.includes(hash),
    sha256(store.data),
  );
});

test('a member is streamed into a chosen file', async (t) => {
  const page = await showExample(t, { pickers: true });
  await page.evaluate(() => {
    globalThis.showSaveFilePicker = async ({ suggestedName }) =>
      (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
  });
  await page.click('button.name:text-is("store.sqlite")');
  await page.click('#member-save button');
  await page.waitForFunction(() => document.querySelector('#member-save').innerText.includes('Saved.'));
  const saved = await page.evaluate(async () => {
    const file = await (await (await navigator.storage.getDirectory()).getFileHandle('store.sqlite')).getFile();
    return [...new Uint8Array(await file.arrayBuffer())];
  });
  assert.equal(sha256(Buffer.from(saved)), sha256(store.data));
});

test('of a file with an index only the place of the member is read', async (t) => {
  const page = await visit(t, browser, own.base);
  const file = exported();
  const plain = gunzipSync(file);
  const wanted = membersOf(plain).filter(({ name }) => /three|metadata/.test(name));
  await choose(page, 'indexed.full', file);
  await done(page);
  await page.evaluate(
    (bytes) => (globalThis.chosen = new Blob([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))])),
    file.toString('base64'),
  );
  for (const { name, data } of wanted) {
    await page
      .locator('button.name')
      .filter({ hasText: name.split('/').at(-1) })
      .click();
    await page.click('#member-digest button');
    await page.waitForSelector('#member-digest code');
    assert.equal(await page.textContent('#member-digest code'), sha256(data));
    await page.keyboard.press('Escape');
    // The same by itself, with a file that counts what is read of it.
    const offset = data.byteOffset - plain.byteOffset;
    const { read, size, given } = await page.evaluate(
      async ({ name, offset }) => {
        const { oneMember, ready } = await import('./js/engine.js');
        await ready();
        const { chosen } = globalThis;
        let read = 0;
        let given = 0;
        const slice = (from, to) => {
          read += Math.min(to, chosen.size) - from;
          return chosen.slice(from, to);
        };
        const blob = { size: chosen.size, slice };
        const sink = (piece) => {
          given += piece.length;
          return true;
        };
        // Nothing reads it from its beginning.
        const source = { blob, stream: undefined, total: chosen.size, failed: (error) => error };
        await oneMember(source, { name, offset }, { sink, signal: new AbortController().signal, tell: () => {} });
        return { read, size: chosen.size, given };
      },
      { name, offset },
    );
    assert.equal(given, data.length);
    // A member of 2 MB may be in two of the spans, of 2 MiB each.
    assert.ok(read < 2 * (2 << 20) + (1 << 18) && read < size, `${name}: ${read} of ${size}`);
  }
});

test('the index beside a file is used when both are dropped or chosen', async (t) => {
  const place = await mkdtemp(path.join(tmpdir(), 'rollsnap-'));
  t.after(() => rm(place, { recursive: true }));
  // One that no writer of ours made: it holds no index of its own.
  const noise = Buffer.concat(Array.from({ length: 160 }, (_, at) => randomBytes(65536).fill(at, 0, 1)));
  const plain = snapshot([
    ['big', noise],
    ['metadata', Buffer.from('{"behind":"it"}')],
  ]);
  const file = path.join(place, 'whole.snapshot');
  await writeFile(file, gzipSync(plain));
  execFileSync(new URL('../../target/debug/rollsnap', import.meta.url).pathname, ['index', file], { stdio: 'ignore' });
  const page = await visit(t, browser, own.base);
  // In whatever order they come.
  await page.setInputFiles('#file', [`${file}.idx`, file]);
  await done(page);
  assert.match(await page.title(), /^whole\.snapshot /);
  const metadata = membersOf(plain).find(({ name }) => name === 'metadata');
  await page.click('button.name:text-is("metadata")');
  await page.click('#member-digest button');
  await page.waitForSelector('#member-digest code');
  assert.equal(await page.textContent('#member-digest code'), sha256(metadata.data));
  // The same by itself: nothing reads the file from its beginning.
  await page.evaluate(() =>
    document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'other', multiple: true })),
  );
  await page.setInputFiles('#other', [file, `${file}.idx`]);
  const { read, size, given } = await page.evaluate(async (offset) => {
    const { oneMember, ready } = await import('./js/engine.js');
    await ready();
    const [file, index] = document.querySelector('#other').files;
    let read = 0;
    let given = 0;
    const slice = (from, to) => {
      read += Math.min(to, file.size) - from;
      return file.slice(from, to);
    };
    const blob = { size: file.size, slice, beside: async () => index };
    const sink = (piece) => {
      given += piece.length;
      return true;
    };
    const source = { blob, stream: undefined, total: file.size, failed: (error) => error };
    await oneMember(source, { name: 'metadata', offset }, { sink, signal: new AbortController().signal, tell() {} });
    document.querySelector('#other').remove();
    return { read, size: file.size, given };
  }, metadata.data.byteOffset - plain.byteOffset);
  assert.equal(given, metadata.data.length);
  assert.ok(read < size / 2, `${read} of ${size}`);
});

test('a member behind the damage says why it cannot be had', async (t) => {
  const bytes = snapshot([
    ['metadata', Buffer.from('{}')],
    ['context/store.dict', Buffer.alloc(70_000, 65)],
  ]).subarray(0, 40_000);
  const page = await visit(t, browser, own.base);
  await choose(page, 'cut', bytes);
  await done(page);
  await page.locator('button.name', { hasText: 'store.dict' }).click();
  await page.click('#member-digest button');
  await page.waitForSelector('.task-failed');
  assert.match(await page.textContent('.task-failed'), /Unexpected end of file/);
});

test('the report is downloaded and copied, the command is copied', async (t) => {
  const page = await showExample(t, { permissions: ['clipboard-read', 'clipboard-write'] });
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#report-save')]);
  assert.equal(download.suggestedFilename(), 'example.snapshot.report.json');
  const text = await readFile(await download.path(), 'utf8');
  const report = JSON.parse(text);
  assert.equal(report.schema, 'rollsnap.report/1');
  assert.equal(report.header.rollup_address, exampleHeader.rollup_address);
  assert.equal(report.container.compressed_bytes, example.length);
  assert.equal(report.members.count, exampleMembers.length);
  assert.deepEqual(report.verdicts, { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
  await page.getByRole('button', { name: 'Copy the report' }).click();
  await page.waitForFunction(() => document.querySelector('#live').textContent === 'Copied the report');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
  await page.getByRole('button', { name: 'Copy the command to import this' }).click();
  await page.waitForFunction(() => document.querySelector('#live').textContent === 'Copied the command to import this');
  assert.equal(
    await page.evaluate(() => navigator.clipboard.readText()),
    'rollsnap import example.snapshot --data-dir DIR',
  );
  await page.getByRole('button', { name: 'Copy last commitment' }).click();
  await page.waitForFunction(() => document.querySelector('#live').textContent === 'Copied last commitment');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), exampleHeader.last_commitment);
});

test('sizes beyond the safe numbers are written in full', async (t) => {
  const page = await visit(t, browser, own.base);
  const text = await page.evaluate(async () => {
    const { toJson } = await import(new URL('js/report.js', document.baseURI));
    return toJson({ bytes: 2n ** 60n, text: '\u00011' });
  });
  assert.equal(text, '{\n  "bytes": 1152921504606846976,\n  "text": "\\u00011"\n}\n');
});
