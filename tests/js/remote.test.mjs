// Files behind addresses: what is fetched of them, and what servers do wrong. The server is that of the tests of the
// command line; what is expected of a file is what reading it as a Blob, or Node's own zlib and hash, give.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { inspectBlob, inspectUrl, listMembers, openUrl, readMember } from '../../web/pkg/nodejs/rollsnap.mjs';
import { ROOT, exported, serve, serveFaults } from './support.mjs';

const own = exported();
const plain = gunzipSync(own);
const foreign = gzipSync(plain, { level: 6 });
const beside = indexOf(foreign);
const whole = await inspectBlob(new Blob([own]), { list: true });
const { list } = whole.members;
const small = list.find(({ name }) => name === 'metadata');
const large = list.find(({ name }) => name.endsWith('/three'));
const FIRST = 65536;

/** What `rollsnap index` writes beside a file. */
function indexOf(bytes) {
  const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  try {
    const file = join(place, 'foreign');
    writeFileSync(file, bytes);
    execFileSync(join(ROOT, 'target/debug/rollsnap'), ['index', file], { stdio: 'ignore' });
    return readFileSync(`${file}.idx`);
  } finally {
    rmSync(place, { recursive: true });
  }
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const contentOf = ({ offset, size }) => plain.subarray(offset, offset + size);

async function assertMember(found, member) {
  assert.equal(found.sha256, sha256(contentOf(member)), member.name);
  assert.equal(Buffer.from(await found.content.arrayBuffer()).equals(contentOf(member)), true, member.name);
  assert.deepEqual(found.member, member);
}

test('a header is one request for 64 KiB', async (t) => {
  for (const bytes of [own, plain, foreign]) {
    const { origin, count } = await serveFaults(t, [], { file: bytes });
    const { header, size, remote } = await inspectUrl(`${origin}/file`, { headerOnly: true });
    assert.deepEqual(header, { ...whole.header, compression: bytes === plain ? 'none' : 'gzip' });
    assert.equal(size, bytes.length);
    const { body_bytes, requests } = await count();
    assert.deepEqual([requests, body_bytes], [1, FIRST]);
    assert.deepEqual([remote.requests, remote.bytes_received, remote.ranges, remote.lacks], [1, FIRST, true, []]);
    assert.ok(remote.validator.etag.startsWith('"'));
  }
});

test('only what is needed is fetched: of our own files, of uncompressed ones, with an index beside', async (t) => {
  const files = { own, plain, foreign, 'foreign.idx': beside };
  const { origin, count } = await serveFaults(t, [], files);
  for (const name of ['own', 'plain', 'foreign']) {
    const url = `${origin}/${name}`;
    const before = await count();
    const listed = await listMembers(url, { headersOnly: true });
    assert.deepEqual(listed.members, whole.members, name);
    const after = await count();
    const [requests, bytes] = [after.requests - before.requests, after.body_bytes - before.body_bytes];
    assert.equal(listed.remote.requests, requests, name);
    const { url: shown, final_url, bytes_received, retries } = listed.remote;
    assert.deepEqual(listed.remote.sources, [{ url: shown, final_url, bytes_received, requests, retries }]);
    assert.ok(bytes < (name === 'plain' ? 2_500_000 : files[name].length - 1_000_000), `${name}: ${bytes} bytes`);
    assert.ok(requests <= list.length + 4, `${name}: ${requests} requests`);
    // By name, by place, and one after the other in the same file.
    await assertMember(await readMember(url, 'metadata'), small);
    const there = await readMember(url, small);
    await assertMember(there, small);
    assert.ok(there.remote.requests <= 5, `${name}: ${there.remote.requests} requests`);
    assert.ok(there.remote.bytes_received <= 5 << 20, `${name}: ${there.remote.bytes_received} bytes`);
    const file = await openUrl(url);
    for (const member of [large, small, ...list.slice(0, 3)])
      await assertMember(await readMember(file, member), member);
    const preview = await readMember(file, large, { limit: 1000 });
    assert.equal(Buffer.from(await preview.content.arrayBuffer()).equals(contentOf(large).subarray(0, 1000)), true);
    await assert.rejects(readMember(file, 'nothing'), { code: 'member.unknown' });
  }
});

test('a file that can only be read from its beginning is read so, unless that is not wanted', async (t) => {
  const { origin } = await serveFaults(t, [], { foreign });
  assert.equal(await listMembers(`${origin}/foreign`, { headersOnly: true }), undefined);
  const report = await listMembers(`${origin}/foreign`);
  assert.deepEqual([report.members, report.verdicts.intact], [whole.members, 'yes']);
  await assertMember(await readMember(`${origin}/foreign`, small), small);
});

test('an index beside that is another one is no help and no harm', async (t) => {
  const spoilt = Buffer.from(beside);
  spoilt[spoilt.length - 100] ^= 1;
  for (const index of [
    spoilt,
    beside.subarray(0, 39),
    beside.subarray(0, -1),
    Buffer.from('<html>'),
    indexOf(gzipSync(plain, { level: 1 })),
  ]) {
    const { origin } = await serveFaults(t, [], { foreign, 'foreign.idx': index });
    assert.equal(await listMembers(`${origin}/foreign`, { headersOnly: true }), undefined);
    await assertMember(await readMember(`${origin}/foreign`, small), small);
  }
});

/** What each fault comes to, when all of a file is read, and when its last member is. */
const GOOD = 'good';
const FAULTS = [
  ['--ignore-range'],
  ['--early 1'],
  ['--early 1048576'],
  ['--early 1048577', GOOD, 'remote.answer'],
  ['--late 1 --from 65536', 'remote.answer'],
  ['--late 1', 'remote.answer'],
  ['--late 1 --from 65536 --first 2'],
  ['--short 500000'],
  ['--no-content-range', 'remote.answer'],
  ['--no-content-range --from 65536', 'remote.answer'],
  ['--unknown-total', 'remote.answer'],
  ['--wrong-total 20000000 --from 65536', 'remote.changed'],
  ['--wrong-total 18446744073709551615', 'remote.answer'],
  ['--wrong-total 9007199254740992', 'remote.answer'],
  ['--wrong-total 1', 'remote.answer'],
  ['--replace @other --from 65536 --first 1', 'remote.changed', GOOD],
  ['--ignore-range --from 65536 --first 1'],
  ['--ignore-range --from 65536', 'remote.answer'],
  ['--html', 'header.foreign', 'member.unknown'],
  ['--html --from 65536', 'remote.changed'],
  ['--status 404', 'remote.status'],
  ['--status 410 --from 65536', 'remote.status'],
  ['--status 503 --first 2'],
  ['--status 403 --from 65536 --first 1'],
  ['--retry-after 429:1 --first 1'],
  ['--status 500', 'remote.status'],
  ['--redirect 302:/other --on /file', GOOD],
  ['--drop-before --first 2'],
  ['--drop-after 60000 --first 3'],
  ['--drop-every 3000000'],
  ['--reset-after 400000 --first 2'],
  ['--chunked'],
  ['--until-close'],
  ['--endless'],
  ['--length-over 1 --from 65536', 'remote.answer'],
  ['--length-under 1 --from 65536', 'remote.answer'],
  ['--garbage', 'remote.unreachable'],
];

for (const [options, expected = GOOD, ofMember = expected] of FAULTS) {
  test(`a server with ${options}: ${expected}`, async (t) => {
    const wanted = options.startsWith('--redirect')
      ? { file: Buffer.from('none'), other: own }
      : { file: own, other: plain };
    const { origin } = await serveFaults(t, options.split(' '), wanted);
    const url = `${origin}/file`;
    const told = (reading) =>
      reading.then(
        () => GOOD,
        ({ code, message }) => code ?? message,
      );
    const limits = { giveUp: 6000 };
    const all = inspectUrl(url, { list: true, ...limits }).then(({ members, checks }) => {
      const wrong = checks.find(({ status }) => status === 'no');
      if (wrong) throw wrong;
      assert.deepEqual(members, whole.members);
    });
    assert.equal(await told(all), expected);
    const one = readMember(url, large, limits).then((found) => assertMember(found, large));
    assert.equal(await told(one), ofMember);
  });
}

/** Where bytes of that member are in our own file: they are noise, and stored as they are. */
const INSIDE = own.indexOf(contentOf(large).subarray(1_000_000, 1_000_100));
assert.ok(INSIDE > 0);

test('damage is fetched again, and the side that did it is named', async (t) => {
  const read = async (...options) => {
    const { origin } = await serveFaults(t, options, { file: own });
    return readMember(`${origin}/file`, large);
  };
  const changing = (times) =>
    Array.from({ length: times }, (_, at) => [
      '--corrupt',
      `${INSIDE + at}`,
      '--after',
      `${at}`,
      '--first',
      '1',
    ]).flat();
  // Once, twice: the connection did it, and the member is right.
  for (const times of [1, 2]) await assertMember(await read(...changing(times)), large);
  await assertMember(await read('--shift', '7', '--from', '65536', '--first', '1'), large);
  // Always the same: the provider did it.
  await assert.rejects(read('--corrupt', `${INSIDE}`), ({ code, message }) => {
    assert.equal(code, 'gzip.index');
    return message.includes('the file at the provider is damaged');
  });
  // Others each time.
  await assert.rejects(read(...changing(3)), ({ code, message }) => {
    assert.equal(code, 'gzip.index');
    return message.includes('the connection damages them');
  });
});

test('members are not listed from what is damaged', async (t) => {
  const { origin } = await serveFaults(t, ['--corrupt', '70000'], { file: own });
  await assert.rejects(listMembers(`${origin}/file`), { code: 'gzip.index' });
  // A reading to the end says it as a reading of the file does.
  const changed = Buffer.from(own);
  changed[70000] ^= 1;
  const { remote, ...report } = await inspectUrl(`${origin}/file`);
  assert.deepEqual(report, await inspectBlob(new Blob([changed])));
  assert.equal(report.verdicts.intact, 'no');
});

test('a file that was opened stays the same one', async (t) => {
  const { origin } = await serveFaults(t, ['--replace', '@other', '--after', '2', '--first', '1'], {
    file: own,
    other: Buffer.concat([own.subarray(0, -1), Buffer.from([own.at(-1) ^ 1])]),
  });
  const url = `${origin}/file`;
  const { identity } = await openUrl(url);
  const file = await openUrl(url, { identity });
  assert.deepEqual(file.identity, identity);
  await assert.rejects(readMember(file, large), { code: 'remote.changed' });
  await assert.rejects(openUrl(url, { identity }), { code: 'remote.changed' });
  assert.notDeepEqual((await openUrl(url)).identity, identity);
});

test('a server that cannot tell versions apart is read, and that is said once', async (t) => {
  for (const [options, kind] of [
    [['--no-etag'], 'modified'],
    [['--weak-etag'], 'modified'],
  ]) {
    const { origin } = await serveFaults(t, options, { file: own });
    const notices = [];
    const found = await readMember(`${origin}/file`, large, { onNotice: (text) => notices.push(text) });
    await assertMember(found, large);
    assert.deepEqual(found.remote.lacks, ['ETag']);
    assert.deepEqual(Object.keys(found.remote.validator), [kind]);
    assert.deepEqual(notices, [
      'only the length of the file and its time of change tells one version of it from another: its answer lacks ETag',
    ]);
  }
});

test('a server that stays busy is given up', async (t) => {
  const { origin, count } = await serveFaults(t, ['--status', '503', '--from', '65536'], { file: own });
  const notices = [];
  const options = { giveUp: 1000, onNotice: (text) => notices.push(text) };
  await assert.rejects(readMember(`${origin}/file`, large, options), { code: 'remote.status', found: 'status 503' });
  const { requests } = await count();
  assert.ok(requests >= 3 && requests <= 4, `${requests}`);
  assert.equal(notices.length, requests - 2);
  assert.match(notices[0], /^the server does not serve the file: .*status 503.*; trying again$/);
});

for (const options of [
  '--stall-before',
  '--stall-before --from 65536',
  '--stall-after 1000',
  '--stall-after 1000 --from 65536',
  '--retry-after 503:3600',
  '--retry-after 503:3600 --from 65536',
  '--throttle 1000',
]) {
  test(`an abort acts at once: ${options}`, async (t) => {
    const { origin } = await serveFaults(t, options.split(' '), { file: own });
    for (const read of [inspectUrl, listMembers, (url, limits) => readMember(url, large, limits)]) {
      const control = new AbortController();
      const reason = new Error('no longer wanted');
      // Waits for longer than a pause that is not asked for by the server.
      const reading = read(`${origin}/file`, { signal: control.signal, giveUp: 1e9 });
      const timer = setTimeout(() => control.abort(reason), 300);
      await assert.rejects(reading, reason);
      clearTimeout(timer);
    }
    await assert.rejects(
      inspectUrl(`${origin}/file`, { signal: AbortSignal.abort('never') }),
      (why) => why === 'never',
    );
  });
}

test('memory stays flat, whatever a server sends', async (t) => {
  // 3 GB in place of the file: nobody keeps it.
  const large = join(mkdtempSync(join(tmpdir(), 'rollsnap-')), 'large');
  execFileSync('truncate', ['-s', '3G', large]);
  t.after(() => rmSync(large));
  const { origin, count } = await serveFaults(t, ['--ignore-range'], { large });
  await assert.rejects(inspectUrl(`${origin}/large`, { headerOnly: true }), { name: 'RollsnapError' });
  assert.ok((await count()).body_bytes < 64 << 20);
});

test('a server may say with a number or a date how long it wants to be left alone', async (t) => {
  const after = (seconds) => new Date(Date.now() + seconds * 1000).toUTCString();
  for (const [value, expected] of [
    ['1', GOOD],
    [after(1), GOOD],
    ['Sun, 06 Nov 1994 08:49:37 GMT', GOOD],
    ['-5', GOOD],
    ['soon', GOOD],
    ['9'.repeat(30), GOOD],
    ['3600', 'remote.status'],
    ['999999999', 'remote.status'],
    [after(3600), 'remote.status'],
  ]) {
    const { origin, count } = await serveFaults(t, ['--retry-after', `503:${value}`, '--first', '1'], { file: own });
    const reading = readMember(`${origin}/file`, small, { giveUp: 20_000 });
    const told = await reading.then(
      () => GOOD,
      ({ code }) => code,
    );
    assert.equal(told, expected, value);
    if (expected !== GOOD) assert.equal((await count()).requests, 1);
  }
});

test('a date is one of the clock of the server', async (t) => {
  let busy = true;
  const host = await serve((_, response) => {
    const range = { 'content-range': `bytes 0-${FIRST - 1}/${own.length}`, 'content-length': FIRST };
    const clock = { date: 'Sun, 06 Nov 2050 08:49:37 GMT', 'retry-after': 'Sun, 06 Nov 2050 08:49:38 GMT' };
    if (busy) response.writeHead(503, clock).end();
    else response.writeHead(206, range).end(own.subarray(0, FIRST));
    busy = false;
    return true;
  });
  t.after(() => host.close());
  const { remote } = await inspectUrl(host.origin, { headerOnly: true, giveUp: 20_000 });
  assert.equal(remote.retries, 1);
});

test('requests take the options of fetch', async () => {
  const seen = [];
  const own = await serve(({ headers }, response) => {
    seen.push([headers['x-token'], headers.range]);
    return response.writeHead(404).end();
  });
  await assert.rejects(inspectUrl(own.origin, { request: { headers: { 'x-token': 'a', range: 'bytes=5-6' } } }));
  await own.close();
  assert.deepEqual(seen, [['a', 'bytes=0-65535']]);
});

test('a connection that falls silent is left, and the rest is asked for again', async (t) => {
  const real = globalThis.setTimeout;
  t.after(() => (globalThis.setTimeout = real));
  // The silence that is waited for is half a minute; here it passes at once.
  globalThis.setTimeout = (call, time, ...values) => real(call, time >= 30_000 ? 100 : time, ...values);
  for (const options of [
    ['--stall-before', '--first', '1'],
    ['--stall-after', '1000', '--first', '1'],
    ['--stall-after', '100000', '--from', '65536', '--first', '2'],
  ]) {
    const { origin } = await serveFaults(t, options, { file: own });
    const found = await readMember(`${origin}/file`, large);
    await assertMember(found, large);
    assert.ok(found.remote.retries >= 1, options.join(' '));
  }
});

test('an address that a redirect gave and that holds no longer is asked for again', async (t) => {
  const asked = [];
  let valid = 1;
  const host = await serve(({ url, headers }, response) => {
    asked.push(url);
    if (url === '/latest') return response.writeHead(302, { location: `/signed?${valid}` }).end();
    if (url !== `/signed?${valid}`) return response.writeHead(403).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range).map(Number);
    const part = own.subarray(from, to + 1);
    const range = `bytes ${from}-${from + part.length - 1}/${own.length}`;
    return response.writeHead(206, { 'content-range': range, 'content-length': part.length, etag: '"a"' }).end(part);
  });
  t.after(() => host.close());
  const file = await openUrl(`${host.origin}/latest`);
  await assertMember(await readMember(file, small), small);
  assert.equal(asked.filter((url) => url === '/latest').length, 1);
  valid = 2;
  await assertMember(await readMember(file, large), large);
  assert.ok(asked.includes('/signed?2'));
  assert.equal(file.remote.final_url, `${host.origin}/signed?…`);
});

test('only the headers of a file of the user, too', async () => {
  assert.equal(await listMembers(new Blob([foreign]), { headersOnly: true }), undefined);
  assert.deepEqual((await listMembers(new Blob([own]), { headersOnly: true })).members, whole.members);
});
