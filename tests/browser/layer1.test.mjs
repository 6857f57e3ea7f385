// A layer 1 node that fails: what happened and what to do, in the words of the command line, never a
// "no", and a button that asks again.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { answers, assertNoSideways, choose, done, launch, look, visit } from './lib/browser.mjs';
import {
  ARCHIVE,
  EXPECTED,
  OPEN,
  answered,
  ask,
  commandLine,
  reportOf,
  serveLayer1,
  withoutHead,
} from './lib/layer1.mjs';
import { serveForeign, servePage } from './lib/server.mjs';

const FAILED = ['Failed to load resource', 'CORS policy', 'net::ERR'];
const NOT_CHECKED = 'Could not check whether the commitment of the snapshot is published on L1.\n';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

async function opened(t, { base = own.base, prepare = () => {}, ...options } = {}) {
  const page = await visit(t, browser, base, { allow: FAILED, ...options });
  await prepare(page);
  await choose(page, 'v5-archive.snapshot', ARCHIVE);
  await done(page);
  return page;
}

/** No verdict, the reason in the report, a button to try again. Gives the check. */
async function assertOpen(page, code) {
  assert.equal((await answers(page)).anchored, 'unknown');
  assert.equal(await page.textContent('[data-verdict=anchored] .answer'), 'not checked');
  assert.equal(await page.textContent('#layer1-go'), 'Check on L1');
  assert.equal(await page.isEnabled('#layer1-go'), true);
  const { verdicts, checks } = await reportOf(page);
  assert.equal(verdicts.anchored, 'unknown');
  const [check] = checks.filter(({ code }) => /^(l1|http)\./.test(code));
  assert.deepEqual([check.code, check.status], [code, 'unknown']);
  return check;
}

const send =
  (status, body = '', headers = {}) =>
  (_, response) =>
    response.writeHead(status, { ...OPEN, ...headers }).end(body);
const at = (part, handler) => (path) => (path.includes(part) ? handler : undefined);
const COMMITMENT = '/commitment/';

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

test('the report takes the answers along, as the command line gives them', async (t) => {
  const host = await serveLayer1(t);
  const page = await opened(t);
  const other = 'src12kHDDmmdbAGMsGMWuZY7iFLKndLUg13ABPNWAh6Cm3EdjW8bjx';
  const { checks, ...unasked } = await reportOf(page);
  const { checks: theirs, ...plain } = await commandLine();
  assert.deepEqual(unasked, plain);
  assert.deepEqual(checks.slice(0, -1), theirs.slice(0, -1));
  assert.deepEqual([checks.at(-1).code, checks.at(-1).status], ['l1.commitment', 'unknown']);

  await ask(page, host.base);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#report-save')]);
  const report = withoutHead(JSON.parse(await readFile(await download.path(), 'utf8')));
  assert.equal(report.verdicts.anchored, 'yes');
  assert.deepEqual(report, await commandLine('--endpoint', host.base));
  assert.deepEqual(
    report.checks.slice(-3).map(({ code, status }) => [code, status]),
    [
      ['l1.commitment', 'yes'],
      ['l1.lcc', 'yes'],
      ['state.genesis', 'unknown'],
    ],
  );

  // One "no" outweighs a "yes", in whatever order they come.
  await page.fill('#expected', other);
  await page.keyboard.press('Enter');
  assert.match(
    await page.textContent('[data-verdict=anchored] .explained'),
    /^The last commitment is not the one that you expect\. 127\.0\.0\.1:\d+ knows the last commitment\.$/,
  );
  assert.match(
    await page.textContent('#live'),
    /^Anchored: no\. The last commitment is not the one that you expect\.$/,
  );
  const both = await reportOf(page);
  assert.equal(both.verdicts.anchored, 'no');
  assert.deepEqual(both, await commandLine('--endpoint', host.base, '--expect-commitment', other));
  assert.equal(
    await page.textContent('#report .command pre'),
    `rollsnap verify v5-archive.snapshot --endpoint ${host.base} --expect-commitment ${other} --json`,
  );
  host.fault = at(COMMITMENT, send(401));
  await ask(page, host.base);
  assert.deepEqual(await reportOf(page), await commandLine('--endpoint', host.base, '--expect-commitment', other));
});

