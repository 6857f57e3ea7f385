// The machine of a rollup with the engine of Node: every case that the nodes' own machine ran gives the same states, or is
// refused where it cannot be known.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as full from '../../web/pkg/nodejs/full/rollsnap.mjs';
import * as exported from '../../web/pkg/nodejs/machine/machine.mjs';
import { ROOT } from './support.mjs';

const { Machine, RollsnapError, codes, memoryBytes } = exported;
const PVM = join(ROOT, 'tests/fixtures/pvm');
const CASES = readdirSync(join(PVM, 'cases')).map((name) => JSON.parse(readFileSync(join(PVM, 'cases', name), 'utf8')));
const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'));
const hexOf = (bytes) => Buffer.from(bytes).toString('hex');
const VERSIONS = {
  V0: '2.0.0',
  V1: '2.0.0-r1',
  V2: '2.0.0-r2',
  V3: '2.0.0-r3',
  V4: '2.0.0-r4',
  V5: '2.0.0-r5',
  V6: '2.0.0-r6',
};

const kernelOf = ({ kernel }) =>
  kernel.startsWith('hex:')
    ? unhex(kernel.slice(4))
    : new Uint8Array(readFileSync(join(PVM, 'kernels', `${kernel}.wasm`)));
const addressOf = (hex) => full.hash.encode('sr1', unhex(hex));

const originOf = (one) => ({
  version: VERSIONS[one.pvm_version],
  maxTicks: BigInt(one.max_nb_ticks),
  outboxValidityPeriod: one.outbox_validity_period,
  outboxMessageLimit: one.outbox_message_limit,
  rollup: addressOf(one.rollup_address_hex),
  originationLevel: one.origination_level,
});

const revealOf = ({ preimages = {}, dal_parameters: dal }) => ({
  preImage: (hash) => (preimages[`00${hexOf(hash)}`] === undefined ? undefined : unhex(preimages[`00${hexOf(hash)}`])),
  dalParameters: () => dal,
  dalPage: () => new Uint8Array(0),
});

/** Goes through a case as a node does; gives the first level that was refused, with its code. */
function run(one) {
  const machine = Machine.genesis(kernelOf(one), originOf(one));
  try {
    machine.committed();
    // In some cases the state is hashed only where it is committed: to hash has an effect.
    const always = !one.state_hash_computed;
    const same = (expect, place) => {
      if (!expect) return;
      if (expect.state_hash)
        assert.equal(hexOf(full.hash.decode(machine.stateHash()).bytes), expect.state_hash, `${one.name} ${place}`);
      const view = machine.view();
      assert.equal(view.current_tick, String(expect.current_tick), `${one.name} ${place}`);
      assert.equal(view.phase, expect.phase, `${one.name} ${place}`);
    };
    same(one.genesis, 'genesis');
    for (const { level, messages, commit, expect } of one.levels) {
      let outcome;
      try {
        outcome = machine.level(level, messages.map(unhex), revealOf(one));
      } catch (error) {
        assert.ok(error instanceof RollsnapError, `${one.name} ${level}: ${error?.stack}`);
        return { level, code: error.code };
      }
      assert.equal(outcome.currentTick - outcome.initialTick, outcome.numTicks);
      if (expect?.num_ticks !== undefined)
        assert.equal(String(outcome.numTicks), String(expect.num_ticks), `${one.name} ${level}`);
      if (expect && 'outbox' in expect)
        assert.deepEqual(outcome.outbox?.map(hexOf) ?? null, expect.outbox, `${one.name} ${level}`);
      if (always || commit) same(expect, level);
      if (commit) machine.committed();
    }
    return undefined;
  } finally {
    machine.free();
  }
}

// V8 does not tell an indirect call of another type from one of nothing.
const NOT_TOLD = { 'trap-indirect-mismatch': 'pvm.refused.trap' };

