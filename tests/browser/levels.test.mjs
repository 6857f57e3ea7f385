// The strip of levels, and blocks run again in the page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { answers, assertNoSideways, choose, done, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { example, truth } from './lib/snapshots.mjs';

const REPLAY = new URL('../fixtures/replay/', import.meta.url);
const COMPACT = readFileSync(new URL('r5-dense-compact.head.snapshot.gz', REPLAY));
const DENSE = readFileSync(new URL('r5-dense.head.snapshot.gz', REPLAY));
const blockOf = (level) => truth.blocks.find((block) => block.level === level && block.canonical);

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

async function opened(t, name, bytes, options) {
  const page = await visit(t, browser, own.base, options);
  await choose(page, name, bytes);
  await done(page);
  return page;
}

const ran = (page) => page.waitForFunction(() => /run again/.test(document.querySelector('#replay-said').textContent));
const line = (page) => page.textContent('#level-line');

test('all blocks of the example are run again and agree', async (t) => {
  const page = await opened(t, 'example.snapshot', example);
  const first = truth.headers.finalized.head_level - 29;
  assert.match(await page.textContent('#levels-title'), new RegExp(`^Levels ${first.toLocaleString('en')} – `));
  assert.match(await line(page), /not run again yet/);
  assert.equal((await answers(page)).replayed, undefined);
  await page.click('.cell-ways button:has-text("Run its blocks again")');
  await page.click('#replay-go');
  await ran(page);
  await page.waitForSelector('[data-cell=replayed][data-answer=yes]');
  assert.equal((await answers(page)).replayed, 'yes');
  assert.match(await page.textContent('[data-cell=replayed] .cell-line'), /^29 of 29 blocks/);
  // What the fixture says of a level.
  await page.focus('#strip');
  await page.keyboard.press('Home');
  for (let pressed = 0; pressed < 3; pressed += 1) await page.keyboard.press('ArrowRight');
  const ticks = Number(blockOf(first + 3).num_ticks).toLocaleString('en');
  assert.ok((await line(page)).includes(`${ticks} ticks`), await line(page));
  assert.match(await page.getAttribute('#strip', 'aria-valuetext'), /^level 5,003, 22,000,000,000 ticks/);
  assert.ok((await line(page)).endsWith(`state ${blockOf(first + 3).state_hash}`), await line(page));
  const report = JSON.parse(await page.textContent('#report pre.preview'));
  assert.equal(report.verdicts.replayed, 'yes');
  assert.equal(report.replay.blocks, 29);
  assert.match(await page.textContent('#report .command pre'), /--replay all/);
  await look(page, 'replayed');
  await page.setViewportSize({ width: 390, height: 844 });
  await assertNoSideways(page);
  // Kept like the rest.
  await page.reload();
  await page.waitForSelector('[data-cell=replayed][data-answer=yes]');
});

test('some levels by keyboard: Shift and arrows select, Enter runs them again', async (t) => {
  const page = await opened(t, 'example.snapshot', example);
  await page.focus('#strip');
  await page.keyboard.press('Home');
  for (let pressed = 0; pressed < 4; pressed += 1) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  assert.equal(await page.textContent('#replay-go'), 'Run 5,004 – 5,006 again');
  await page.keyboard.press('Enter');
  await ran(page);
  assert.match(await page.textContent('#replay-said'), /^3 of 29 blocks run again: they agree/);
  assert.match(await page.textContent('#report .command pre'), /--replay 5004\.\.5006/);
  await page.keyboard.press('Home');
  assert.match(await line(page), /not run again yet/);
  await page.keyboard.press('Escape');
  assert.equal(await page.textContent('#replay-go'), 'Run all blocks again');
});

test('a compact snapshot is run again without a server', async (t) => {
  const page = await opened(t, 'compact.snapshot', COMPACT);
  await page.click('#replay-go');
  await ran(page);
  await page.waitForSelector('[data-cell=replayed][data-answer=yes]');
  assert.match(await page.textContent('#sentence'), /compact/);
});

test('the first difference is shown, and the import is not offered any more', async (t) => {
  const content = gunzipSync(DENSE);
  const hash = blockOf(5020).state_hash;
  const rows = content.indexOf('SQLite format 3');
  for (let from = content.indexOf(hash, rows); from >= 0; from = content.indexOf(hash, from + 1))
    content.write(blockOf(5019).state_hash, from, 'latin1');
  const page = await opened(t, 'other.snapshot', content);
  await page.click('#replay-go');
  await page.waitForSelector('#replay-found h3');
  assert.match(await page.innerText('#replay-found'), /level 5,020/);
  assert.match(await line(page), /5,020: does not agree/);
  assert.equal((await answers(page)).replayed, 'no');
  assert.equal(await page.getAttribute('#icon', 'href'), 'icon-no.svg');
  assert.doesNotMatch(await page.innerText('#import'), /rollsnap import/);
  await look(page, 'replay-differs');
});

