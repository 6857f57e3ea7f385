// What is wrong is told by a typed error with a code, whatever it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  Inspector,
  RollsnapError,
  codes,
  hash,
  inspectBlob,
  inspectStream,
  readHeader,
  version,
} from '../../web/pkg/nodejs/rollsnap.mjs';
import { HEADER, ROOT, base58check, fixture, streamOf, tarHeader, untar } from './support.mjs';

test('codes() is the table of core', () => {
  const source = readFileSync(join(ROOT, 'core/src/code.rs'), 'utf8');
  const status = { Answer: 1, Usage: 2, Damaged: 3, Refused: 4, Environment: 5, Idle: 6, Cancelled: 130 };
  const rows = [...source.matchAll(/^[A-Z]\w+ +(\w+) +"([^"]*)" +"([^"]*)" +"([^"]*)"$/gm)];
  assert.ok(rows.length > 50);
  const table = codes();
  assert.equal(table.length, rows.length, 'web/pkg is older than core: run web/build');
  for (const [index, [, kind, code, title, advice]] of rows.entries()) {
    assert.deepEqual(table[index], { code, class: kind.toLowerCase(), exit_status: status[kind], title, advice });
  }
});

test('the versions agree', () => {
  const cargo = readFileSync(join(ROOT, 'Cargo.toml'), 'utf8').match(/^version = "(.*)"$/m)[1];
  assert.equal(version(), cargo);
  assert.equal(JSON.parse(readFileSync(join(ROOT, 'web/package.json'), 'utf8')).version, cargo);
});

test('files that are something else are named', () => {
  const file = (...starts) =>
    new Uint8Array(Buffer.concat([...starts.map((start) => Buffer.from(start)), Buffer.alloc(700)]));
  const desync = [48, 0, 0, 0, 0, 0, 0, 0, 0xf9, 0x9f, 0x12, 0x7b, 0x9c, 0x4d, 0x82, 0x96];
  const cases = [
    ['header.evm-node', file('OCTEZ_EVM_node_snapshot\0')],
    ['header.desync', file(desync)],
    ['header.foreign', file('SQLite format 3\0')],
    ['header.l1-node', file(tarHeader('snapshot_version.json', 0))],
    ['header.version', file([7])],
    ['header.history-mode', file([0, 9])],
    ['header.short', new Uint8Array(20)],
    ['gzip.truncated', Uint8Array.of(0x1f, 0x8b)],
    ['gzip.method', Uint8Array.of(0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0)],
    ['file.empty', new Uint8Array()],
  ];
  const table = new Map(codes().map((row) => [row.code, row]));
  for (const [code, bytes] of cases) {
    assert.throws(
      () => readHeader(bytes),
      (error) => {
        assert.ok(error instanceof RollsnapError && error instanceof Error, code);
        assert.equal(error.name, 'RollsnapError');
        assert.equal(error.code, code);
        assert.equal(error.title, table.get(code).title);
        assert.equal(error.advice, table.get(code).advice);
        assert.ok(error.message.startsWith(error.title));
        for (const field of ['at', 'member', 'expected', 'found']) assert.notEqual(error[field], undefined, field);
        return true;
      },
    );
  }
});

test('an error keeps its fields on the way through postMessage', () => {
  let error;
  assert.throws(
    () => readHeader(new Uint8Array(20)),
    (thrown) => {
      error = thrown;
      return true;
    },
  );
  const plain = structuredClone(RollsnapError.toPlain(error));
  const again = new RollsnapError(plain);
  assert.ok(again instanceof RollsnapError);
  assert.deepEqual(RollsnapError.toPlain(again), plain);
  assert.deepEqual(
    [again.code, again.at, again.expected, again.found],
    ['header.short', { stream_offset: 20 }, '58 bytes', '20'],
  );
  assert.ok(!(new Error('other') instanceof RollsnapError));
});

