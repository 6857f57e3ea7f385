// Layer 1 with a fetch of one's own: what the package says to ask, and what it makes of the answers.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { Inspector, Layer1, anchoredBy, compareCommitment, notAsked } from '../../web/pkg/nodejs/full/full.mjs';
import { ROOT } from './support.mjs';

const DATA = join(ROOT, 'tests/fixtures/data-dir');
const FILE = join(DATA, 'v5-archive.head.snapshot.gz');
const { head: HEADER } = JSON.parse(readFileSync(join(DATA, 'v5-archive.expect.json'), 'utf8')).headers;

/** The stub of a node. */
async function stub(t, ...switches) {
  const child = spawn(
    'python3',
    [join(ROOT, 'tests/fixtures/l1_stub.py'), join(DATA, 'v5-archive.l1.json'), ...switches],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  t.after(() => child.kill());
  return new Promise((resolve) => createInterface(child.stdout).once('line', (line) => resolve(line.trim())));
}

const run = (command, args) =>
  new Promise((resolve) => {
    execFile(command, args, { encoding: 'utf8' }, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, stdout, stderr }),
    );
  });

const PLACE = mkdtempSync(join(tmpdir(), 'rollsnap-'));
after(() => rmSync(PLACE, { recursive: true }));

test('the example says what the command line says', async (t) => {
  mkdirSync(join(PLACE, 'node_modules'));
  symlinkSync(join(ROOT, 'web/pkg'), join(PLACE, 'node_modules/rollsnap'));
  cpSync(join(ROOT, 'web/examples/node/layer1.mjs'), join(PLACE, 'layer1.mjs'));
  for (const [anchored, status, ...switches] of [
    ['yes', 0],
    ['no', 1, '--unknown', HEADER.last_commitment],
    ['unknown', 1, '--savepoint', '1024', '--unknown', HEADER.last_commitment],
    ['unknown', 1, '--forbid-rollup'],
    ['unknown', 1, '--garbage', 'shell'],
    ['unknown', 1, '--error-500', 'shell'],
    ['yes', 0, '--error-500', 'last_cemented'],
  ]) {
    const url = await stub(t, ...switches);
    const example = await run(process.execPath, [join(PLACE, 'layer1.mjs'), FILE, url]);
    const theirs = await run(join(ROOT, 'target/debug/rollsnap'), ['verify', '--json', '--endpoint', url, FILE]);
    const { verdicts, checks } = JSON.parse(theirs.stdout);
    const first = checks.findIndex(({ code }) => code.startsWith('l1.'));
    const lines = checks
      .slice(first)
      .map(({ code, status, text }) => `  ${code}: ${status}: ${text.replaceAll('\n', ': ')}`);
    assert.equal(example.stdout, [`Anchored: ${verdicts.anchored}`, ...lines, ''].join('\n'), example.stderr);
    assert.deepEqual([verdicts.anchored, example.status], [anchored, status]);
  }
  const gone = await run(process.execPath, [join(PLACE, 'layer1.mjs'), FILE, 'http://127.0.0.1:1']);
  assert.match(
    gone.stdout,
    /^Anchored: unknown\n {2}l1\.unreachable: unknown: .*the L1 node at http:\/\/127\.0\.0\.1:1 cannot be reached: /,
  );
});

const bytes = (text) => new TextEncoder().encode(text);

test('requests come one at a time, and end', () => {
  const layer1 = new Layer1(HEADER, 'http://node.example');
  assert.equal(layer1.published, undefined);
  assert.equal(layer1.progress, undefined);
  const request = layer1.nextRequest();
  assert.deepEqual(request, { path: '/chains/main/blocks/head/header/shell', maxBytes: 4194304, about: 'block data' });
  assert.deepEqual(layer1.nextRequest(), request);
  layer1.answer(200, bytes('{"level":1029}'));
  layer1.answer(200, bytes('{"level":999}'));
  layer1.answer(200, bytes('{"smart_rollup_challenge_window_in_blocks":10}'));
  assert.deepEqual(layer1.progress, { done: 0, of: 3 });
  const unknown = bytes('[{"id":"proto.alpha.smart_rollup_unknown_commitment"}]');
  while (layer1.nextRequest().path.includes('/commitment/')) layer1.answer(500, unknown);
  assert.deepEqual(layer1.progress, { done: 3, of: 3 });
  assert.equal(layer1.published.problem, null);
  assert.deepEqual([layer1.published.check.code, layer1.published.check.status], ['l1.commitment', 'no']);
  layer1.answer(401, bytes(''));
  assert.equal(layer1.cemented.problem.code, 'l1.forbidden');
  assert.deepEqual([layer1.nextRequest(), layer1.originated], [undefined, undefined]);
  layer1.askOrigination(1000);
  assert.equal(layer1.nextRequest().path, '/chains/main/blocks/1000/operations');
  layer1.answer(200, bytes('[[],[],[],[]]'));
  assert.deepEqual(layer1.originated, { bootSector: undefined, protocol: undefined });
  assert.equal(layer1.nextRequest(), undefined);
  // An answer to nothing.
  layer1.answer(200, bytes('{}'));
  layer1.free();
});