test('every case that the nodes computed gives the same states, or is refused', (t) => {
  assert.ok(CASES.length >= 134, `${CASES.length}`);
  const counts = { same: 0, refused: 0 };
  for (const one of CASES) {
    const stopped = run(one);
    counts[stopped ? 'refused' : 'same'] += 1;
    const raises = one.expect_error || one.levels.some(({ expect_error: raises }) => raises);
    if (one.fast === 'refuse')
      assert.match(String(stopped?.code), raises ? /^pvm\.(raises|refused\.)/ : /^pvm\.refused\./, one.name);
    else if (one.name in NOT_TOLD) assert.equal(stopped?.code, NOT_TOLD[one.name]);
    else if (one.fast === 'ok or refuse') assert.match(stopped?.code ?? 'pvm.refused.', /^pvm\.refused\./, one.name);
    else assert.equal(stopped, undefined, one.name);
  }
  t.diagnostic(`${counts.same} cases with the same states, ${counts.refused} refused`);
});

const ORIGIN = {
  version: '2.0.0-r5',
  maxTicks: 50_000_000_000_000n,
  outboxValidityPeriod: 241_920,
  outboxMessageLimit: 100,
  rollup: 'sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ',
  originationLevel: 1000,
};
const MESSAGES = [
  [0, 1],
  [0, 3, ...Array(40).fill(0)],
  [0, 2],
].map((bytes) => Uint8Array.from(bytes));

/** A module with one function, `kernel_run`, of these instructions; function 0 is `write_debug`. */
function kernel(code, { pages = [0x01] } = {}) {
  const name = (text) => [text.length, ...Buffer.from(text)];
  const section = (number, ...content) => [number, content.length, ...content];
  const body = [0x00, ...code, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 0x02, 0x60, 0x02, 0x7f, 0x7f, 0x00, 0x60, 0x00, 0x00),
    ...section(2, 0x01, ...name('smart_rollup_core'), ...name('write_debug'), 0x00, 0x00),
    ...section(3, 0x01, 0x01),
    ...section(5, 0x01, 0x00, ...pages),
    ...section(7, 0x02, ...name('mem'), 0x02, 0x00, ...name('kernel_run'), 0x00, 0x01),
    ...section(10, 0x01, body.length, ...body),
  ]);
}

/** The code of the error of a level; undefined where there is none. */
function codeOf(machine, level = 1001) {
  try {
    machine.level(level, MESSAGES);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RollsnapError, `${error?.stack}`);
    return error.code;
  }
}

test('a level that is refused leaves the machine as it was', () => {
  const machine = Machine.genesis(kernel([0x00]), ORIGIN);
  const before = machine.stateHash();
  assert.deepEqual(machine.level(1001, MESSAGES).runs, ['trapped']);
  assert.notEqual(machine.stateHash(), before);
  machine.free();
  // i32.const 0, i32.const 0, call write_debug, call kernel_run: ends in the kernel or in the host.
  const deep = kernel([0x41, 0x00, 0x41, 0x00, 0x10, 0x00, 0x10, 0x01]);
  for (let time = 0; time < 20; time += 1) {
    const machine = Machine.genesis(deep, ORIGIN);
    const before = machine.stateHash();
    for (const level of [1001, 1001, 1002]) assert.equal(codeOf(machine, level), 'pvm.refused.trap');
    assert.equal(machine.stateHash(), before);
    machine.free();
  }
  // And the module is of use as before.
  const other = Machine.genesis(kernel([]), ORIGIN);
  assert.deepEqual(other.level(1001, MESSAGES).runs, ['returned']);
  assert.equal(other.view().flags.stuck, false);
  other.free();
});

test('recursion at any depth of the stack ends in a refusal', () => {
  const deep = kernel([0x41, 0x00, 0x41, 0x00, 0x10, 0x00, 0x10, 0x01]);
  // Frames of the caller shift the place at which the stack ends, so that the host is hit too.
  const below = (frames) => {
    if (frames > 0) return below(frames - 1);
    const machine = Machine.genesis(deep, ORIGIN);
    const code = codeOf(machine);
    machine.free();
    return code;
  };
  for (let frames = 0; frames < 60; frames += 1) assert.equal(below(frames), 'pvm.refused.trap', `${frames}`);
});

