// Nothing is lost: a result stays when a directory is dropped, on Back, on reload, with a second file.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answers, choose, done, fact, launch, look, visit } from './lib/browser.mjs';
import { servePage } from './lib/server.mjs';
import { example, exampleHeader, snapshot } from './lib/snapshots.mjs';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const SMALL = snapshot([['metadata', Buffer.from('{}')]]);
const HEAD = exampleHeader.head_level.toLocaleString('en');
const shows = (page, name) => page.waitForFunction((name) => document.title.startsWith(name), name);

async function both(page) {
  await choose(page, 'first.snapshot', example);
  await done(page);
  await choose(page, 'second.snapshot', SMALL);
  await shows(page, 'second');
  await done(page);
}

test('a directory that is dropped leaves the result alone', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'first.snapshot', example);
  await done(page);
  await page.evaluate(() => {
    const item = { kind: 'file', webkitGetAsEntry: () => ({ isDirectory: true }), getAsFile: () => new File([], 'd') };
    const event = new DragEvent('drop', { bubbles: true, cancelable: true });
    const transfer = { items: [item], files: [], types: ['Files'], getData: () => '' };
    Object.defineProperty(event, 'dataTransfer', { value: transfer });
    document.body.dispatchEvent(event);
  });
  await page.waitForSelector('#notice:not([hidden])');
  const said = await page.textContent('#notice');
  assert.match(said, /directory/);
  assert.doesNotMatch(said, /standard input/);
  assert.equal(await fact(page, 'head_level'), HEAD);
  assert.equal((await answers(page)).consistent, 'yes');
});

test('Back and Forward between two files and the start', async (t) => {
  const page = await visit(t, browser, own.base);
  await both(page);
  await page.goBack();
  await shows(page, 'first');
  await done(page);
  assert.equal(await fact(page, 'head_level'), HEAD);
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
  assert.match(await page.innerText('#result-kind'), /as it was read before/);
  assert.match(await page.textContent('#members-sum'), /^\d+ members/);
  await look(page, 'kept');
  // The file is not there any more, and that is said where it would be needed.
  await page.click('button.name:text-is("store.sqlite")');
  await page.click('#member-digest button');
  await page.waitForSelector('.task-failed');
  assert.match(await page.textContent('.task-failed'), /not kept by this browser: Choose it again/);
  await page.keyboard.press('Escape');
  await page.goBack();
  await page.waitForSelector('#start:not([hidden])');
  assert.equal(await page.title(), 'rollsnap: what is in this snapshot?');
  await page.goForward();
  await page.goForward();
  await shows(page, 'second');
  assert.equal(await fact(page, 'head_level'), '77');
});

test('a reload shows the result again, and the start page lists what was seen', async (t) => {
  const page = await visit(t, browser, own.base);
  await both(page);
  await page.reload();
  await shows(page, 'second');
  await done(page);
  assert.equal((await answers(page)).intact, 'yes');
  await page.click('#again');
  await page.waitForSelector('#seen-start .seen-line');
  assert.deepEqual(await page.$$eval('#seen-start .seen-name', (all) => all.map(({ textContent }) => textContent)), [
    'second.snapshot',
    'first.snapshot',
  ]);
  await look(page, 'last-seen');
  await page.click('.seen-line:has-text("first.snapshot")');
  await shows(page, 'first');
  assert.equal(await fact(page, 'head_level'), HEAD);
});

test('what was kept is forgotten when the visitor says so', async (t) => {
  const page = await visit(t, browser, own.base);
  await both(page);
  await page.click('#again');
  await page.click('#seen-start button:has-text("Forget all")');
  await page.waitForSelector('#seen-start', { state: 'hidden' });
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.isVisible('.seen-line'), false);
  const left = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open('rollsnap');
        opening.onsuccess = () => {
          const asked = opening.result.transaction('reports').objectStore('reports').count();
          asked.onsuccess = () => resolve(asked.result);
        };
      }),
  );
  assert.equal(left, 0);
});

test('a browser that refuses to keep anything', async (t) => {
  const page = await visit(t, browser, own.base);
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('refused', 'SecurityError');
    };
  });
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await both(page);
  // This tab still knows.
  await page.goBack();
  await shows(page, 'first');
  assert.equal(await fact(page, 'head_level'), HEAD);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.match(await page.textContent('#url-error'), /has not kept the report/);
});

