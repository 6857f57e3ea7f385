// The parts of the page by name, the command palette, and the comparison of two snapshots.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { assertNoSideways, choose, done, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { example, exampleHeader, memberHeader, snapshot, truth } from './lib/snapshots.mjs';

const DENSE = readFileSync(new URL('../fixtures/replay/r5-dense.head.snapshot.gz', import.meta.url));

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

async function opened(t, name, bytes, options) {
  const page = await visit(t, browser, own.base, options);
  await choose(page, name, bytes);
  await done(page);
  return page;
}

const options = (page) =>
  page.$$eval('#palette-list [role=option]', (all) =>
    all.map((one) => [one.querySelector('.option-kind').textContent, one.querySelector('.option-name').textContent]),
  );
const focused = (page) => page.evaluate(() => document.activeElement.id);

test('the parts of the page have names, and lead to them', async (t) => {
  const page = await opened(t, 'example.snapshot', example);
  const names = await page.$$eval('#sections button', (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(names, ['Answer', 'Levels', 'State', 'Files', 'Evidence', 'Compare']);
  await page.click('#sections button:has-text("Evidence")');
  assert.equal(await focused(page), 'verdicts-title');
  await page.waitForSelector('#sections [aria-current]:has-text("Evidence")');
  await page.click('#again');
  assert.equal(await page.isVisible('#sections'), false);
});

test('the palette: a level, a hash, a key, a file, an action, by keyboard alone', async (t) => {
  const page = await opened(t, 'example.snapshot', example);
  const palette = async (text) => {
    await page.keyboard.press('Control+k');
    await page.waitForSelector('#palette[open]');
    await page.keyboard.type(text);
  };
  await palette('5 012');
  assert.deepEqual((await options(page))[0], ['Level', '5,012']);
  await look(page, 'palette');
  await page.keyboard.press('Enter');
  assert.match(await page.textContent('#level-line'), /^Level 5,012/);
  // A level that is not here is none.
  await palette('4999');
  assert.deepEqual(await options(page), []);
  assert.equal(await page.isVisible('#palette-none'), true);
  await page.keyboard.press('Escape');
  await palette(exampleHeader.last_commitment.slice(0, 14));
  assert.deepEqual(await options(page), [['Hash', exampleHeader.last_commitment]]);
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'claims-title');
  await palette('durable/long');
  assert.equal((await options(page))[0][0], 'Key');
  await page.keyboard.press('Escape');
  await palette('sqlite');
  assert.deepEqual(await options(page), [['File', 'store.sqlite']]);
  await page.keyboard.press('Enter');
  assert.equal(await page.textContent('#member-title'), 'store.sqlite');
  // One dialog at a time.
  await page.keyboard.press('Control+k');
  assert.equal(await page.$('#palette[open]'), null);
  await page.keyboard.press('Escape');
  await palette('another');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#start:not([hidden])');
  await palette('');
  assert.ok((await options(page)).every(([kind]) => kind === 'Action'));
});

test('two snapshots of one rollup, one of them read before', async (t) => {
  const page = await opened(t, 'head.snapshot', DENSE);
  await choose(page, 'example.snapshot', example);
  await page.waitForFunction(() => document.title.startsWith('example'));
  await done(page);
  await page.selectOption('#compare-kept', { index: 1 });
  await page.waitForSelector('#compare-body table');
  const rows = await page.$$eval('#compare-body tbody tr', (all) =>
    Object.fromEntries(all.map(({ cells }) => [cells[0].textContent, [cells[1].textContent, cells[2].textContent]])),
  );
  assert.deepEqual(rows.Rollup, [exampleHeader.rollup_address, 'the same']);
  const level = (header) => header.head_level.toLocaleString('en');
  assert.deepEqual(rows['Head level'], [level(truth.headers.finalized), level(truth.headers.head)]);
  assert.deepEqual(rows['Last commitment'], [
    truth.headers.finalized.last_commitment,
    truth.headers.head.last_commitment,
  ]);
  assert.match(await page.innerText('#compare-body'), /In both: 5,000 – 5,029, 30 levels/);
  await look(page, 'compare');
  await page.setViewportSize({ width: 390, height: 844 });
  await assertNoSideways(page);
  await look(page, 'compare-narrow');
});

test('the other file is read beside the first, which stays', async (t) => {
  const page = await opened(t, 'example.snapshot', example);
  const name = '<b>other</b>\u202e';
  const other = snapshot([
    ['metadata', Buffer.from('{}')],
    [`${name}/x`, Buffer.alloc(10)],
  ]);
  const give = (name, bytes) => page.setInputFiles('#compare-file', { name, mimeType: '', buffer: bytes });
  await give(name, other);
  await page.waitForSelector('#compare-body table');
  assert.equal(await page.title(), 'example.snapshot · rollsnap');
  assert.equal(await page.$('#compare-body b'), null);
  assert.match(await page.innerText('#compare-said'), /first difference: rollup/);
  assert.match(await page.innerText('#compare-body'), /Only in <b>other<\/b>\\u\{202e\}/);
  // What is no snapshot is said, and what was compared stays.
  await give('holiday.tar', Buffer.concat([memberHeader('holiday.jpg', 2), Buffer.alloc(2048)]));
  await page.waitForFunction(() => /holiday\.tar: /.test(document.querySelector('#compare-said').textContent));
  assert.equal(await page.isVisible('#compare-body table'), true);
});

test('forty thousand files are listed, searched and filtered', async (t) => {
  const page = await visit(t, browser, own.base);
  const files = Array.from({ length: 40_000 }, (_, at) => [
    `wasm_2_0_0/${String(at).padStart(64, '0')}`,
    Buffer.alloc(at % 7),
  ]);
  const bytes = snapshot(files);
  await page.evaluate(() => {
    globalThis.long = [];
    // Handing the bytes over is the work of the test, up to this event.
    document.querySelector('#file').addEventListener('change', () => (globalThis.begin = performance.now()));
    new PerformanceObserver((list) => {
      for (const { duration, startTime } of list.getEntries()) globalThis.long.push([duration, startTime]);
    }).observe({ type: 'longtask' });
  });
  await choose(page, 'many.snapshot', bytes);
  await done(page);
  assert.match(await page.textContent('#members-sum'), /^40,000 members/);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('000399');
  await page.waitForSelector('#palette-list [role=option]');
  await page.keyboard.press('Escape');
  await page.fill('#filter', '39999');
  assert.match(await page.textContent('.table-count'), /^1 of 40,000 members/);
  const long = await page.evaluate(() => globalThis.long.filter(([, start]) => start > globalThis.begin));
  t.diagnostic(
    `the longest tasks took ${long
      .map(([ms]) => Math.round(ms))
      .sort((a, b) => b - a)
      .slice(0, 5)
      .join(', ')} ms`,
  );
});
