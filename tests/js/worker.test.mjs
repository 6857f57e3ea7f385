// rollsnap/worker in Node: what a thread tells is what the functions tell on this one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream, openAsBlob, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import * as full from '../../web/pkg/nodejs/full/full.mjs';
import { replay } from '../../web/pkg/nodejs/machine/machine.mjs';
import { RollsnapError, SnapshotWorker } from '../../web/pkg/nodejs/worker/worker.mjs';
import { large, ready, repeated } from './lib/aborts.mjs';
import { ROOT, SNAPSHOTS, canonical, fixture, serve } from './support.mjs';

const PATH = join(SNAPSHOTS, 'archive.gz');
const REPLAY = join(ROOT, 'tests/fixtures/replay/r5-dense.head.snapshot.gz');

test('reports, headers, lists and members', async (t) => {
  const worker = new SnapshotWorker();
  t.after(() => worker.terminate());
  const sources = async () => [
    PATH,
    await openAsBlob(PATH),
    readFileSync(PATH),
    createReadStream(PATH),
    [fixture('archive.gz')],
  ];
  const expected = canonical(await full.inspect(PATH, { list: true, consistent: true, digests: ['metadata'] }));
  for (const source of await sources()) {
    const report = await worker.inspect(source, { list: true, consistent: true, digests: ['metadata'] });
    assert.equal(canonical(report), expected);
  }
  for (const source of await sources()) {
    const { header, size } = await worker.inspect(source, { headerOnly: true });
    assert.deepEqual([header.head_level, size === undefined || size > 65536], [1023, true]);
  }
  const { members } = await worker.listMembers(PATH);
  assert.equal(members.list.length, 38);
  const metadata = await worker.readMember(PATH, 'metadata');
  const here = await full.readMember(PATH, 'metadata');
  assert.deepEqual([metadata.member, metadata.sha256], [here.member, here.sha256]);
  assert.equal(await metadata.content.text(), await here.content.text());
  const server = await serve();
  try {
    const address = new URL(`${server.origin}/tests/fixtures/snapshot/archive.gz`);
    const { remote, ...report } = await worker.inspect(address);
    const { remote: own, ...expected } = await full.inspect(address);
    assert.equal(canonical(report), canonical(expected));
    assert.deepEqual([remote.url, remote.bytes_received], [own.url, own.bytes_received]);
  } finally {
    await server.close();
  }
});

test('callbacks hear what they hear here, in the same order', async (t) => {
  const worker = new SnapshotWorker();
  t.after(() => worker.terminate());
  const hear = async (inspect) => {
    const heard = [];
    const content = [];
    await inspect(PATH, {
      onHeader: (header) => heard.push(['header', header]),
      onEvent: (event) => heard.push(['event', event]),
      onProgress: ({ read, total }) => heard.push(['progress', read, total]),
      extract: { metadata: (chunk, member, offset) => content.push([Buffer.from(chunk), member, offset]) },
    });
    return { heard, content };
  };
  const there = await hear((...values) => worker.inspect(...values));
  const here = await hear(full.inspect);
  assert.equal(
    canonical(there.heard.filter(([kind]) => kind !== 'progress')),
    canonical(here.heard.filter(([kind]) => kind !== 'progress')),
  );
  assert.deepEqual(there.heard.at(-1), here.heard.at(-1));
  assert.equal(canonical(there.content), canonical(here.content));
});

test('errors are those of the functions', async (t) => {
  const worker = new SnapshotWorker();
  t.after(() => worker.terminate());
  await assert.rejects(worker.inspect('/nowhere/at/all'), (error) => {
    assert.ok(error instanceof RollsnapError);
    assert.deepEqual([error.code, error.at], ['io.not-found', { path: '/nowhere/at/all' }]);
    return true;
  });
  const cut = await worker.inspect(fixture('archive.gz').subarray(0, 60_000));
  assert.equal(cut.verdicts.intact, 'no');
  await assert.rejects(worker.readMember(PATH, 'nothing'), { code: 'member.unknown' });
  for (const source of [undefined, 7, {}, ['text']]) await assert.rejects(worker.inspect(source), TypeError);
  await assert.rejects(worker.inspect(PATH, { maxMembers: 'many' }), TypeError);
  await assert.rejects(worker.replay(PATH, { reveal: {} }), TypeError);
  const failing = async function* () {
    yield fixture('archive.gz').subarray(0, 1000);
    throw new RangeError('the disk is gone');
  };
  await assert.rejects(worker.inspect(failing()), { name: 'RangeError', message: 'the disk is gone' });
  const reason = new Error('a fault of the callback');
  const onHeader = () => {
    throw reason;
  };
  await assert.rejects(worker.inspect(PATH, { onHeader }), reason);
  // After all that it is of use.
  assert.equal((await worker.inspect(PATH)).verdicts.intact, 'yes');
});