test('two tabs keep side by side, and a hostile name is inert', async (t) => {
  const name = '<img src=x onerror=alert(1)>\u202e.snapshot';
  const page = await visit(t, browser, own.base);
  const other = await page.context().newPage();
  await other.goto(own.base);
  await other.waitForSelector('html[data-ready]');
  await Promise.all([choose(page, name, SMALL), choose(other, 'other.snapshot', example)]);
  await Promise.all([done(page), done(other)]);
  await other.click('#again');
  await other.waitForSelector('#seen-start .seen-line >> nth=1');
  const names = await other.$$eval('#seen-start .seen-name', (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(names.toSorted(), ['<img src=x onerror=alert(1)>\\u{202e}.snapshot', 'other.snapshot']);
  assert.equal(await other.$('.seen-panel img'), null);
});

test('a newer version of the page keeps what is shown', async (t) => {
  const server = await servePage();
  t.after(() => server.close());
  const page = await visit(t, browser, server.base, { offline: true });
  await page.waitForFunction(() => / works offline$/.test(document.querySelector('#offline').textContent));
  server.replace = (name, bytes) =>
    name === 'pkg/page.js' ? String(bytes).replace(/version: '\w+'/, "version: 'newer'") : bytes;
  await page.reload();
  await page.waitForSelector('#update:not([hidden])');
  await choose(page, 'first.snapshot', example);
  await done(page);
  await Promise.all([page.waitForEvent('load'), page.click('#update')]);
  await shows(page, 'first');
  await done(page);
  assert.equal(await fact(page, 'head_level'), HEAD);
  assert.equal((await answers(page)).consistent, 'yes');
});

test('a large file in a browser that lends no room: said before it is read', async (t) => {
  const page = await visit(t, browser, own.base);
  const notes = await page.evaluate(async () => {
    const { roomNote } = await import('./js/room.js');
    const small = await roomNote(1000);
    Object.defineProperty(navigator.storage, 'estimate', { value: async () => ({ quota: 1e9, usage: 4e8 }) });
    const tight = await roomNote(20e9);
    const fits = await roomNote(550e6);
    Object.defineProperty(navigator.storage, 'getDirectory', { value: () => Promise.reject(new Error('no')) });
    return [small, tight, fits, await roomNote(20e9), await roomNote(undefined)];
  });
  assert.equal(notes[0], undefined);
  assert.match(notes[1], /lends this page 600 MB/);
  assert.equal(notes[2], undefined);
  assert.match(notes[3], /no temporary storage/);
  assert.equal(notes[4], undefined);
});

test('a file that the browser may read again, and one that is gone', async (t) => {
  const page = await visit(t, browser, own.base);
  // A handle of the browser's own storage is as good as one of the disk, and needs nobody who picks it.
  await page.evaluate(async (base64) => {
    const place = await navigator.storage.getDirectory();
    const handle = await place.getFileHandle('again.snapshot', { create: true });
    const stream = await handle.createWritable();
    await stream.write(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
    await stream.close();
    const file = await handle.getFile();
    const item = {
      kind: 'file',
      webkitGetAsEntry: () => ({ isDirectory: false }),
      getAsFile: () => file,
      getAsFileSystemHandle: async () => handle,
    };
    const event = new DragEvent('drop', { bubbles: true, cancelable: true });
    const transfer = { items: [item], files: [file], types: ['Files'], getData: () => '' };
    Object.defineProperty(event, 'dataTransfer', { value: transfer });
    document.body.dispatchEvent(event);
  }, example.toString('base64'));
  await shows(page, 'again');
  await done(page);
  await page.reload();
  await shows(page, 'again');
  await page.click('#reading-action:has-text("Read it again")');
  await page.waitForFunction(() => document.querySelector('#reading-title').textContent === 'Read to the end');
  assert.doesNotMatch(await page.innerText('#result-kind'), /read before/);
  await page.evaluate(async () => (await navigator.storage.getDirectory()).removeEntry('again.snapshot'));
  await page.reload();
  await page.click('#reading-action:has-text("Read it again")');
  await page.waitForSelector('#notice:not([hidden])');
  assert.match(await page.textContent('#notice'), /not where it was/);
  assert.equal((await answers(page)).intact, 'yes');
});
