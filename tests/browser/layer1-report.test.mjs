// What layer 1 says goes into the report and is compared with the file: the page gives the report of the command line.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { answers, done, launch, look, visit } from './lib/browser.mjs';
import {
  ARCHIVE,
  COMMITMENT,
  FAILED,
  OPEN,
  ask,
  at,
  commandLine,
  openArchive,
  reportOf,
  send,
  serveLayer1,
  withoutHead,
} from './lib/layer1.mjs';
import { serveForeign, servePage } from './lib/server.mjs';

let browser, own;
before(async () => ([browser, own] = await Promise.all([launch(), servePage()])));
after(() => Promise.all([browser.close(), own.close()]));

const opened = (t) => openArchive(t, browser, own.base);

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
    // An older commitment in the store proves nothing about the last one.
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
    if (request.method === 'HEAD') return response.writeHead(404).end();
    const part = ARCHIVE.subarray(0, 65536);
    const range = { 'content-range': `bytes 0-65535/${ARCHIVE.length}`, 'content-length': part.length };
    if (request.headers.range) return response.writeHead(206, { ...OPEN, ...range }).end(part);
    return response.writeHead(200, OPEN).end(ARCHIVE);
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
