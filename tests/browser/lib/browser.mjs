// Chromium, pages in it, and what every test asks of a page.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ENGINES } from './engines.mjs';

const SHOTS = new URL('../../../target/screenshots/', import.meta.url).pathname;
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// What is not about colours is the same in the dark.
const RULES = {
  light: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  dark: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] },
};

/** The browser that a run of the tests is about. */
const ENGINE = process.env.ENGINE || 'chromium';

export const launch = () => ENGINES[ENGINE]();

/**
 * A page in a fresh profile, at `base`. Whatever goes wrong in it, or is forbidden by its policy,
 * fails the test when it ends. The service worker is left out where `offline` does not ask for it.
 */
export async function visit(
  t,
  browser,
  base,
  { hash = '', ready = true, pickers = false, offline = false, allow = [], ...options } = {},
) {
  const context = await browser.newContext({
    viewport: { width: 1180, height: 820 },
    serviceWorkers: offline ? 'allow' : 'block',
    ...options,
  });
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !allow.some((known) => text.includes(known))) wrong.push(text);
  });
  // A file picker of the system would wait for a person.
  if (!pickers) await page.addInitScript(() => delete globalThis.showSaveFilePicker);
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(base + hash);
  if (ready) await page.waitForSelector('html[data-ready]');
  return page;
}

/** Gives the page `bytes` by its file input. */
export const choose = (page, name, bytes) =>
  page.setInputFiles('#file', { name, mimeType: '', buffer: Buffer.from(bytes) });

export const done = (page) => page.waitForSelector('#report:not([hidden])');

export const answers = (page) =>
  page.$$eval('[data-verdict]', (all) =>
    Object.fromEntries(all.map(({ dataset }) => [dataset.verdict, dataset.answer])),
  );

export const fact = (page, key) => page.textContent(`[data-fact="${key}"] .value`);

/** A picture of the state, and no complaint of axe-core about it in light and in dark; both in Chromium alone. */
export async function look(page, name) {
  if (ENGINE !== 'chromium') return;
  await mkdir(SHOTS, { recursive: true });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: `${SHOTS}${name}-${colorScheme}.png`, fullPage: !(await page.$('dialog[open]')) });
    // What lies half below the bar is no fault of its own.
    await page.evaluate(() => scrollTo(0, 0));
    // Through the debugger: the page's policy lets no foreign script in.
    if (colorScheme === 'light') await page.evaluate(AXE);
    const found = await page.evaluate(async (runOnly) => {
      const { violations } = await globalThis.axe.run(document, { runOnly });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
      );
    }, RULES[colorScheme]);
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

/** Nothing of the page is wider than the window. */
export async function assertNoSideways(page) {
  const { wide, width } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    width: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= width, `the page is ${wide} pixels wide in a window of ${width}`);
}
