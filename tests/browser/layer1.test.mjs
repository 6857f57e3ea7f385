// A layer 1 node that fails: what happened and what to do, in the words of the command line, never a
// "no", and a button that asks again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answers, assertNoSideways, launch, look } from './lib/browser.mjs';
import {
  COMMITMENT,
  EXPECTED,
  FAILED,
  OPEN,
  answered,
  ask,
  at,
  commandLine,
  openArchive,
  reportOf,
  send,
  serveLayer1,
} from './lib/layer1.mjs';
import { serveForeign, servePage } from './lib/server.mjs';

const NOT_CHECKED = 'Could not check whether the commitment of the snapshot is published on L1.\n';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const opened = (t, { base = own.base, ...options } = {}) => openArchive(t, browser, base, options);

/** No verdict, the reason in the report, a button to try again. Gives the check. */
async function assertOpen(page, code) {
  assert.equal((await answers(page)).anchored, 'unknown');
  assert.equal(await page.textContent('[data-verdict=anchored] .verdict-word'), 'not checked');
  assert.equal(await page.textContent('#layer1-go'), 'Check on L1');
  assert.equal(await page.isEnabled('#layer1-go'), true);
  const { verdicts, checks } = await reportOf(page);
  assert.equal(verdicts.anchored, 'unknown');
  const [check] = checks.filter(({ code }) => /^(l1|http)\./.test(code));
  assert.deepEqual([check.code, check.status], [code, 'unknown']);
  return check;
}

// Name, fault, code, what to do.
const ANSWERS = [
  [
    '401',
    at(COMMITMENT, send(401)),
    'l1.forbidden',
    /does not serve smart rollup storage \(its access list forbids it\)\. Ask an L1 node of your own/,
  ],
  [
    '403',
    at('/levels/', send(403)),
    'l1.forbidden',
    /does not serve its savepoint \(its access list forbids it\)\. Ask an L1 node of your own/,
  ],
  [
    '404',
    at(COMMITMENT, send(404)),
    'l1.pruned',
    /block 1013 pruned or unknown: use an archive node\. An archive L1 node keeps/,
  ],
  [
    '410',
    at(COMMITMENT, send(410)),
    'l1.pruned',
    /block 1013 pruned or unknown: use an archive node\. An archive L1 node keeps/,
  ],
  [
    '404 where every node answers',
    at('/head/header', send(404)),
    'l1.answer',
    /an L1 node would know this path\. Check that the address is that of a Tezos or Mavryk L1 node\.$/,
  ],
  [
    '500',
    at(COMMITMENT, send(500, '[{"kind":"temporary","id":"proto.alpha.some_error"}]')),
    'l1.status',
    /reports an error: proto\.alpha\.some_error\. Try again later/,
  ],
  [
    '503',
    at('/constants', send(503, '<h1>\u001bMaintenance\u202e</h1>\n')),
    'l1.status',
    /reports an error: <h1>\\u\{1b\}Maintenance\\u\{202e\}<\/h1>\. Try again later/,
  ],
  ['429 without a word', at(COMMITMENT, send(429)), 'l1.status', /reports an error\. Try again later/],
  [
    'garbage',
    at(COMMITMENT, send(200, '<html>"not" JSON')),
    'l1.answer',
    /is not understood: expected value at line 1 column 1\. Check that the address/,
  ],
  [
    'JSON of another shape',
    at('/head/header', send(200, '{"level":"7"}')),
    'l1.answer',
    /is not understood: invalid type: string "7", expected i32 at line 1 column 12\./,
  ],
  ['nothing', at('/head/header', send(200, ' ')), 'l1.answer', /is not understood\. Check/],
  [
    'a window of no blocks',
    at('/constants', send(200, '{"smart_rollup_challenge_window_in_blocks":0}')),
    'l1.answer',
    /is not understood\. Check/,
  ],
  [
    'a window that needs a thousand years',
    at('/head/header', send(200, '{"level":2000000000}')),
    'l1.answer',
    /it would take \d+ requests/,
  ],
];

test('answers that say nothing about the commitment', async (t) => {
  const host = await serveLayer1(t);
  const page = await opened(t);
  for (const [name, fault, code, words] of ANSWERS) {
    host.fault = fault;
    assert.match(await ask(page, host.base), words, name);
    const check = await assertOpen(page, code);
    const [theirs] = (await commandLine('--endpoint', host.base)).checks.filter(({ code }) => code.startsWith('l1.'));
    assert.deepEqual(check, theirs, name);
  }
  // The same button asks again.
  host.fault = () => undefined;
  assert.match(await ask(page, host.base), /^127\.0\.0\.1:\d+ knows the last commitment\.$/);
  assert.equal((await answers(page)).anchored, 'yes');
});