test('a snapshot that cannot be run is no "no"', async (t) => {
  const bytes = readFileSync(new URL('../data-dir/v5-full.finalized.snapshot.gz', REPLAY));
  const page = await opened(t, 'made-up.snapshot', bytes);
  await page.click('#replay-go');
  await page.waitForSelector('#replay-found code');
  assert.match(await page.innerText('#replay-found'), /^Not checked: /);
  assert.equal((await answers(page)).replayed, undefined);
  assert.equal(await page.getAttribute('#answer', 'data-tone'), 'yes');
});

test('a level that never ends is stopped, and the page stays usable', async (t) => {
  const server = await servePage();
  t.after(() => server.close());
  server.replace = (name, bytes) =>
    name === 'js/replay/worker.js' ? 'addEventListener("message", () => { for (;;); });' : bytes;
  const page = await visit(t, browser, server.base);
  // The limit comes sooner.
  await page.addInitScript(() => {
    const wait = globalThis.setTimeout;
    globalThis.setTimeout = (work, ms, ...more) => wait(work, ms === 30_000 ? 200 : ms, ...more);
  });
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await choose(page, 'example.snapshot', example);
  await done(page);
  await page.click('#replay-go');
  await page.waitForFunction(() => /longer than 30 s/.test(document.querySelector('#replay-found').textContent));
  assert.equal(await page.textContent('#replay-go'), 'Run all blocks again');
  assert.match(await page.textContent('#replay-limit'), /30 s/);
});

test('a million levels are drawn, zoomed and gone through', async (t) => {
  const page = await visit(t, browser, own.base);
  const { longest, span } = await page.evaluate(async () => {
    const { Levels } = await import('./js/levels/model.js');
    const { Window, roundLevels } = await import('./js/levels/window.js');
    const { paint } = await import('./js/levels/paint.js');
    const levels = Levels.of({
      first_level: 1,
      head_level: 1_000_000,
      finalized_level: 999_990,
      last_cemented_level: null,
    });
    for (let level = 1; level <= 1_000_000; level += 3) levels.agree(level, BigInt(level));
    const canvas = document.body.appendChild(document.createElement('canvas'));
    canvas.style.cssText = 'display:block;width:1200px;height:200px';
    const window = new Window(levels.first, levels.last);
    let longest = 0;
    for (let step = 0; step < 24; step += 1) {
      const begin = performance.now();
      paint(canvas, { levels, window });
      longest = Math.max(longest, performance.now() - begin);
      window.zoom(0.5, 0.7);
    }
    if (roundLevels(1, 1_000_001, 10).length > 11) throw new Error('too many labels');
    canvas.remove();
    return { longest, span: window.span };
  });
  t.diagnostic(`the longest drawing took ${longest.toFixed(1)} ms`);
  assert.equal(span, 6);
});

test('stores that name no levels, one, or more than can be shown', async (t) => {
  const page = await visit(t, browser, own.base);
  const counts = await page.evaluate(async () => {
    const { Levels, MOST_LEVELS } = await import('./js/levels/model.js');
    const of = (first_level, head_level) => {
      const levels = Levels.of({ first_level, head_level, finalized_level: null, last_cemented_level: 2 ** 40 });
      return levels && [levels.count, levels.last, levels.marks.length];
    };
    return [of(null, 5), of(9, 5), of(7, 7), of(0, 2_147_483_647), of('1', 5), MOST_LEVELS];
  });
  assert.deepEqual(counts, [
    undefined,
    undefined,
    [1, 7, 0],
    [counts.at(-1), 2_147_483_647, 0],
    undefined,
    counts.at(-1),
  ]);
});

test('what the store records of each level is there before anything is run again', async (t) => {
  const page = await opened(t, 'example.snapshot', example);
  await page.waitForFunction(() => /recorded/.test(document.querySelector('#level-line').textContent));
  const first = truth.headers.finalized.head_level - 29;
  await page.focus('#strip');
  for (const at of [3, 10, 17]) {
    await page.keyboard.press('Home');
    for (let pressed = 0; pressed < at; pressed += 1) await page.keyboard.press('ArrowRight');
    const { num_ticks, commitment_hash } = blockOf(first + at);
    const said = await line(page);
    assert.ok(said.includes(`${Number(num_ticks).toLocaleString('en')} ticks recorded`), said);
    assert.equal(/commitment/.test(said), Boolean(commitment_hash), said);
  }
  await look(page, 'levels-recorded');
});
