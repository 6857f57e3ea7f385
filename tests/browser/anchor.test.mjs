// Consistent and Anchored: the chain checked in the page, layer 1 asked when the visitor says so.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answers, choose, done, launch, look, visit } from './lib/browser.mjs';
import { ARCHIVE, EXPECTED, ask, serveLayer1 } from './lib/layer1.mjs';
import { servePage } from './lib/server.mjs';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

async function opened(t, options) {
  const page = await visit(t, browser, own.base, options);
  await choose(page, 'v5-archive.snapshot', ARCHIVE);
  await done(page);
  return page;
}

test('a good snapshot is consistent, with the evidence', async (t) => {
  const page = await opened(t);
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
  const codes = await page.$$eval('[data-verdict=consistent] .check-yes', (all) =>
    all.map(({ dataset }) => dataset.code),
  );
  assert.deepEqual(codes.toSorted(), [
    'chain.block',
    'commitment.chain',
    'context.hash',
    'messages.witness',
    'pre-image.hash',
    'state.hash',
  ]);
  assert.match(
    await page.textContent('[data-verdict=consistent] .evidence'),
    /24 blocks from level 1000 to 1023 follow each other/,
  );
  await look(page, 'consistent');
});

test('layer 1 is asked when the button is pressed, not before', async (t) => {
  const host = await serveLayer1(t);
  // Of a level before the publication the node says so with status 500.
  const page = await opened(t, { allow: ['Failed to load resource'] });
  await page.fill('#layer1', host.base);
  assert.deepEqual(host.asked, []);
  // By keyboard.
  await page.focus('#layer1');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-verdict=anchored][data-answer=yes]');
  assert.match(
    await page.textContent('[data-verdict=anchored] .evidence'),
    /layer 1 knows the last commitment, seen at level 1023/,
  );
  assert.match(await page.textContent('#live'), /^Anchored: yes\. 127\.0\.0\.1:\d+ knows the last commitment\.$/);
  const levels = host.asked.filter(({ url }) => url.includes('/commitment/')).map(({ url }) => url.split('/')[4]);
  assert.deepEqual(levels, ['1013', '1023']);
  assert.ok(host.asked.every(({ cookie, referer }) => !cookie && !referer));
  await look(page, 'anchored');
});

test('a commitment that layer 1 does not know', async (t) => {
  const host = await serveLayer1(t, ['--unknown', EXPECTED.last_commitment]);
  const page = await opened(t, { allow: ['Failed to load resource'] });
  assert.equal(await ask(page, host.base), `${new URL(host.base).host} does not know the last commitment.`);
  assert.match(
    await page.textContent('[data-verdict=anchored] .check'),
    /Could not locate commitment .* on L1 between levels 1013 and 1029 \(step 10\)/,
  );
  assert.equal((await answers(page)).anchored, 'no');
});

test('no answer is told apart from no', async (t) => {
  const page = await opened(t, { allow: ['Failed to load resource', 'CORS policy'] });
  for (const [name, switches, options, words] of [
    ['first', ['--forbid-rollup'], {}, /does not serve smart rollup storage/],
    ['second', ['--forbid-levels'], {}, /does not serve its savepoint/],
    ['third', [], { cors: false }, /does not let web pages read its answers \(CORS\)/],
  ]) {
    const host = await serveLayer1(t, switches, options);
    assert.match(await ask(page, host.base), words);
    assert.equal((await answers(page)).anchored, 'unknown');
    await choose(page, `${name}.snapshot`, ARCHIVE);
    await page.waitForFunction((name) => document.title.startsWith(name), name);
    await done(page);
  }
  assert.match(await ask(page, 'http://127.0.0.1:1'), /cannot be reached/);
  await page.fill('#layer1', 'node.example');
  await page.click('#layer1-go');
  assert.match(await page.textContent('#layer1-error'), /This is not an address/);
  await look(page, 'no-answer');
});

test('the commitment that the visitor expects', async (t) => {
  const page = await opened(t);
  await page.fill('#expected', EXPECTED.last_commitment);
  await page.keyboard.press('Enter');
  // The module that compares is loaded now.
  await page.waitForSelector('[data-verdict=anchored][data-answer=yes]');
  await page.fill('#expected', 'src12kHDDmmdbAGMsGMWuZY7iFLKndLUg13ABPNWAh6Cm3EdjW8bjx');
  await page.keyboard.press('Enter');
  assert.equal((await answers(page)).anchored, 'no');
  assert.match(await page.textContent('[data-verdict=anchored] .check'), new RegExp(EXPECTED.last_commitment));
  await page.fill('#expected', 'src1');
  await page.keyboard.press('Enter');
  assert.match(await page.textContent('#expected-error'), /54 characters/);
});

test('what holds the store goes when another file is shown, or none', async (t) => {
  const page = await opened(t);
  const [first, ...others] = page.workers();
  assert.ok(first);
  assert.deepEqual(others, []);
  await choose(page, 'second.snapshot', ARCHIVE);
  await page.waitForFunction(() => document.title.startsWith('second'));
  await done(page);
  assert.equal(page.workers().length, 1);
  assert.ok(!page.workers().includes(first));
  const [second] = page.workers();
  const closed = second.waitForEvent('close');
  await page.click('#again');
  await closed;
  assert.deepEqual(page.workers(), []);
});