test('a file that is cut still shows what could be read', async () => {
  const bytes = fixture('archive.gz');
  const events = [];
  const half = new Blob([bytes.subarray(0, 60000)]);
  const report = await inspectBlob(half, { list: true, onEvent: (event) => events.push(event) });
  assert.equal(report.header.head_level, 1023);
  assert.equal(report.verdicts.intact, 'no');
  assert.equal(report.members.complete, false);
  assert.ok(report.members.list.length > 0);
  const told = events.filter(({ type }) => type === 'problem').map(({ problem }) => problem.code);
  assert.deepEqual(told, ['gzip.truncated']);
  assert.deepEqual(
    report.checks.filter(({ status }) => status === 'no').map(({ code, at }) => [code, at]),
    [['gzip.truncated', { file_offset: 60000 }]],
  );
});

test('no bytes whatever make anything but a report', () => {
  const [{ bytes }] = untar(fixture('edge.tar'));
  const good = fixture('origination.gz');
  // A generator of its own: the same damage in every run.
  let seed = 1;
  const random = (limit) => {
    seed = (seed * 48271) % 2147483647;
    return seed % limit;
  };
  for (let round = 0; round < 300; round += 1) {
    const damaged = (round % 2 ? good : bytes).slice(0, 1 + random(good.length));
    for (let hits = 0; hits < 4; hits += 1) damaged[random(damaged.length)] = random(256);
    const inspector = new Inspector({ lenient: round % 3 === 0 });
    inspector.feed(damaged);
    assert.equal(inspector.finish().schema, 'rollsnap.report/1');
    inspector.free();
  }
});

test('64-bit numbers are exact', () => {
  // The largest size that pax can announce here: a bigint, because a number would not be exact.
  const size = 2n ** 62n + 1n;
  const record = `size=${size}\n`;
  const body = Buffer.alloc(512);
  body.write(`${record.length + 3} ${record}`);
  const pax = tarHeader('paxheader', record.length + 3);
  pax.write('x', 156);
  let sum = 0;
  pax.fill(' ', 148, 156);
  for (const byte of pax) sum += byte;
  pax.write(`${sum.toString(8).padStart(7, '0')}\0`, 148);
  const inspector = new Inspector({ lenient: true });
  const events = inspector.feed(new Uint8Array(Buffer.concat([HEADER, pax, body, tarHeader('big', 0)])));
  inspector.free();
  const sizes = events.filter(({ type }) => type === 'member').map((event) => event.size);
  assert.deepEqual(sizes, [size]);
});

test('calls that are wrong are TypeErrors', () => {
  const used = new Inspector();
  used.finish();
  const cases = [
    () => readHeader('text'),
    () => readHeader(undefined),
    () => new Inspector(7),
    () => new Inspector({ maxMembers: 1.5 }),
    () => new Inspector({ digests: [1] }),
    () => new Inspector().feed(new ArrayBuffer(8)),
    () => used.feed(new Uint8Array(1)),
    () => used.finish(),
    () => hash.encode('nothing', new Uint8Array(32)),
    () => hash.encode('src1', 'text'),
  ];
  for (const call of cases) assert.throws(call, TypeError, String(call));
});

test('what was freed says so', () => {
  const inspector = new Inspector();
  inspector.free();
  const calls = {
    free: () => inspector.free(),
    feed: () => inspector.feed(new Uint8Array(1)),
    finish: () => inspector.finish(),
    header: () => inspector.header(),
    isForeign: () => inspector.isForeign,
  };
  for (const [name, call] of Object.entries(calls)) {
    assert.throws(call, { name: 'TypeError', message: `Inspector.${name}: free() was called before` });
  }
  // What is disposed of twice is disposed of.
  if (Symbol.dispose) inspector[Symbol.dispose]();
});

test('what a callback throws comes out of feed', () => {
  const inspector = new Inspector();
  inspector.extract('metadata', () => {
    throw new RangeError('enough');
  });
  assert.throws(() => inspector.feed(fixture('archive.gz')), { name: 'RangeError', message: 'enough' });
  assert.throws(() => inspector.finish(), TypeError);
  inspector.free();
});