test('a recursion may be as deep as the nodes allow, and no deeper', () => {
  // Counts an i32 at address 0 down, and calls itself until it is 0: write_debug is not called.
  const body = (times) => [
    0x41,
    0x00,
    0x28,
    0x02,
    0x00,
    0x45,
    0x04,
    0x40,
    0x41,
    0x00,
    0x41,
    ...times,
    0x36,
    0x02,
    0x00,
    0x0b, // if 0: begin
    0x41,
    0x00,
    0x41,
    0x00,
    0x28,
    0x02,
    0x00,
    0x41,
    0x01,
    0x6b,
    0x36,
    0x02,
    0x00, // one less
    0x41,
    0x00,
    0x28,
    0x02,
    0x00,
    0x04,
    0x40,
    0x10,
    0x01,
    0x0b, // if not 0: call
  ];
  const at = (version, times) => {
    const machine = Machine.genesis(kernel(body(times)), { ...ORIGIN, version });
    const code = codeOf(machine);
    machine.free();
    return code;
  };
  const [h250, h400, k5] = [
    [0xfa, 0x01],
    [0x90, 0x03],
    [0x88, 0x27],
  ];
  for (const version of ['2.0.0', '2.0.0-r1', '2.0.0-r5']) assert.equal(at(version, h250), undefined, version);
  // In version 0 deeper than 300 is the affair of the nodes' compiler: as deep as the length of the code surely allows.
  assert.equal(at('2.0.0', h400), undefined);
  assert.equal(at('2.0.0', k5), 'pvm.refused.trap');
  assert.equal(at('2.0.0-r1', k5), undefined);
});

test('memory: what a kernel asks for at once', () => {
  // 65,536 pages are 4 GiB: there, or refused for a reason of its own.
  const all = kernel([], { pages: [0x80, 0x80, 0x04] });
  const machine = Machine.genesis(all, ORIGIN);
  assert.ok([undefined, 'pvm.memory'].includes(codeOf(machine)));
  machine.free();
  const held = memoryBytes();
  for (let time = 0; time < 50; time += 1) {
    const machine = Machine.genesis(kernel([]), ORIGIN);
    machine.level(1001, MESSAGES);
    machine.free();
  }
  assert.ok(memoryBytes() <= held + 2 ** 20, `${memoryBytes()} after ${held}`);
});

test('memory that cannot grow is an error of its own, not another state', () => {
  // memory.grow of so many pages, `unreachable` if that fails: as the allocators of kernels do.
  const grows = (...pages) => kernel([0x41, ...pages, 0x40, 0x00, 0x41, 0x7f, 0x46, 0x04, 0x40, 0x00, 0x0b]);
  const program = `
    const { Machine } = await import(${JSON.stringify(new URL('../../web/pkg/nodejs/machine/machine.mjs', import.meta.url).href)});
    const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'));
    const [kernel, ...messages] = process.argv.slice(1);
    const machine = Machine.genesis(bytes(kernel), { ...JSON.parse(process.env.ORIGIN), maxTicks: 50_000_000_000_000n });
    const before = machine.stateHash();
    try {
      const { runs } = machine.level(1001, messages.map(bytes));
      console.log(runs.join(' '));
    } catch (error) {
      console.log(error.code, machine.stateHash() === before);
    }`;
  const { maxTicks, ...origin } = ORIGIN;
  const told = (one) =>
    execFileSync(
      process.execPath,
      ['--wasm-max-mem-pages=2000', '--input-type=module', '-e', program, hexOf(one), ...MESSAGES.map(hexOf)],
      { encoding: 'utf8', env: { ...process.env, ORIGIN: JSON.stringify(origin) } },
    ).trim();
  // 1000 pages, 10,000 pages, and 65,536, which is more than any memory has beside its first page.
  assert.equal(told(grows(0xe8, 0x07)), 'returned');
  assert.equal(told(grows(0x90, 0xce, 0x00)), 'pvm.memory true');
  assert.equal(told(grows(0x80, 0x80, 0x04)), 'trapped');
  // Its own maximum is no refusal of the engine: 10 pages with a maximum of 4.
  const few = Uint8Array.from(grows(0x0a), (byte) => byte);
  const at = few.findIndex((byte, index) => byte === 5 && few[index + 1] === 3 && few[index + 2] === 1);
  const limited = Uint8Array.from([...few.subarray(0, at), 5, 4, 1, 1, 1, 4, ...few.subarray(at + 5)]);
  assert.equal(told(limited), 'trapped');
});

