// The answer bar: one sentence and the verdicts, on the first screen, never better than what was found.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { choose, done, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { memberHeader, snapshot } from './lib/snapshots.mjs';

const DATA = new URL('../fixtures/data-dir/', import.meta.url);
const GOOD = readFileSync(new URL('v5-full.finalized.snapshot.gz', DATA));
const COMPACT = readFileSync(new URL('v5-full-compact.finalized.snapshot.gz', DATA));
const { headers } = JSON.parse(readFileSync(new URL('v5-full.expect.json', DATA), 'utf8'));

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

/** One bit of the compressed data is another: the checksum at the end does not match. */
const flipped = () => {
  const bytes = Buffer.from(GOOD);
  bytes[bytes.length - 6] ^= 1;
  return bytes;
};
const cut = () => GOOD.subarray(0, GOOD.length >> 1);

/** What the cells say, and which icon the tab has. */
const seen = (page) =>
  page.evaluate(() => ({
    sentence: document.querySelector('#sentence').textContent,
    tone: document.querySelector('#answer').dataset.tone,
    icon: document.querySelector('#icon').getAttribute('href'),
    title: document.title,
    cells: Object.fromEntries(
      [...document.querySelectorAll('[data-cell]')].map(({ dataset }) => [dataset.cell, dataset.answer]),
    ),
  }));

for (const [width, height] of [
  [1440, 900],
  [1100, 800],
  [390, 844],
]) {
  test(`the answer is on the first screen, ${width} pixels wide`, async (t) => {
    const page = await visit(t, browser, own.base, { viewport: { width, height } });
    for (const [name, bytes, tone] of [
      ['good.snapshot', GOOD, 'yes'],
      ['compact.snapshot', COMPACT, 'yes'],
      ['flipped.snapshot', flipped(), 'no'],
    ]) {
      await choose(page, name, bytes);
      await page.waitForFunction((name) => document.title.startsWith(name), name);
      await done(page);
      const lowest = await page.$$eval('#sentence, #sentence-more, .cell-name, .cell-answer', (all) =>
        Math.max(...all.map((one) => one.getBoundingClientRect().bottom)),
      );
      assert.ok(lowest <= height, `${name}: the answer ends at ${lowest} of ${height} pixels`);
      assert.equal((await seen(page)).tone, tone);
      await look(page, `answer-${name.replace('.snapshot', '')}-${width}`);
    }
  });
}

test('a damaged file colours bar and icon, and is not offered for import', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'flipped', flipped());
  await done(page);
  const found = await seen(page);
  assert.deepEqual(found.cells, { intact: 'no', consistent: 'unknown', anchored: 'unknown' });
  assert.equal(found.icon, 'icon-no.svg');
  assert.equal(found.title, 'flipped ✗ · rollsnap');
  assert.match(found.sentence, /^Damaged/);
  assert.doesNotMatch(await page.innerText('#import'), /rollsnap import/);
  assert.equal(await page.getAttribute('#reading', 'data-tone'), 'no');
  // The next file has an icon of its own.
  await choose(page, 'good', GOOD);
  await page.waitForFunction(() => document.title.startsWith('good'));
  await done(page);
  assert.equal((await seen(page)).icon, 'icon-yes.svg');
  assert.match(await page.innerText('#import'), /rollsnap import good --data-dir DIR/);
});

test('the bar ends where the reading ended', async (t) => {
  const page = await visit(t, browser, own.base);
  const value = () => page.$eval('#reading-bar', (bar) => bar.value);
  const bytes = snapshot([
    ['metadata', Buffer.from('{}')],
    ['storage/x', Buffer.alloc(100_000, 1)],
    ['storage/y', Buffer.alloc(100_000, 1)],
  ]);
  const third = bytes.indexOf(memberHeader('storage/y', 100_000));
  bytes[third] ^= 1;
  await choose(page, 'half', bytes);
  await done(page);
  const part = third / bytes.length;
  assert.ok(Math.abs((await value()) - part) < 0.01, `${await value()} and ${part}`);
  assert.equal(await page.textContent('#reading-percent'), `${Math.floor(100 * part)} %`);
  assert.equal(await page.textContent('#reading-title'), 'Read as far as it can be read');
  await choose(page, 'cut', cut());
  await page.waitForFunction(() => document.title.startsWith('cut'));
  await done(page);
  assert.match((await seen(page)).sentence, /^Cut short/);
});

test('compact stands in the headline, and a remark is no check that holds', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'compact', COMPACT);
  await done(page);
  assert.match((await seen(page)).sentence, /compact/);
  assert.equal(await page.textContent('#result-sub .tag'), 'compact');
  assert.match(await page.innerText('#remarks'), /^1 remark: /);
  const counts = await page.$eval('[data-verdict=consistent] .evidence', (evidence) => ({
    said: evidence.querySelector('summary').textContent,
    yes: evidence.querySelectorAll('.check-yes').length,
    warning: evidence.querySelectorAll('.check-warning').length,
  }));
  assert.equal(counts.warning, 2);
  assert.ok(counts.said.startsWith(`Evidence: ${counts.yes} checks hold, 2 have a remark`), counts.said);
});

test('an expected commitment: the same one, another one, and one that is mistyped', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'good', GOOD);
  await done(page);
  const right = headers.finalized.last_commitment;
  const compare = async (text) => {
    await page.click('.cell-ways button:has-text("Compare"), #expected');
    await page.fill('#expected', text);
    await page.keyboard.press('Enter');
  };
  const at = right.length - 9;
  const swapped = right.slice(0, at) + right[at + 1] + right[at] + right.slice(at + 2);
  assert.notEqual(swapped, right);
  for (const [text, words] of [
    [swapped, /mistyped: the checksum does not match/],
    [right.slice(0, -1), /54 characters/],
    [right.replace('src1', 'sr1'), /begins with src1/],
    [`${right.slice(0, 20)}0${right.slice(21)}`, /mistyped/],
  ]) {
    await compare(text);
    await page.waitForFunction(
      (text) => new RegExp(text).test(document.querySelector('#expected-error').textContent),
      words.source,
    );
    assert.equal((await seen(page)).cells.anchored, 'unknown', text);
  }
  await compare(right);
  await page.waitForSelector('[data-cell=anchored][data-answer=yes]');
  assert.match((await seen(page)).sentence, /the one that you expect/);
  await compare('src12kHDDmmdbAGMsGMWuZY7iFLKndLUg13ABPNWAh6Cm3EdjW8bjx');
  await page.waitForSelector('[data-cell=anchored][data-answer=no]');
  const { tone, icon, sentence } = await seen(page);
  assert.deepEqual([tone, icon], ['no', 'icon-no.svg']);
  assert.match(sentence, /not the snapshot that you expect/);
  assert.doesNotMatch(await page.innerText('#import'), /rollsnap import/);
});

test('links to explorers name their chain and lead to pages for people', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'good', GOOD);
  await done(page);
  const links = await page.$$eval('#claims a', (all) => all.map(({ href, textContent }) => [href, textContent]));
  assert.ok(links.length > 0);
  for (const [href, text] of links) {
    assert.match(text, /Tezos (Mainnet|Ghostnet)/);
    assert.doesNotMatch(new URL(href).host, /^api\./);
  }
});
