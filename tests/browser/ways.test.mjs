// The ways in: every one ends with the same answer about the same file.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answers, choose, done, fact, launch, look, visit } from './lib/browser.mjs';
import { sendFile, serveForeign, servePage } from './lib/server.mjs';
import { example, exampleHeader, snapshot } from './lib/snapshots.mjs';

let browser, own, foreign;
before(async () => ([browser, own, foreign] = await Promise.all([launch(), servePage(), serveForeign()])));
after(() => Promise.all([browser.close(), own.close(), foreign.close()]));

// What the makers of the example say of it.
async function assertExample(page) {
  assert.equal(await fact(page, 'history_mode'), exampleHeader.history_mode);
  assert.equal(await fact(page, 'rollup_address'), exampleHeader.rollup_address);
  assert.equal(await fact(page, 'head_level'), exampleHeader.head_level.toLocaleString('en'));
  assert.equal(await fact(page, 'last_commitment'), exampleHeader.last_commitment);
  assert.equal(await fact(page, 'compression'), 'gzip');
  assert.equal(await fact(page, 'size'), `${Math.round(example.length / 1000)} KB`);
}

async function assertWhole(page) {
  await assertExample(page);
  assert.deepEqual(await answers(page), { intact: 'yes', consistent: 'yes', anchored: 'unknown' });
}

/** Dispatches a drop or a paste of `bytes`, or of a text. */
const give = (page, kind, { name, bytes, text }) =>
  page.evaluate(
    ([kind, name, base64, text]) => {
      const transfer = new DataTransfer();
      if (name) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      else transfer.setData(kind === 'drop' ? 'text/uri-list' : 'text/plain', text);
      const event =
        kind === 'drop'
          ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
          : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
    },
    [kind, name, bytes?.toString('base64') ?? '', text ?? ''],
  );

test('the start page', async (t) => {
  const page = await visit(t, browser, own.base);
  assert.match(await page.innerText('.choose'), /Your file stays on this computer\./);
  await look(page, 'start');
});

test('the example', async (t) => {
  const page = await visit(t, browser, own.base, { offline: true });
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.click('#example');
  await done(page);
  await assertWhole(page);
  assert.equal(await page.title(), 'example.snapshot · rollsnap');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'result-title');
  assert.match(
    await page.textContent('#live'),
    /^Read to the end\. Intact: yes\. Consistent: yes\. Anchored: not checked\.$/,
  );
  // Nobody but the page's own folder was asked for anything.
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(own.base) && !url.startsWith('blob:')),
    [],
  );
  await look(page, 'example');
});

test('a chosen file', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, "it's a snapshot.full", example);
  await done(page);
  await assertWhole(page);
  assert.match(await page.innerText('#claims .command'), /rollsnap import 'it'\\''s a snapshot\.full' --data-dir DIR/);
});

test('a dropped file', async (t) => {
  const page = await visit(t, browser, own.base);
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([], 'x'));
    document.body.dispatchEvent(new DragEvent('dragenter', { dataTransfer, bubbles: true, cancelable: true }));
  });
  await page.waitForSelector('.veil-on');
  await look(page, 'drop');
  await give(page, 'drop', { name: 'dropped', bytes: example });
  await done(page);
  await assertWhole(page);
  assert.equal(await page.$('.veil-on'), null);
});

test('a pasted file', async (t) => {
  const page = await visit(t, browser, own.base);
  await give(page, 'paste', { name: 'pasted', bytes: example });
  await done(page);
  await assertWhole(page);
});

test('one file after another: the second one counts', async (t) => {
  const page = await visit(t, browser, own.base);
  await choose(page, 'first', example);
  await choose(page, 'second', snapshot([['metadata', Buffer.from('{}')]]));
  await page.waitForFunction(() => document.title.startsWith('second'));
  await done(page);
  assert.equal(await fact(page, 'head_level'), '77');
  assert.equal(await page.textContent('.table-count'), '1 member');
});

test('a pasted address', async (t) => {
  foreign.answers.set('/snap', sendFile(example));
  const page = await visit(t, browser, own.base);
  await give(page, 'paste', { text: `${foreign.base}/snap` });
  await done(page);
  await assertWhole(page);
  assert.equal(await page.evaluate(() => location.hash), `#url=${encodeURIComponent(`${foreign.base}/snap`)}`);
  const asked = foreign.asked.filter(({ url }) => url === '/snap');
  assert.equal(asked[0].range, 'bytes=0-65535');
  assert.ok(
    asked.every(({ cookie, referer }) => !cookie && !referer),
    'nothing about the visitor is told',
  );
});