test('what layer 1 cemented last is compared with the store, as on the command line', async (t) => {
  const lcc = 'src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx';
  const other = 'src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9';
  const cemented = (hash, level) => at('/last_cemented', send(200, JSON.stringify({ hash, level })));
  const host = await serveLayer1(t);
  const page = await opened(t);
  const { host: name } = new URL(host.base);
  const known = `${name} knows the last commitment.`;
  const differs = `${known} The store does not have what ${name} says was cemented last.`;
  for (const [fault, anchored, said, text] of [
    [cemented(lcc, 1015), 'yes', known, 'the last cemented commitment of layer 1, of level 1015, is in the store'],
    [
      cemented(other, 1015),
      'no',
      differs,
      `Snapshot contains ${lcc} for LCC at level 1015 but was expected to be ${other}.`,
    ],
    [
      cemented(lcc, 1016),
      'no',
      differs,
      'No commitment for block BME7J6g4cvi9BrHecjpGB67NVjv5HLr1Mi24YqNSqGxdJLY3wjT for LCC level 1016',
    ],
    [cemented(lcc, 7), 'no', differs, 'No block for LCC level 7'],
    // Newer than the snapshot: nothing to compare.
    [cemented(other, 1024), 'yes', known, undefined],
    // That an older commitment is in the store does not tell whether the last one is known.
    [
      at(COMMITMENT, send(401)),
      'unknown',
      /^It could not be checked: this L1 node does not serve smart rollup storage/,
      'the last cemented commitment of layer 1, of level 1015, is in the store',
    ],
    [
      at('/last_cemented', send(401)),
      'yes',
      known,
      'this L1 node does not serve smart rollup storage (its access list forbids it)',
    ],
    [at('/last_cemented', send(503, 'Maintenance')), 'yes', known, 'the L1 node reports an error\nMaintenance'],
    [
      at('/last_cemented', send(500, '[{"id":"proto.alpha.smart_rollup_does_not_exist"}]')),
      'yes',
      known,
      'the L1 chain knows no such rollup',
    ],
    [
      at('/last_cemented', send(500, '[{"id":"proto.alpha.smart_rollup_unknown_commitment"}]')),
      'yes',
      known,
      'the L1 node reports an error',
    ],
  ]) {
    host.fault = fault;
    const explained = await ask(page, host.base);
    if (said instanceof RegExp) assert.match(explained, said);
    else assert.equal(explained, said);
    assert.equal((await answers(page)).anchored, anchored);
    const report = await reportOf(page);
    assert.deepEqual(report, await commandLine('--endpoint', host.base));
    assert.equal(report.verdicts.anchored, anchored);
    const [first, second] = report.checks.filter(({ code }) => code.startsWith('l1.'));
    assert.equal(first.code, anchored === 'unknown' ? 'l1.forbidden' : 'l1.commitment');
    assert.equal(second?.text, text);
  }
  host.fault = cemented(other, 1015);
  await ask(page, host.base);
  assert.equal(await page.textContent('#layer1-said'), differs);
  assert.equal(await page.textContent('#live'), `Anchored: no. ${differs}`);
  await look(page, 'cemented-other');
});

test('what layer 1 has of the origination is compared with the genesis, as on the command line', async (t) => {
  const host = await serveLayer1(t);
  const page = await opened(t);
  const { host: name } = new URL(host.base);
  const known = `${name} knows the last commitment.`;
  const operation = (kernel, more) => [
    [],
    [],
    [],
    [
      {
        protocol: 'PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg',
        contents: [
          { kind: 'smart_rollup_originate', kernel, metadata: { operation_result: { status: 'applied', ...more } } },
        ],
      },
    ],
  ];
  const address = (await reportOf(page)).header.rollup_address;
  const originated = (kernel, more) =>
    at('/operations', send(200, JSON.stringify(operation(kernel, { address, ...more }))));
  for (const [fault, anchored, code, status, text] of [
    [
      originated('0061736d01000000'),
      'no',
      'state.genesis',
      'no',
      /^Erroneous state hash srs1\w+ for originated rollup \(level 1000\) instead of srs1\w+\. You might/,
    ],
    [
      originated('0061736d01000000', { status: 'failed' }),
      'yes',
      'state.genesis',
      'unknown',
      /no operation of that level originates the rollup/,
    ],
    [originated('zz'), 'yes', 'l1.answer', 'unknown', /is not understood/],
    [
      at('/operations', send(200, '{}')),
      'yes',
      'state.genesis',
      'unknown',
      /no operation of that level originates the rollup/,
    ],
    [at('/operations', send(200, 'Maintenance')), 'yes', 'l1.answer', 'unknown', /is not understood/],
    [at('/operations', send(401)), 'yes', 'state.genesis', 'unknown', /does not serve block data/],
    [at('/operations', send(404)), 'yes', 'state.genesis', 'unknown', /block 1000 pruned or unknown/],
    [
      at('/operations', send(503, 'Maintenance')),
      'yes',
      'l1.status',
      'unknown',
      /^the L1 node reports an error\nMaintenance$/,
    ],
  ]) {
    host.fault = fault;
    const explained = await ask(page, host.base);
    assert.equal(
      explained,
      anchored === 'no'
        ? `${known} The file does not begin with what ${name} says that the rollup was originated with.`
        : known,
    );
    assert.equal((await answers(page)).anchored, anchored);
    const report = await reportOf(page);
    const last = report.checks.at(-1);
    assert.deepEqual([last.code, last.status], [code, status]);
    assert.match(last.text, text);
    assert.deepEqual(report, await commandLine('--endpoint', host.base));
  }
});

test('layer 1 is asked while only the header is known: the store is compared when it is there', async (t) => {
  const host = await serveLayer1(t);
  const other = 'src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9';
  host.fault = at('/last_cemented', send(200, JSON.stringify({ hash: other, level: 1015 })));
  const files = await serveForeign();
  t.after(() => files.close());
  // Of unknown length: not read to its end unless asked for.
  files.answers.set('/snapshot', (request, response) => {
    const headers = { ...OPEN, 'access-control-expose-headers': 'Content-Range' };
    if (request.headers.range)
      return response.writeHead(206, { ...headers, 'content-range': `bytes 0-${ARCHIVE.length - 1}/*` }).end(ARCHIVE);
    return response.writeHead(200, headers).end(ARCHIVE);
  });
  const page = await visit(t, browser, own.base, { hash: `#url=${files.base}/snapshot`, allow: FAILED });
  await page.waitForSelector('#reading-action:has-text("Read the whole file")');
  assert.match(await ask(page, host.base), /knows the last commitment\.$/);
  assert.equal((await answers(page)).anchored, 'yes');
  assert.match(await page.textContent('[data-verdict=anchored] .check-unknown'), /the file was not read to its end/);
  await page.click('#reading-action:has-text("Read the whole file")');
  await done(page);
  assert.equal((await answers(page)).anchored, 'no');
  assert.match(await page.textContent('#live'), /Anchored: no\.$/);
  assert.deepEqual(
    (await reportOf(page)).checks.slice(-2),
    (await commandLine('--endpoint', host.base)).checks.slice(-2),
  );
});