test('an abort ends a job, whatever the thread does; the others go on', async (t) => {
  const worker = new SnapshotWorker();
  t.after(() => worker.terminate());
  const reason = new Error('enough');
  const aborted = async (start) => {
    const stop = new AbortController();
    const job = start(stop);
    const after = worker.listMembers(PATH);
    await assert.rejects(job, reason);
    assert.equal((await after).members.list.length, 38);
  };
  const onProgress = (stop) => ({ signal: stop.signal, onProgress: () => stop.abort(reason) });
  await aborted((stop) => worker.inspect(large(), onProgress(stop)));
  await aborted((stop) => worker.inspect(ready(repeated()), onProgress(stop)));
  await aborted((stop) => worker.replay(REPLAY, { signal: stop.signal, onBlock: () => stop.abort(reason) }));
  // Never asked for again: it would be waited for without end.
  await aborted((stop) => {
    setTimeout(() => stop.abort(reason), 20);
    return worker.inspect(new ReadableStream({}), { signal: stop.signal });
  });
  await assert.rejects(worker.inspect(PATH, { signal: AbortSignal.abort(reason) }), reason);
  // One that waits for its turn is not waited for.
  const long = worker.inspect(large());
  const stop = new AbortController();
  const waiting = worker.inspect(PATH, { signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(waiting, reason);
  worker.terminate();
  await assert.rejects(long, { name: 'AbortError' });
  await assert.rejects(worker.inspect(PATH), { name: 'AbortError' });
});

test('a replay: its blocks, and the end of a kernel that takes too long', async (t) => {
  const worker = new SnapshotWorker();
  t.after(() => worker.terminate());
  const run = async (replayed) => {
    const seen = [];
    const report = await replayed(REPLAY, {
      from: 5010,
      to: 5012,
      onBegin: (plan) => seen.push(plan),
      onBlock: (block) => seen.push(block),
    });
    return { seen, report };
  };
  const there = await run((...values) => worker.replay(...values));
  const here = await run(replay);
  assert.deepEqual(there, here);
  assert.equal(there.report.verdicts.replayed, 'yes');
  await assert.rejects(worker.replay(REPLAY, { blockTimeout: 0 }), (error) => {
    assert.ok(error instanceof RollsnapError);
    assert.equal(error.code, 'pvm.time');
    return true;
  });
  assert.equal((await worker.replay(REPLAY, { last: 1, blockTimeout: 60_000 })).verdicts.replayed, 'yes');
});

test('pre-images that the snapshot lacks come from who has them', async (t) => {
  const worker = new SnapshotWorker();
  t.after(() => worker.terminate());
  const plain = gunzipSync(readFileSync(REPLAY));
  const kept = [plain.subarray(0, 58)];
  const names = new Map();
  let at = 58;
  while (plain[at]) {
    const name = plain.toString('latin1', at, at + 100).replace(/\0.*/s, '');
    const size = Number.parseInt(plain.toString('latin1', at + 124, at + 135), 8);
    const next = at + 512 + Math.ceil(size / 512) * 512;
    const content = Uint8Array.from(plain.subarray(at + 512, at + 512 + size));
    if (name.startsWith('wasm_2_0_0/')) names.set(name.slice('wasm_2_0_0/'.length), content);
    else kept.push(plain.subarray(at, next));
    at = next;
  }
  const without = new Blob([...kept, plain.subarray(at)]);
  assert.equal(names.size, 6);
  for (const run of [replay, (...values) => worker.replay(...values)]) {
    const lacking = await run(without);
    assert.equal(lacking.verdicts.replayed, 'unknown');
    assert.ok(lacking.checks.some(({ code }) => code === 'pvm.refused.reveal'));
    const hashes = new Map([...names].map(([name, content]) => [name.slice(2), content]));
    for (const preimages of [names, hashes, Object.fromEntries(names)])
      assert.equal((await run(without, { preimages })).verdicts.replayed, 'yes');
    const wrong = await run(without, {
      preimages: new Map([...names.keys()].map((name) => [name, new Uint8Array(3)])),
    });
    assert.notEqual(wrong.verdicts.replayed, 'yes');
  }
});

test('a process ends though its worker has not been terminated', () => {
  const text = `
    import { SnapshotWorker } from ${JSON.stringify(import.meta.resolve('../../web/pkg/nodejs/worker/worker.mjs'))};
    const report = await new SnapshotWorker().inspect(${JSON.stringify(PATH)});
    console.log(report.verdicts.intact);`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', text], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(out, 'yes\n');
});
