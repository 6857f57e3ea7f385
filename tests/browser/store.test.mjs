// What the store records, on the page; and a snapshot with a store of version 4, which has all that one of
// version 5 has.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { answers, assertNoSideways, choose, done, fact, launch, look, visit } from './lib/browser.mjs';
import { ask, reportOf, serveLayer1 } from './lib/layer1.mjs';
import { servePage } from './lib/server.mjs';
import { example } from './lib/snapshots.mjs';

const DATA = new URL('../fixtures/data-dir/', import.meta.url);
const V4 = readFileSync(new URL('v4-full.head.snapshot.gz', DATA));
// What the program that made the snapshot recorded of it.
const MADE = JSON.parse(readFileSync(new URL('v4-full.expect.json', DATA), 'utf8'));

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const level = (value) => value.toLocaleString('en');

test('a snapshot with a store of version 4', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'mavkit.full', V4);
  await done(page);
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
  for (const panel of ['claims', 'verdicts', 'store', 'context', 'members', 'report'])
    assert.equal(await page.isVisible(`#${panel}`), true, panel);

  assert.equal(await page.textContent('[data-fact=store_version] dd'), '4Mavkit, or Octez before v21');
  const { levels, lcc } = MADE;
  assert.equal(await fact(page, 'store_first_level'), level(levels.first_available));
  assert.equal(await page.textContent('[data-fact=store_first_level] .more'), '20 levels up to the head');
  assert.equal(await fact(page, 'store_head_level'), level(levels.head));
  assert.equal(await fact(page, 'store_finalized_level'), level(levels.finalized));
  assert.equal(await fact(page, 'store_last_cemented'), lcc.hash);
  assert.match(
    await page.textContent('[data-fact=store_last_cemented] .more'),
    new RegExp(`for level ${level(lcc.level)}$`),
  );
  assert.equal(await fact(page, 'store_history_mode'), MADE.history_mode);

  assert.equal(
    await page.textContent('[data-code="store.version"] p'),
    'yes: the store has version 4 (Mavkit, or Octez before v21) store.version',
  );
  const evidence = await page.$$eval('[data-verdict=consistent] .check-yes', (all) =>
    all.map(({ dataset }) => dataset.code),
  );
  for (const code of [
    'chain.block',
    'messages.witness',
    'commitment.chain',
    'state.hash',
    'context.hash',
    'pre-image.hash',
  ])
    assert.ok(evidence.includes(code), code);
  assert.match(await page.textContent('#context-line'), /^\d+ commits · [\d,]+ objects/);
  assert.equal(await page.textContent('#subtrees-title'), 'Where the state of the head is');
  assert.match(await page.textContent('#members-sum'), /^\d+ members/);
  await look(page, 'store-v4');
  await page.setViewportSize({ width: 320, height: 640 });
  await assertNoSideways(page);
  await look(page, 'store-v4-narrow');
});

test('layer 1 is asked about it, and what it cemented last is compared with the store', async (t) => {
  const host = await serveLayer1(t, [], { of: 'v4-full' });
  // The stub answers by an error what it does not know, and the browser tells of it.
  const page = await visit(t, browser, own.base, { allow: ['Failed to load resource'] });
  await choose(page, 'mavkit.full', V4);
  await done(page);
  assert.match(await ask(page, host.base), /knows the last commitment/);
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'yes' });
  const { checks } = await reportOf(page);
  const [cemented] = checks.filter(({ code }) => code === 'l1.lcc');
  assert.deepEqual(
    [cemented.status, cemented.text],
    ['yes', `the last cemented commitment of layer 1, of level ${cemented.text.match(/\d{6}/)}, is in the store`],
  );
});

test('a copy button of the store by keyboard', async (t) => {
  const page = await visit(t, browser, own.base, { permissions: ['clipboard-read', 'clipboard-write'] });
  await choose(page, 'mavkit.full', V4);
  await done(page);
  for (
    let pressed = 0;
    pressed < 60 && !(await page.evaluate(() => document.activeElement?.matches('#store button')));
    pressed += 1
  )
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#store .copy-word:text-is("Copied")');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), MADE.lcc.hash);
});

test('a file that was cut says nothing of its store; the next one does', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'cut.full', V4.subarray(0, V4.length >> 1));
  await done(page);
  assert.deepEqual(await answers(page), { intact: 'no', consistent: 'unknown', anchored: 'unknown' });
  assert.equal(await page.isVisible('#store'), false);
  assert.match(
    await page.textContent('[data-verdict=consistent] .explained'),
    /the file is damaged before its store ends/,
  );
  await choose(page, 'example.snapshot', example);
  await page.waitForFunction(() => document.title.startsWith('example'));
  await done(page);
  assert.equal(await page.textContent('[data-fact=store_version] dd'), '5Octez since v21');
});
