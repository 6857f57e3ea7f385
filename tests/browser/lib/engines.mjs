// The browsers that tests run in: stock ones, as people have them.
import { chromium, firefox } from 'playwright-core';

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const path = (variable, usual) => process.env[variable] || usual;

/**
 * How each of them is started. Firefox is Debian's own, spoken to by WebDriver BiDi: playwright-core 1.65 asks it for what the
 * one of Debian does not know yet.
 */
export const ENGINES = {
  chromium: () => chromium.launch({ executablePath: path('CHROMIUM', '/usr/bin/chromium'), args: CHROMIUM_FLAGS }),
  firefox: () => firefox.launch({ channel: 'moz-firefox', executablePath: path('FIREFOX', '/usr/bin/firefox-esr') }),
};

/** What a test in this browser is given as its options: where there is no Firefox, its tests are left out. */
export const where = (name) => ({ skip: name === 'firefox' && process.env.FIREFOX === '' && 'there is no Firefox' });

/** A browser that is started once, for all tests of a file, and ended after them. */
export function engine(name, { before, after }) {
  let browser;
  before(async () => {
    if (!where(name).skip) browser = await ENGINES[name]();
  });
  after(() => browser?.close());
  return () => browser;
}