test('hashes', () => {
  const kinds = [
    ['rollup', 'sr1', 20, [6, 124, 117]],
    ['commitment', 'src1', 32, [17, 165, 134, 138]],
    ['state', 'srs1', 32, [17, 165, 235, 240]],
    ['inbox', 'srib1', 32, [3, 255, 138, 145, 110]],
    ['witness', 'srib2', 32, [3, 255, 138, 145, 140]],
    ['message', 'srib3', 32, [3, 255, 138, 145, 170]],
    ['context', 'SRCo', 32, [8, 209, 216, 166]],
    ['block', 'B', 32, [1, 52]],
    ['protocol', 'P', 32, [2, 170]],
    ['slot', 'sh', 48, [2, 116, 180]],
    ['reveal', 'scrrh1', 32, [230, 206, 128, 200, 196]],
  ];
  for (const [kind, prefix, length, bytes] of kinds) {
    const payload = Uint8Array.from({ length }, (_, index) => index * 5 + length);
    const hex = Buffer.from(payload).toString('hex');
    const text = base58check(bytes, hex);
    assert.equal(hash.encode(kind, payload), text);
    assert.equal(hash.encode(prefix, payload), text);
    assert.deepEqual(hash.decode(text), { kind, prefix, hex, bytes: payload });
    const wrong = text.slice(0, -1) + (text.endsWith('1') ? '2' : '1');
    assert.throws(() => hash.decode(wrong), { name: 'RollsnapError', code: 'hash.text' });
    assert.throws(() => hash.encode(kind, payload.subarray(1)), { name: 'RollsnapError', code: 'hash.text' });
  }
  assert.throws(() => hash.decode(base58check([6, 161, 159], '00'.repeat(20))), { code: 'hash.text' });
});

test('streams that fail give their own error, files that cannot be read a typed one', async () => {
  const broken = new ReadableStream({ pull: () => Promise.reject(new RangeError('mine')) });
  await assert.rejects(inspectStream(broken), { name: 'RangeError', message: 'mine' });
  for (const [name, code] of [
    ['NotFoundError', 'io.not-found'],
    ['NotReadableError', 'source.changed'],
    ['OddError', 'io.other'],
  ]) {
    const gone = {
      name: 'my.snapshot',
      size: 9,
      stream: () => new ReadableStream({ pull: () => Promise.reject(new DOMException('gone', name)) }),
    };
    await assert.rejects(inspectBlob(gone), { name: 'RollsnapError', code, at: { path: 'my.snapshot' } });
  }
});

test('aborting stops with the reason of the signal', async () => {
  const bytes = fixture('archive.gz');
  const reason = new Error('no longer wanted');
  await assert.rejects(inspectBlob(new Blob([bytes]), { signal: AbortSignal.abort(reason) }), reason);
  const control = new AbortController();
  const progress = [];
  let cancelled;
  const stream = streamOf(bytes, 1000);
  const watched = new ReadableStream({
    start() {
      this.reader = stream.getReader();
    },
    async pull(controller) {
      controller.enqueue((await this.reader.read()).value);
    },
    cancel(why) {
      cancelled = why;
    },
  });
  const onProgress = (step) => {
    progress.push(step.read);
    if (progress.length === 3) control.abort(reason);
  };
  await assert.rejects(inspectStream(watched, { signal: control.signal, onProgress }), reason);
  assert.deepEqual(progress, [1000, 2000, 3000]);
  assert.equal(cancelled, reason);
  const silent = new AbortController();
  const waiting = inspectStream(new ReadableStream(), { signal: silent.signal });
  setTimeout(() => silent.abort(reason), 10);
  await assert.rejects(waiting, reason);
});

test('progress reaches the end', async () => {
  const bytes = fixture('archive.gz');
  const steps = [];
  const headers = [];
  await inspectBlob(new Blob([bytes]), {
    onProgress: (step) => steps.push(step),
    onHeader: (header) => headers.push(header),
  });
  assert.deepEqual(steps.at(-1), { read: bytes.length, total: bytes.length });
  assert.equal(headers.length, 1);
  assert.deepEqual(await inspectBlob(new Blob([bytes]), { headerOnly: true }), {
    header: headers[0],
    size: bytes.length,
  });
  assert.deepEqual((await inspectStream(streamOf(bytes), { headerOnly: true })).header, headers[0]);
});