test('what does not come back is not a no', () => {
  const ended = (how) => {
    const layer1 = new Layer1(HEADER, 'http://node.example');
    how(layer1);
    const { check, problem } = layer1.published;
    assert.equal(check.status, 'unknown');
    assert.equal(check.code, problem.code);
    return [problem.code, problem.title, problem.cause];
  };
  const cannot = 'the L1 node at http://node.example cannot be reached';
  assert.deepEqual(
    ended((layer1) => layer1.failed('no network')),
    ['l1.unreachable', cannot, 'no network'],
  );
  assert.deepEqual(
    ended((layer1) => layer1.failed()),
    ['l1.unreachable', cannot, 'no answer'],
  );
  assert.deepEqual(
    ended((layer1) => layer1.failed(undefined, 'http.cors', 'hidden')),
    ['http.cors', 'hidden', null],
  );
  const long = [
    'l1.answer',
    'the answer of the L1 node at http://node.example is not understood',
    'the answer is longer than 4194304 bytes',
  ];
  assert.deepEqual(
    ended((layer1) => layer1.tooLong()),
    long,
  );
  assert.deepEqual(
    ended((layer1) => layer1.answer(200, new Uint8Array(4194305))),
    long,
  );
  for (const [status, body, code] of [
    [0, '', 'l1.answer'],
    [302, '', 'l1.answer'],
    [429, '', 'l1.status'],
    [403, '', 'l1.forbidden'],
    [200, '<html>', 'l1.answer'],
    [200, '['.repeat(1e6), 'l1.answer'],
    [200, '{"level":1e999}', 'l1.answer'],
    [200, '{"level":"7"}', 'l1.answer'],
  ]) {
    assert.equal(ended((layer1) => layer1.answer(status, bytes(body)))[0], code, `${status} ${body.slice(0, 20)}`);
  }
});

test('when a request is worth making again', () => {
  const layer1 = new Layer1(HEADER, '');
  const pauses = (status, ...more) => [1, 2, 3, 4].map((tries) => layer1.retryIn(status, tries, ...more));
  for (const status of [0, 429, 502, 503, 504]) assert.deepEqual(pauses(status), [250, 500, 1000, undefined]);
  assert.deepEqual(pauses(503, 2), [2000, 2000, 2000, undefined]);
  assert.deepEqual(pauses(503, -1), pauses(503));
  for (const status of [200, 302, 401, 404, 500]) assert.deepEqual(pauses(status), Array(4).fill(undefined));
});

test('misuse is a TypeError', () => {
  const layer1 = new Layer1(HEADER, '');
  for (const wrong of [
    () => new Layer1(undefined, ''),
    () => new Layer1({}, ''),
    () => new Layer1({ ...HEADER, head_level: 1.5 }, ''),
    () => layer1.answer(1.5, bytes('')),
    () => layer1.retryIn(-1, 1),
    () => layer1.answer(70000, bytes('')),
    () => layer1.answer(200, 'text'),
    () => layer1.failed('', 'no.code'),
    () => layer1.askOrigination(2 ** 40),
    () => anchoredBy([7]),
    () => anchoredBy([{ code: 'l1.commitment', status: 'perhaps' }]),
  ]) {
    assert.throws(wrong, TypeError, String(wrong));
  }
  assert.throws(() => new Layer1({ ...HEADER, rollup_address: 'sr1' }, ''), { code: 'hash.text' });
  assert.throws(() => compareCommitment(HEADER.last_commitment, 'src1'), { code: 'hash.text' });
});

test('one no outweighs every yes', () => {
  const check = (code, status) => ({ code, status });
  const published = check('l1.commitment', 'yes');
  for (const [verdict, ...checks] of [
    ['unknown'],
    ['yes', published],
    ['yes', compareCommitment(HEADER.last_commitment, HEADER.last_commitment)],
    ['unknown', notAsked('no node was named')],
    ['unknown', check('l1.lcc', 'yes'), check('state.genesis', 'yes')],
    ['no', published, check('l1.lcc', 'no')],
    ['no', check('commitment.expected', 'no'), published],
    ['yes', published, check('l1.status', 'unknown')],
  ]) {
    assert.equal(anchoredBy(checks), verdict);
  }
});

test('an inspection knows where the origination is', () => {
  const inspector = new Inspector({ consistent: true });
  inspector.feed(new Uint8Array(readFileSync(FILE)));
  inspector.finish();
  assert.equal(inspector.originationLevel, 1000);
  inspector.free();
});
