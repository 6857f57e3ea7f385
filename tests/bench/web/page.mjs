// node tests/bench/web/page.mjs FILE: what the page takes to check a snapshot of any size in Chromium, with a profile on the
// disk: in a private window temporary storage is memory. Run by hand after web/build --page: times are no tests.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { answers } from '../../browser/lib/browser.mjs';
import { servePage } from '../../browser/lib/server.mjs';

const MIB = 2 ** 20;
const [file] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'rollsnap-profile-'));
const own = await servePage();
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
try {
  const page = await context.newPage();
  await page.goto(own.base);
  await page.waitForSelector('html[data-ready]');
  const empty = largest();
  let most = empty;
  const watch = setInterval(() => (most = Math.max(most, largest())), 200);
  const start = performance.now();
  await page.setInputFiles('input[type=file]', file);
  await page.waitForSelector('#report:not([hidden])', { timeout: 0 });
  clearInterval(watch);
  const seconds = (performance.now() - start) / 1000;
  const { usage, quota } = await page.evaluate(() => navigator.storage.estimate());
  console.log(await answers(page));
  console.log(`${seconds.toFixed(1)} s; ${mib(most - empty)} MiB above the empty page, ${mib(most)} in all`);
  console.log(`temporary storage: ${mib(usage)} of ${mib(quota)} MiB`);
} finally {
  await context.close();
  await own.close();
  rmSync(profile, { recursive: true, force: true });
}

function mib(bytes) {
  return Math.round(bytes / MIB);
}

/** Memory of the largest process that draws a page of this profile, in bytes. */
function largest() {
  let most = 0;
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${id}/cmdline`, 'utf8');
      if (!words.includes('--type=renderer') || !words.includes(profile)) continue;
      const [, kib] = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'));
      most = Math.max(most, Number(kib) * 1024);
    } catch {
      // It has ended meanwhile.
    }
  }
  return most;
}
