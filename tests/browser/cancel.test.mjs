// Cancel, and a second file, end the reading of a large one in the middle.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answers, choose, done, visit } from './lib/browser.mjs';
import { ENGINES, engine, where } from './lib/engines.mjs';
import { servePage } from './lib/server.mjs';
import { example, header, memberHeader } from './lib/snapshots.mjs';

/** So much takes every browser some seconds. */
const SIZE = 8_000_000_000;

const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
const large = join(place, 'large.snapshot');
let own;
before(async () => {
  // Zeros that take no space.
  writeFileSync(large, Buffer.concat([header, memberHeader('context/store.0.suffix', SIZE)]));
  truncateSync(large, 58 + 512 + SIZE + 1024);
  own = await servePage();
});
after(async () => {
  rmSync(place, { recursive: true });
  await own.close();
});

for (const name of Object.keys(ENGINES)) {
  const browser = engine(name, { before, after });
  const percent = (page) => page.textContent('#reading-percent');
  const begun = async (t) => {
    const page = await visit(t, browser(), own.base);
    await page.setInputFiles('#file', large);
    await page.waitForFunction(() => /^\d/.test(document.querySelector('#reading-percent').textContent));
    return page;
  };

  test(`${name}: Cancel ends the reading of 8 GB in the middle`, where(name), async (t) => {
    const page = await begun(t);
    await page.click('#reading-action:has-text("Cancel")');
    await page.waitForFunction(() => document.querySelector('#reading-title').textContent === 'Stopped');
    assert.notEqual(await percent(page), '100 %');
    assert.equal((await answers(page)).intact, 'unknown');
  });

  test(`${name}: a second file takes the place of the first one`, where(name), async (t) => {
    const page = await begun(t);
    await choose(page, 'example.snapshot', example);
    await done(page);
    const { intact, consistent } = await answers(page);
    assert.deepEqual([intact, consistent], ['yes', 'yes']);
  });
}
