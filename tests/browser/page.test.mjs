// The page itself: keyboard, narrow windows, offline, updates, its policy, no shifts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertNoSideways, choose, done, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { example, snapshot } from './lib/snapshots.mjs';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const OFFLINE = ' · works offline';
const kept = (page) => page.waitForFunction((text) => document.querySelector('#offline').textContent === text, OFFLINE);

/** Presses Tab until `selector` has the focus. */
async function tabTo(page, selector, most = 60) {
  for (let pressed = 0; pressed < most; pressed += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((selector) => document.activeElement?.matches(selector), selector)) return;
  }
  assert.fail(`${selector} is not reached by ${most} tabs`);
}

const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);

test('everything by keyboard', async (t) => {
  const page = await visit(t, browser, own.base);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Skip to the content');
  await tabTo(page, '#file');
  await look(page, 'keyboard');
  await tabTo(page, '#example');
  await page.keyboard.press('Enter');
  await done(page);
  assert.equal(await focused(page), 'result-title');
  await tabTo(page, '.evidence summary');
  await page.keyboard.press('Enter');
  assert.equal(await page.$eval('.evidence', (details) => details.open), true);
  // The map is one stop; arrows go from tile to tile, Backspace goes up.
  await tabTo(page, '.tile');
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  assert.equal(await page.textContent('#crumbs [aria-current]'), 'context');
  await page.keyboard.press('ArrowRight');
  assert.match(await focused(page), /store\.dict/);
  await page.keyboard.press('Backspace');
  assert.equal(await page.textContent('#crumbs [aria-current]'), 'All members');
  await tabTo(page, '#tab-table');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(page), 'tab-tree');
  assert.equal(await page.isVisible('#view-tree'), true);
  await page.keyboard.press('ArrowLeft');
  await tabTo(page, 'button.name');
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'member-title');
  await page.keyboard.press('Escape');
  assert.equal(await focused(page), 'context/store.0.suffix');
  await tabTo(page, '#report-save');
});

test('320 pixels wide', async (t) => {
  const page = await visit(t, browser, own.base, { viewport: { width: 320, height: 640 } });
  await assertNoSideways(page);
  await look(page, 'narrow-start');
  await choose(
    page,
    'a-name-that-is-much-longer-than-any-phone-is-wide-and-has-no-place-to-break.full',
    snapshot([
      ['metadata', Buffer.from('{}')],
      [`context/${'x'.repeat(92)}`, Buffer.alloc(5000, 1)],
    ]),
  );
  await done(page);
  await assertNoSideways(page);
  await choose(page, 'example.snapshot', example);
  await page.waitForFunction(() => document.title.startsWith('example'));
  await done(page);
  await assertNoSideways(page);
  await look(page, 'narrow-result');
  await page.click('button.name:text-is("metadata")');
  await page.waitForSelector('#member-preview pre');
  await assertNoSideways(page);
  await look(page, 'narrow-member');
});

test('wide windows, enlarged text and print', async (t) => {
  const page = await visit(t, browser, own.base, { viewport: { width: 1920, height: 1080 } });
  await choose(page, 'example.snapshot', example);
  await done(page);
  await assertNoSideways(page);
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  await assertNoSideways(page);
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.isVisible('#theme'), false);
  assert.equal(await page.isVisible('.table-scroll'), true);
  await page.screenshot({
    path: new URL('../../target/screenshots/print.png', import.meta.url).pathname,
    fullPage: true,
  });
});

test('colours by choice', async (t) => {
  const page = await visit(t, browser, own.base, { colorScheme: 'light' });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.click('#theme');
  assert.equal(await paper(), light);
  await page.click('#theme');
  const dark = await paper();
  assert.notEqual(dark, light);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await paper(), dark);
});

test('offline after the first visit', async (t) => {
  const server = await servePage();
  const page = await visit(t, browser, server.base, { offline: true });
  await kept(page);
  await server.close();
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.match(await page.textContent('#about'), /^rollsnap \d/);
  await page.click('#example');
  await done(page);
  assert.equal(await page.getAttribute('[data-verdict=intact]', 'data-answer'), 'yes');
});

test('a newer version waits until it is wanted', async (t) => {
  const server = await servePage();
  t.after(() => server.close());
  const page = await visit(t, browser, server.base, { offline: true });
  await kept(page);
  server.replace = (name, bytes) => {
    if (name === 'pkg/page.js') return String(bytes).replace(/version: '\w+'/, "version: 'newer'");
    return name === 'index.html' ? String(bytes).replace('What is in this snapshot?</h1>', 'What is new?</h1>') : bytes;
  };
  await page.reload();
  await page.waitForSelector('#update:not([hidden])');
  assert.equal(await page.textContent('#start-title'), 'What is in this snapshot?');
  await Promise.all([page.waitForEvent('load'), page.click('#update')]);
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.textContent('#start-title'), 'What is new?');
  await page.waitForFunction(async () => (await caches.keys()).length === 1);
  assert.match((await page.evaluate(() => caches.keys()))[0], /newer$/);
});

test('the policy lets nothing foreign in', async (t) => {
  const page = await visit(t, browser, own.base, { allow: ['Content Security Policy'] });
  const blocked = await page.evaluate(async () => {
    const seen = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => seen.push(effectiveDirective));
    const host = 'http://127.0.0.1:9';
    const add = (tag, more) => document.head.append(Object.assign(document.createElement(tag), more));
    add('script', { src: `${host}/x.js` });
    add('script', { textContent: 'globalThis.inline = true' });
    add('link', { rel: 'stylesheet', href: `${host}/x.css` });
    add('style', { textContent: 'body { color: red }' });
    document.body.append(Object.assign(document.createElement('img'), { src: `${host}/x.png` }));
    document.body.append(Object.assign(document.createElement('iframe'), { src: `${host}/` }));
    setTimeout('globalThis.evaluated = true');
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [...new Set(seen)].sort();
  });
  for (const kind of ['frame-src', 'img-src', 'script-src-elem', 'style-src-elem'])
    assert.ok(blocked.includes(kind), `${kind} in ${blocked}`);
  assert.equal(await page.evaluate(() => globalThis.inline ?? globalThis.evaluated), undefined);
});

test('nothing that is there moves while the answer comes', async (t) => {
  const page = await visit(t, browser, own.base, { hash: `#url=${own.base}example.snapshot`, ready: false });
  await done(page);
  const shift = await page.evaluate(
    () =>
      new Promise((resolve) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => {
          for (const { value } of list.getEntries()) sum += value;
        });
        observer.observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum), 50)));
      }),
  );
  t.diagnostic(`cumulative layout shift ${shift.toFixed(4)}`);
  assert.ok(shift < 0.01, `cumulative layout shift ${shift}`);
});
