// The state explorer: what the command line says of the same keys, levels and differences.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { choose, done, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { membersOf } from './lib/snapshots.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;
const FILE = join(ROOT, 'tests/fixtures/data-dir/v5-archive.head.snapshot.gz');
const COMPACT = join(ROOT, 'tests/fixtures/data-dir/v5-full-compact.finalized.snapshot.gz');

let browser;
let own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const rollsnap = (...words) =>
  execFileSync(join(ROOT, 'target/debug/rollsnap'), ['context', ...words, '-q'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });

async function opened(t, file = FILE) {
  const page = await visit(t, browser, own.base);
  await choose(page, 'a.snapshot', readFileSync(file));
  await done(page);
  return page;
}

const names = (page) => page.locator('#state-keys .tree-name').allTextContents();
const open = (page, name) => page.locator('#state-keys .state-leaf', { hasText: name }).first().click();
const crumb = (page, name) => page.locator('#state-crumbs [aria-current]', { hasText: name }).waitFor();

test('keys, and what one holds', async (t) => {
  const page = await opened(t);
  await page.locator('#state-keys .state-leaf').first().waitFor();
  assert.deepEqual((await names(page)).toSorted(), ['kernel/', 'readonly/', 'state/', 'zero']);
  await open(page, 'state/');
  await crumb(page, 'state');
  const listed = rollsnap('ls', FILE, '/state').toString();
  const here = await names(page);
  assert.ok(here.length > 5);
  for (const name of here) assert.ok(listed.includes(name.replace(/\/$/, '')), name);
  const key = here.find((name) => name.startsWith('block_'));
  await open(page, key);
  await page.locator('#state-value pre').waitFor();
  const value = rollsnap('cat', FILE, `/state/${key}`);
  const drawn = await page.locator('#state-value pre').textContent();
  const first = [...value.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  assert.ok(drawn.includes(first) || drawn === value.toString(), drawn.slice(0, 80));
  await look(page, 'state');
});

test('the keys are one stop of the keyboard', async (t) => {
  const page = await opened(t);
  await page.locator('#state-keys .state-leaf').first().focus();
  const there = await names(page);
  await page.keyboard.press('End');
  const focused = () => page.evaluate(() => document.activeElement.querySelector('.tree-name')?.textContent);
  assert.equal(await focused(), there.at(-1));
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.locator('#state-crumbs button').first().waitFor();
  assert.notDeepEqual(await names(page), there);
  assert.equal(await focused(), (await names(page))[0]);
  await page.keyboard.press('Backspace');
  await page.waitForFunction(() => !document.querySelector('#state-crumbs button'));
  assert.deepEqual(await names(page), there);
});

test('a value and its proof are saved, and the command line checks the proof', async (t) => {
  const page = await opened(t);
  await open(page, 'state/');
  await crumb(page, 'state');
  const key = (await names(page)).find((name) => name.startsWith('block_'));
  await open(page, key);
  const bytesOf = async (button) => {
    const coming = page.waitForEvent('download');
    await page.locator('#state-value button', { hasText: button }).click();
    return readFileSync(await (await coming).path());
  };
  assert.deepEqual(await bytesOf('Save the value'), rollsnap('cat', FILE, `/state/${key}`));
  const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  t.after(() => rmSync(place, { recursive: true }));
  const proof = join(place, 'proof');
  writeFileSync(proof, await bytesOf('Save a proof'));
  assert.match(rollsnap('check-proof', proof, `/state/${key}`).toString(), /present/);
});

test('what has changed since another level, and a level that is not there', async (t) => {
  const page = await opened(t);
  await page.locator('#state-keys .state-leaf').first().waitFor();
  const head = Number(await page.inputValue('#state-level'));
  const before = head - 3;
  await page.fill('#diff-level', String(before));
  await page.locator('#diff-form button').click();
  await page.locator('#diff-line').waitFor();
  const theirs = JSON.parse(rollsnap('diff', FILE, '--from', String(before), '--to', String(head), '--json'));
  assert.match(
    await page.locator('#diff-line').textContent(),
    new RegExp(`${theirs.added} added, ${theirs.removed} removed, ${theirs.changed} changed`),
  );
  const paths = await page.locator('#diff-found .tree-name').allTextContents();
  assert.deepEqual(paths.toSorted(), theirs.changes.map(({ path }) => path).toSorted());

  const said = () => page.textContent('#state-said');
  const atHead = await said();
  assert.match(atHead, /^srs1/);
  await page.fill('#state-level', String(before));
  await page.locator('#state-form button').click();
  await page.waitForFunction((old) => document.querySelector('#state-said').textContent !== old, atHead);
  assert.match(await said(), /^srs1/);
  await page.fill('#state-level', '5');
  await page.locator('#state-form button').click();
  await page.waitForFunction(() => !document.querySelector('#state-said').textContent.startsWith('srs1'));
  assert.match(await said(), /level/i);
  assert.ok((await names(page)).length > 0, 'what was there stays');
});

test('the tables of the store, as sqlite3 reads them', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  t.after(() => rmSync(place, { recursive: true }));
  const database = join(place, 'store.sqlite');
  writeFileSync(database, membersOf(gunzipSync(readFileSync(FILE))).find(({ name }) => name === 'store.sqlite').data);
  const sql = (text) => execFileSync('sqlite3', ['-nullvalue', 'null', database, text], { encoding: 'utf8' }).trim();
  const page = await opened(t);
  await page.locator('#tables').waitFor();
  const names = await page.locator('#table-name option').allTextContents();
  const theirs = sql("select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name");
  assert.deepEqual(names.filter((name) => !name.startsWith('sqlite_')).toSorted(), theirs.split('\n'));
  await page.selectOption('#table-name', 'l2_blocks');
  await page.waitForFunction(() => document.querySelector('#table-rows caption').textContent === 'Rows of l2_blocks');
  const columns = await page.locator('#table-rows th').allTextContents();
  const at = columns.indexOf('level');
  const levels = await page.locator(`#table-rows tbody td:nth-child(${at + 1})`).allTextContents();
  assert.deepEqual(levels, sql('select level from l2_blocks order by rowid limit 50').split('\n'));
  await look(page, 'tables');
});

test('a compact snapshot has the state of its commitment alone', async (t) => {
  const page = await opened(t, COMPACT);
  await page.waitForFunction(
    () => document.querySelector('#state-said').textContent || document.querySelector('#explorer').hidden,
  );
  assert.ok(await page.locator('#answer').isVisible());
});