test('a busy node is asked again', async (t) => {
  const host = await serveLayer1(t);
  const page = await opened(t);
  for (const busy of [
    send(503, '', { 'retry-after': '1', 'access-control-expose-headers': 'retry-after' }),
    send(429),
    (_, response) => response.destroy(),
    (_, response) => {
      response.writeHead(200, { ...OPEN, 'content-length': '100' });
      response.write('{', () => response.destroy());
    },
  ]) {
    let left = 2;
    host.fault = (path) => (path.includes(COMMITMENT) && left-- > 0 ? busy : undefined);
    assert.match(await ask(page, host.base), /^127\.0\.0\.1:\d+ knows the last commitment\.$/);
    assert.equal((await answers(page)).anchored, 'yes');
    assert.ok(left < 0, `${left}`);
  }
});

test('a node that may have forgotten the commitment does not deny it', async (t) => {
  const page = await opened(t);
  for (const savepoint of [1023, 1024, 1029]) {
    const host = await serveLayer1(t, ['--savepoint', String(savepoint), '--unknown', EXPECTED.last_commitment]);
    assert.match(
      await ask(page, host.base),
      /^It could not be checked: Cannot verify the commitment publication: the L1 node may have forgotten the commitment: it was published about level 1023, .*Use an archive L1 node\.$/,
    );
    await assertOpen(page, 'l1.savepoint');
    assert.deepEqual(await reportOf(page), await commandLine('--endpoint', host.base));
  }
  // What it still knows, it knows.
  const host = await serveLayer1(t, ['--savepoint', '1024']);
  assert.match(await ask(page, host.base), /knows the last commitment\.$/);
  assert.deepEqual(await reportOf(page), await commandLine('--endpoint', host.base));
  // The file could not have been published earlier than this node can tell.
  const denying = await serveLayer1(t, ['--savepoint', '1022', '--unknown', EXPECTED.last_commitment]);
  assert.match(await ask(page, denying.base), /does not know the last commitment\.$/);
  assert.equal((await answers(page)).anchored, 'no');
});

test('an answer without end is cut off', async (t) => {
  const host = await serveLayer1(t);
  let sent = 0;
  let closed;
  const cut = new Promise((resolve) => (closed = resolve));
  host.fault = at('/head/header', (_, response) => {
    response.writeHead(200, OPEN).on('close', closed);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65536, 32))) sent += 65536;
      response.once('drain', more);
    };
    more();
  });
  const page = await opened(t);
  assert.match(await ask(page, host.base), /is not understood: the answer is longer than 4194304 bytes\./);
  const check = await assertOpen(page, 'l1.answer');
  await cut;
  assert.ok(sent < 64e6, `${sent} bytes were taken`);
  const [theirs] = (await commandLine('--endpoint', host.base)).checks.filter(({ code }) => code.startsWith('l1.'));
  assert.deepEqual(check, theirs);
});

test('a redirect is not followed', async (t) => {
  const [host, other] = await Promise.all([serveLayer1(t), serveForeign()]);
  t.after(() => other.close());
  host.fault = (path) => send(302, '', { location: other.base + path });
  const page = await opened(t);
  assert.match(
    await ask(page, host.base),
    /it redirects to another address, which is not followed: give that address\./,
  );
  await assertOpen(page, 'l1.answer');
  assert.deepEqual(other.asked, []);
});

test('nobody there, and connections that break', async (t) => {
  const gone = await serveForeign();
  await gone.close();
  const page = await opened(t);
  assert.match(
    await ask(page, gone.base),
    /^It could not be checked: the L1 node at http:\/\/127\.0\.0\.1:\d+ cannot be reached: nothing answers there\. Check the address and that the node is running\.$/,
  );
  const refused = await assertOpen(page, 'l1.unreachable');
  const [theirs] = (await commandLine('--endpoint', gone.base)).checks.filter(({ code }) => code.startsWith('l1.'));
  const headline = `${NOT_CHECKED}the L1 node at ${gone.base} cannot be reached: `;
  for (const { code, text } of [refused, theirs])
    assert.deepEqual([code, text.slice(0, headline.length)], ['l1.unreachable', headline]);

  const host = await serveLayer1(t);
  host.fault = at('/levels/', (_, response) =>
    response.writeHead(200, { ...OPEN, 'content-length': 100 }).write('{"lev', () => response.destroy()),
  );
  assert.match(
    await ask(page, host.base),
    /cannot be reached: it closed the connection before the end of its answer\./,
  );
  assert.equal(
    (await assertOpen(page, 'l1.unreachable')).text,
    (await commandLine('--endpoint', host.base)).checks.find(({ code }) => code === 'l1.unreachable').text,
  );

  // A node that has gone away is not asked about all levels, and one that broke off once is asked again.
  host.fault = at(COMMITMENT, (request) => request.socket.destroy());
  host.asked.length = 0;
  assert.match(await ask(page, host.base), /cannot be reached: nothing answers there\./);
  assert.deepEqual(
    [...new Set(host.asked.filter(({ url }) => url.includes(COMMITMENT)).map(({ url }) => url.split('/')[4]))],
    ['1013', '1023'],
  );
  let once = 0;
  host.fault = (path) => {
    if (!path.includes('/levels/')) return undefined;
    once += 1;
    return once === 1 ? (request) => request.socket.destroy() : undefined;
  };
  assert.match(await ask(page, host.base), /knows the last commitment\.$/);
});

