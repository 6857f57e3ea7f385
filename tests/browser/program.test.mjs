// The page as `rollsnap page` serves it, from inside the program, with all its promises to a real
// browser: no connection is forgotten, and Ctrl-C ends it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { answers, choose, done, fact, launch, visit } from './lib/browser.mjs';
import { ARCHIVE, EXPECTED } from './lib/layer1.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** The program, listening; its address, with what follows it. */
async function serve(t, ...words) {
  const command = ['page', '--port', '0', ...words];
  const program = spawn(`${ROOT}target/debug/rollsnap`, command, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => program.kill('SIGKILL'));
  let said = '';
  program.stderr.on('data', (text) => (said += text));
  const line = await Promise.race([once(createInterface(program.stdout), 'line'), once(program, 'exit')]);
  const [, base] =
    /^The page is at (http:\/\/127\.0\.0\.1:\d+\/\S*) /.exec(line[0]) ?? assert.fail(`no address: ${line[0]} ${said}`);
  return { program, base };
}

test('the page from inside the program loads and reads a snapshot', async (t) => {
  const { program, base } = await serve(t);
  assert.equal(
    await (await fetch(base)).text(),
    await readFile(`${ROOT}www/index.html`, 'utf8'),
    'another page is in the program: build it again (cargo build)',
  );
  const page = await visit(t, browser, base, { offline: true });
  await choose(page, 'v5-archive.snapshot', ARCHIVE);
  await done(page);
  assert.equal(await fact(page, 'head_level'), EXPECTED.head_level.toLocaleString('en'));
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
  // Everything again, as one who comes a second time.
  await page.reload();
  await page.waitForSelector('html[data-ready]');

  program.kill('SIGINT');
  const [code] = await once(program, 'exit');
  assert.equal(code, 0);
});

test('the page from inside the program opens a file of this computer', async (t) => {
  const file = `${ROOT}tests/fixtures/data-dir/v5-archive.head.snapshot.gz`;
  const { base } = await serve(t, file);
  assert.match(base, /#url=/);
  const page = await visit(t, browser, base, { ready: false });
  await done(page);
  assert.equal(await fact(page, 'head_level'), EXPECTED.head_level.toLocaleString('en'));
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
});
