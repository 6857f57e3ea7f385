// What the context holds, on the page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answers, assertNoSideways, choose, done, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { example, snapshot } from './lib/snapshots.mjs';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const texts = (page, selector) => page.$$eval(selector, (all) => all.map((one) => one.textContent));

/** The cells of the table of kinds, row by row. */
const kinds = (page) =>
  page.$$eval('#context tbody tr', (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

/** What a subtree says: name, objects, size, share. */
const twigs = (page) =>
  page.$$eval('#context .twig', (all) =>
    all.map((twig) =>
      [...twig.querySelectorAll('.tree-name, .tree-more, .tree-size, .tree-share')].map((part) => part.textContent),
    ),
  );

test('the example is consistent with its context, and says what that holds', async (t) => {
  const page = await visit(t, browser, own.base);
  const data = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], 'example.snapshot'));
    return transfer;
  }, example.toString('base64'));
  await page.dispatchEvent('body', 'drop', { dataTransfer: data });
  await done(page);
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
  const evidence = await page.textContent('[data-verdict=consistent] [data-code="context.hash"]');
  assert.match(evidence, /4652 objects of the context, 437902 bytes, have their hashes and forms; 32 commits/);

  assert.equal(
    await page.textContent('#context-line'),
    '32 commits · 4,652 objects · 438 KB · at the head paths of up to 14 steps and contents of up to 3.85 KB',
  );
  assert.deepEqual(await kinds(page), [
    ['Commits', '32', '1.89 KB', '0.4 %'],
    ['Directories', '1,793', '92.2 KB', '21 %'],
    ['Inner parts', '1,727', '94.6 KB', '22 %'],
    ['Contents', '1,100', '249 KB', '57 %'],
  ]);
  const shown = await twigs(page);
  assert.equal(shown.length, 24);
  assert.deepEqual(shown.slice(0, 3), [
    ['pvm_state/', '1,154 objects', '135 KB', '100 %'],
    ['durable/', '831 objects', '113 KB', '84 %'],
    ['long/', '285 objects', '36.0 KB', '27 %'],
  ]);
  // Each below the one that it is in.
  assert.deepEqual(await texts(page, '#context .subtrees > li > ul > li > .twig > .tree-name'), ['durable/', 'value/']);
  assert.deepEqual(await texts(page, '#context .subtrees > li > ul > li > ul > li:first-child > .twig > .tree-name'), [
    'long/',
    'pvm/',
  ]);
  assert.equal(await page.textContent('#subtrees-left-out'), '74 smaller subtrees are left out.');
  await look(page, 'context');
  await page.setViewportSize({ width: 375, height: 700 });
  await assertNoSideways(page);
  await look(page, 'context-narrow');
  // Gone with the snapshot.
  await choose(page, 'without.snapshot', snapshot([['metadata', Buffer.from('{}')]]));
  await page.waitForFunction(() => document.title.startsWith('without'));
  await done(page);
  assert.equal(await page.isVisible('#context'), false);
});

test('a context of any size and shape', async (t) => {
  const page = await visit(t, browser, own.base, { viewport: { width: 375, height: 700 } });
  await choose(page, 'example.snapshot', example);
  await done(page);
  /** Draws made-up facts, in which `n` bytes are `[n, n]`: a count and a size. */
  const draw = (facts, size, name = 'x.snapshot') =>
    page.evaluate(
      async ([facts, size, name]) => {
        const { drawContext } = await import('./js/state/context.js');
        const tally = { count: 2n ** 60n, bytes: 2n ** 61n };
        const context = {
          objects: tally,
          contents: tally,
          directories: tally,
          inner: tally,
          commits: { count: 1, bytes: 59 },
          inner_depth: 3,
          head: null,
          ...facts,
        };
        drawContext(document.querySelector('#context-body'), context, size, { name });
      },
      [facts, size, name],
    );
  await draw({}, 2 ** 26 + 1, "it's large");
  assert.equal(await page.textContent('#context-line'), '1 commit · 1,152,921,504,606,846,976 objects · 2306 PB');
  assert.equal(
    await page.textContent('#no-head'),
    'Where the state of the head is was not looked at: without temporary storage a page keeps up to 67.1 MB of a context for that, and this one is 67.1 MB. The command line has no such limit.',
  );
  assert.equal(await page.textContent('#context .command pre'), "rollsnap context stat 'it'\\''s large'");
  await assertNoSideways(page);
  await look(page, 'context-large');

  await draw({}, 2 ** 26);
  assert.match(await page.textContent('#no-head'), /its commit is not here as a whole, or was not found/);
  assert.equal(await page.$('#context .command'), null);

  // Names as long as they can be, and a subtree whose place was left out of the report.
  const tree = (path, bytes) => ({ path, depth: path.split('/').length, objects: { count: 1, bytes } });
  const long = `<b>${'n'.repeat(300)}`;
  const subtrees = [tree('a', 90), tree('a/b', 80), tree('a/b/c', 70), tree(`a/b/c/${long}`, 60), tree('y/z', 50)];
  await draw(
    {
      head: {
        objects: { count: 9, bytes: 100 },
        content_bytes: 10,
        depth: 4,
        largest: 7,
        subtrees,
        subtrees_left_out: true,
      },
    },
    5,
  );
  assert.deepEqual(
    (await twigs(page)).map(([name]) => name),
    ['a/', 'b/', 'c/', `${long}/`, 'y/z/'],
  );
  assert.equal(await page.textContent('#subtrees-left-out'), 'Smaller subtrees are left out.');
  await assertNoSideways(page);
  await look(page, 'context-names');
});