test('a kernel that never ends, ends with its worker', async () => {
  const program = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { Machine } = await import(workerData.module);
    const machine = Machine.genesis(workerData.kernel, workerData.origin);
    parentPort.postMessage('begun');
    machine.level(1001, workerData.messages);
    parentPort.postMessage('ended');`;
  const module = new URL('../../web/pkg/nodejs/machine/machine.mjs', import.meta.url).href;
  const workerData = { module, kernel: kernel([0x03, 0x40, 0x0c, 0x00, 0x0b]), origin: ORIGIN, messages: MESSAGES };
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), { workerData });
  const told = [];
  worker.on('message', (message) => told.push(message));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const begun = performance.now();
  await worker.terminate();
  assert.ok(performance.now() - begun < 1000);
  assert.deepEqual(told, ['begun']);
});

test('what is asked for is answered by functions, or refused', () => {
  const mixed = CASES.find(({ name }) => name === 'reveal-v3');
  const machine = Machine.genesis(kernelOf(mixed), originOf(mixed));
  machine.committed();
  const { level, messages } = mixed.levels[0];
  const with_ = (reveal) => {
    try {
      return machine.level(level, messages.map(unhex), reveal);
    } catch (error) {
      assert.ok(error instanceof RollsnapError, error.stack);
      return error;
    }
  };
  const before = machine.stateHash();
  for (const reveal of [
    undefined,
    {},
    { preImage: () => undefined },
    { preImage: () => 'text' },
    {
      preImage() {
        throw new Error('no network');
      },
    },
  ]) {
    const { code, message } = with_(reveal);
    assert.equal(code, 'pvm.refused.reveal');
    assert.match(message, /pre-image 00[0-9a-f]{64}/);
  }
  assert.equal(with_({ preImage: () => new Uint8Array(5) }).code, 'pre-image.hash');
  assert.equal(machine.stateHash(), before);
  assert.ok(with_(revealOf(mixed)).numTicks > 0n);
  machine.free();
});

test('calls that are wrong in themselves', () => {
  const one = kernel([]);
  for (const origin of [
    undefined,
    {},
    { ...ORIGIN, maxTicks: -1 },
    { ...ORIGIN, maxTicks: 1.5 },
    { ...ORIGIN, maxTicks: 2n ** 64n },
    { ...ORIGIN, outboxValidityPeriod: 0 },
    { ...ORIGIN, outboxValidityPeriod: 2 ** 31 },
    { ...ORIGIN, originationLevel: -1 },
    { ...ORIGIN, originationLevel: 2 ** 31 },
    { ...ORIGIN, family: 'other' },
  ]) {
    assert.throws(
      () => Machine.genesis(one, origin),
      TypeError,
      JSON.stringify(origin, (_, value) => String(value)),
    );
  }
  assert.throws(() => Machine.genesis(one, { ...ORIGIN, version: '2.0.0-r99' }), { code: 'pvm.refused.version' });
  assert.throws(() => Machine.genesis(one, { ...ORIGIN, rollup: 'sr1' }), { code: 'hash.text' });
  assert.throws(() => Machine.genesis([0], ORIGIN), TypeError);
  const machine = Machine.genesis(one, ORIGIN);
  for (const [level, messages, reveal] of [
    [1.5, MESSAGES],
    [-1, MESSAGES],
    [NaN, MESSAGES],
    [1001, undefined],
    [1001, [[0, 1]]],
    [1001, 'text'],
    [1001, MESSAGES, { preImage: 7 }],
  ]) {
    assert.throws(() => machine.level(level, messages, reveal), TypeError);
  }
  assert.deepEqual(machine.level(1001, MESSAGES).runs, ['returned']);
  machine.free();
  assert.ok(codes().some(({ code }) => code === 'pvm.refused.trap'));
});

test('the declarations name what the module exports, and nothing else', () => {
  const source = readFileSync(join(ROOT, 'web/js/machine/machine.d.mts'), 'utf8');
  const declared = [...source.matchAll(/^export (?:function|class|const) (\w+)/gm)].map(([, name]) => name);
  const passed = [...source.matchAll(/^export \{ (.*) \} from/gm)].flatMap(([, names]) => names.split(', '));
  assert.deepEqual([...declared, ...passed].sort(), Object.keys(exported).sort());
});