test('a node that is slow: bounded by the clock, and stopped by the visitor', async (t) => {
  const host = await serveLayer1(t);
  // Answers never, or a space at a time.
  let drip = () => {};
  const silent = at('/head/header', () => {});
  const dripping = at('/head/header', (_, response) => {
    response.writeHead(200, OPEN);
    drip = () => new Promise((resolve) => response.write(' ', resolve));
  });
  const page = await opened(t, { prepare: (page) => page.clock.install() });
  // From here on time passes only when the test says so.
  await page.clock.pauseAt(Date.now() + 60_000);
  const begin = async (fault) => {
    host.fault = fault;
    const before = host.asked.length;
    await page.fill('#layer1', host.base);
    await page.click('#layer1-go');
    assert.equal(await page.textContent('#layer1-go'), 'Stop');
    while (host.asked.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await begin(silent);
  await page.clock.fastForward(16_000);
  await answered(page);
  const text = `the L1 node at ${host.base} cannot be reached: it takes too long to answer`;
  assert.equal(await page.textContent('#layer1-said'), `It could not be checked: ${text}.`);
  assert.equal((await assertOpen(page, 'l1.unreachable')).text, NOT_CHECKED + text);

  await begin(dripping);
  const responded = page.waitForResponse((response) => response.url().startsWith(host.base));
  await drip();
  await responded;
  // Never silent for long: only the time of the whole can end it.
  const drops = setInterval(drip, 50);
  t.after(() => clearInterval(drops));
  for (let step = 0; step < 4; step += 1) {
    await page.clock.fastForward(9_000);
    await page.waitForTimeout(500);
  }
  await answered(page);
  clearInterval(drops);
  assert.equal(await page.textContent('#layer1-said'), `It could not be checked: ${text}.`);

  await begin(silent);
  await page.click('#layer1-go');
  await answered(page);
  assert.equal(await page.textContent('#live'), 'Stopped.');
  await assertOpen(page, 'l1.unreachable');
  // Another snapshot ends the asking as well.
  await begin(silent);
  await page.click('#again');
  await answered(page);
});

test('a node that keeps its answers from pages', async (t) => {
  const host = await serveLayer1(t, [], { cors: false });
  const page = await opened(t);
  assert.match(
    await ask(page, host.base),
    /does not let web pages read its answers \(CORS\)\. Use the command line, which needs no such permission/,
  );
  const check = await assertOpen(page, 'http.cors');
  assert.equal(check.text, `${NOT_CHECKED}the L1 node at ${host.base} does not let web pages read its answers (CORS)`);
  // An access list that refuses before anybody thinks of pages.
  const partly = await serveLayer1(t);
  partly.fault = at(COMMITMENT, (_, response) => response.writeHead(401).end());
  assert.match(
    await ask(page, partly.base),
    /keeps this answer from web pages, though not others \(CORS\): perhaps its access list forbids smart rollup storage\./,
  );
  await assertOpen(page, 'http.cors');
});

test('a page that came by https asks no http address', async (t) => {
  const secure = 'https://page.example/some/where/';
  const page = await opened(t, {
    base: 'about:blank',
    ready: false,
    allow: [...FAILED, 'Mixed Content'],
    async prepare(page) {
      await page.route(`${secure}**`, async (route) =>
        route.fulfill({ response: await route.fetch({ url: route.request().url().replace(secure, own.base) }) }),
      );
      await page.goto(secure);
      await page.waitForSelector('html[data-ready]');
    },
  });
  const words =
    /^It could not be checked: the L1 node at http:\/\/node\.example:8732 cannot be reached: this page came by https, so the browser does not let it ask an http address\. Give an https address, or use the command line: rollsnap verify --endpoint\.$/;
  assert.match(await ask(page, 'http://node.example:8732'), words);
  await assertOpen(page, 'l1.unreachable');
  const mixed = await page.evaluate(async () => {
    const { isMixed } = await import(new URL('js/network.js', document.baseURI));
    const addresses = [
      'http://node.example',
      'http://10.0.0.1',
      'http://127.example',
      'http://localhost.example',
      'http://127.0.0.1:8732',
      'http://localhost:8732',
      'http://[::1]:8732',
      'https://node.example',
    ];
    return ['https://page.example/', 'http://page.example/'].map((page) =>
      addresses.filter((address) => isMixed(page, address)),
    );
  });
  assert.deepEqual(mixed, [
    ['http://node.example', 'http://10.0.0.1', 'http://127.example', 'http://localhost.example'],
    [],
  ]);
});

test('375 pixels wide', async (t) => {
  const host = await serveLayer1(t);
  const page = await opened(t, { viewport: { width: 375, height: 720 } });
  await look(page, 'layer1-narrow-before');
  for (const [name, fault] of [
    ['yes', () => undefined],
    ['long', at('/head/header', send(500, 'x'.repeat(5000)))],
  ]) {
    host.fault = fault;
    await ask(page, host.base);
    await page.$$eval('[data-verdict] details, #report details', (all) => {
      for (const details of all) details.open = true;
    });
    await assertNoSideways(page);
    await look(page, `layer1-narrow-${name}`);
  }
});