test('a shared link points at a level, and selecting one makes such a link', async (t) => {
  foreign.answers.set('/shared?x=1&y=2', sendFile(example));
  const url = `${foreign.base}/shared?x=1&y=2`;
  const page = await visit(t, browser, own.base, { hash: `#url=${encodeURIComponent(url)}&level=5012` });
  await done(page);
  await assertWhole(page);
  assert.match(await page.textContent('#level-line'), /^Level 5,012/);
  await page.focus('#strip');
  await page.keyboard.press('ArrowRight');
  const hash = () => page.evaluate(() => location.hash);
  assert.equal(await hash(), `#url=${encodeURIComponent(url)}&level=5013`);
  await page.keyboard.press('Escape');
  assert.equal(await hash(), `#url=${encodeURIComponent(url)}`);
  // An address that is not encoded keeps every & of its own.
  await page.evaluate((url) => (location.hash = `#url=${url}`), url);
  await page.waitForFunction(() => /^Level 5,029/.test(document.querySelector('#level-line').textContent));
  assert.deepEqual(
    new Set(foreign.asked.filter(({ url }) => url.startsWith('/shared')).map(({ url }) => url)),
    new Set(['/shared?x=1&y=2']),
  );
});

test('an address typed in', async (t) => {
  foreign.answers.set('/typed', sendFile(example));
  const page = await visit(t, browser, own.base);
  await page.fill('#url', 'no address');
  await page.press('#url', 'Enter');
  await page.waitForSelector('#url[aria-invalid=true]');
  assert.match(await page.textContent('#url-error'), /starts with https:/);
  await look(page, 'address-refused');
  await page.fill('#url', `${foreign.base}/typed`);
  await page.press('#url', 'Enter');
  await done(page);
  await assertWhole(page);
});

test('#url= of a large file: header and members, and more when the visitor asks for it', async (t) => {
  const large = snapshot([
    ['metadata', Buffer.from('{}')],
    ['context/store.0.suffix', Buffer.alloc(20_000_000, 1)],
  ]);
  foreign.answers.set('/large', sendFile(large));
  const page = await visit(t, browser, own.base, { hash: `#url=${encodeURIComponent(`${foreign.base}/large`)}` });
  await page.waitForSelector('#reading-title:text-is("Only the header and the list of members were read")');
  assert.equal(await page.textContent('#members-sum'), '2 members, 20.0 MB');
  assert.equal(await fact(page, 'size'), '20.0 MB');
  assert.deepEqual(await answers(page), { intact: 'unknown', consistent: 'unknown', anchored: 'unknown' });
  const asked = foreign.asked.filter(({ url }) => url === '/large').map(({ range }) => range);
  assert.deepEqual(asked[0], 'bytes=0-65535');
  assert.equal(asked.length, 2);
  assert.match(await page.textContent('#fetched'), /^2 requests, 66\.\d KB fetched$/);
  await look(page, 'address-header');
  await page.click('#reading-action');
  await done(page);
  assert.equal((await answers(page)).intact, 'yes');
  const { remote } = JSON.parse(await page.textContent('#report pre.preview'));
  assert.equal(remote.url, `${foreign.base}/large`);
  assert.equal(remote.bytes_received, large.length);
});

test('a host that sends no parts: the header all the same', async (t) => {
  foreign.answers.set('/no-parts', sendFile(Buffer.concat([example, Buffer.alloc(20_000_000)]), { ranges: false }));
  const page = await visit(t, browser, own.base, { hash: `#url=${foreign.base}/no-parts` });
  await page.waitForSelector('#reading:not([hidden])');
  await assertAddress(page);
  assert.match(await page.textContent('#reading-figures'), /lacks Content-Range/);
});

test('a host that hides the size', async (t) => {
  foreign.answers.set('/hidden', (request, response) => {
    if (request.method === 'HEAD') return response.writeHead(404).end();
    return sendFile(example, { expose: false })(request, response);
  });
  const page = await visit(t, browser, own.base, { hash: `#url=${foreign.base}/hidden`, allow: ['404'] });
  await page.waitForSelector('#reading:not([hidden])');
  await assertAddress(page);
  assert.equal(await fact(page, 'size'), 'not known');
  assert.match(await page.textContent('#reading-figures'), /Access-Control-Expose-Headers: Content-Range/);
});

const assertAddress = async (page) => assert.equal(await fact(page, 'rollup_address'), exampleHeader.rollup_address);

const FAILED = ['Failed to load resource', 'blocked by CORS policy', 'net::ERR'];

test('a host that forbids reading: which header is missing, and the command line', async (t) => {
  foreign.answers.set('/forbidden', sendFile(example, { cors: false }));
  const page = await visit(t, browser, own.base, { hash: `#url=${foreign.base}/forbidden`, allow: FAILED });
  await page.waitForSelector('#trouble:not([hidden])');
  const text = await page.innerText('#trouble');
  assert.match(text, /http\.cors/);
  assert.match(text, /Missing: Access-Control-Allow-Origin/);
  assert.ok(text.includes(`rollsnap info ${foreign.base}/forbidden`));
  await look(page, 'address-forbidden');
});

test('a host that has no such file, and one that is not there', async (t) => {
  const page = await visit(t, browser, own.base, { hash: `#url=${foreign.base}/nothing`, allow: FAILED });
  await page.waitForSelector('#trouble:not([hidden])');
  assert.match(await page.innerText('#trouble'), /remote\.status[\s\S]*404/);
  // A port that was free a moment ago.
  const gone = await serveForeign();
  await gone.close();
  await page.evaluate((url) => (location.hash = `#url=${url}`), `${gone.base}/x`);
  await page.waitForFunction(() => document.querySelector('#trouble').innerText.includes('remote.unreachable'));
});
