// Inspections of an address, and what servers do wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspectBlob, inspectUrl } from '../../web/pkg/nodejs/rollsnap.mjs';
import { fixture, serve } from './support.mjs';

const BYTES = fixture('archive.gz');
const SMALL = fixture('origination.gz');
let server;
let asked;

/** `/ranges` sends parts, `/no-ranges` never does, and so on: one path for each kind of server. */
function answer({ url, headers, method }, response) {
  asked.push({ url, method, range: headers.range });
  const [, from = 0, to = BYTES.length] = /^bytes=(\d+)-(\d+)$/.exec(headers.range) ?? [];
  const end = Math.min(Number(to) + 1, BYTES.length);
  const part = () => BYTES.subarray(Number(from), end);
  const range = { 'content-range': `bytes ${from}-${end - 1}/${BYTES.length}`, 'accept-ranges': 'bytes' };
  const answers = {
    '/ranges': () =>
      headers.range
        ? response.writeHead(206, range).end(part())
        : response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES),
    '/no-ranges': () => response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES),
    '/announced-only': () =>
      response.writeHead(200, { 'content-length': BYTES.length, 'accept-ranges': 'bytes' }).end(BYTES),
    '/small': () => response.writeHead(200, { 'content-length': SMALL.length }).end(SMALL),
    '/unnamed-part': () => response.writeHead(206).end(part()),
    '/wrong-part': () => response.writeHead(206, { 'content-range': 'bytes 5-9/20' }).end('12345'),
    // As an object store sends a file that was stored with this header: fetch inflates it.
    '/inflated': () =>
      response
        .writeHead(headers.range ? 206 : 200, { ...(headers.range ? range : {}), 'content-encoding': 'gzip' })
        .end(headers.range ? part() : BYTES),
    '/identity': () => response.writeHead(206, { ...range, 'content-encoding': 'identity' }).end(part()),
    '/empty': () => response.writeHead(416, { 'content-range': 'bytes */0' }).end(),
    '/missing': () => response.writeHead(404).end('<html>'),
    '/breaks': () => {
      response.writeHead(200, { 'content-length': BYTES.length });
      response.write(BYTES.subarray(0, 50000), () => setTimeout(() => response.destroy(), 20));
    },
    '/never': () => {},
  };
  answers[url]?.();
  return url in answers;
}

before(async () => {
  asked = [];
  server = await serve(answer);
});
after(() => server.close());

const at = (path) => server.origin + path;

test('one range request is enough for the header', async () => {
  asked = [];
  const { header, size, remote } = await inspectUrl(at('/ranges'), { headerOnly: true });
  assert.equal(header.rollup_address, 'sr1RfS3sHiBuDXh7zwJsVVeW6zLZu9fRsGWm');
  assert.equal(size, BYTES.length);
  assert.deepEqual(asked, [{ url: '/ranges', method: 'GET', range: 'bytes=0-65535' }]);
  // The server says nothing that tells one version from another.
  assert.deepEqual([remote.ranges, remote.validator, remote.lacks], [true, 'none', ['ETag']]);
});

test('a whole file is read as a stream', async () => {
  const steps = [];
  const { remote, ...report } = await inspectUrl(at('/ranges'), { list: true, onProgress: (step) => steps.push(step) });
  assert.deepEqual(report, await inspectBlob(new Blob([BYTES]), { list: true }));
  assert.deepEqual([remote.requests, remote.bytes_received], [2, BYTES.length]);
  assert.deepEqual(steps.at(-1), { read: BYTES.length, total: BYTES.length });
});

test('a small file may come as a whole', async () => {
  const { header, size } = await inspectUrl(at('/small'), { headerOnly: true });
  assert.deepEqual([header.history_mode, size], ['archive', SMALL.length]);
});

test('the size of a file that was inflated on the way is not known', async () => {
  const { header, size } = await inspectUrl(at('/inflated'), { headerOnly: true });
  assert.deepEqual([header.compression, header.head_level, size], ['none', 1023, undefined]);
  const whole = await inspectUrl(at('/inflated'));
  assert.deepEqual([whole.container.compression, whole.verdicts.intact], ['none', 'yes']);
  const plain = await inspectUrl(at('/identity'), { headerOnly: true });
  assert.deepEqual([plain.header.compression, plain.size], ['gzip', BYTES.length]);
});

test('a server that sends no parts: the header, and then no more of it', async () => {
  for (const path of ['/no-ranges', '/announced-only']) {
    const notices = [];
    const options = { headerOnly: true, onNotice: (text) => notices.push(text) };
    const { header, size, remote } = await inspectUrl(at(path), options);
    assert.deepEqual([header.head_level, size], [1023, BYTES.length]);
    assert.deepEqual([remote.ranges, remote.lacks], [false, ['Content-Range']]);
    assert.deepEqual(notices, ['the server does not send parts of the file: its answer lacks Content-Range']);
  }
});

test('an answer that cannot be used', async () => {
  const cases = [
    ['/unnamed-part', { code: 'remote.answer' }],
    ['/wrong-part', { code: 'remote.answer' }],
    ['/missing', { code: 'remote.status', found: 'status 404' }],
    ['/empty', { code: 'file.empty' }],
  ];
  for (const [path, expected] of cases) {
    await assert.rejects(inspectUrl(at(path), { headerOnly: true }), { name: 'RollsnapError', ...expected }, path);
  }
  await assert.rejects(inspectUrl(at('/missing')), { code: 'remote.status', at: { path: at('/missing') } });
});

test('a broken connection is reported as one', async () => {
  await assert.rejects(inspectUrl(at('/breaks')), { name: 'RollsnapError', code: 'remote.unreachable' });
  const gone = await serve();
  await gone.close();
  for (const options of [{}, { headerOnly: true }]) {
    await assert.rejects(inspectUrl(gone.origin, options), { name: 'RollsnapError', code: 'remote.unreachable' });
  }
});

test('aborting rejects with the reason of the signal', async () => {
  const reason = new Error('no longer wanted');
  for (const headerOnly of [true, false]) {
    const control = new AbortController();
    const waiting = inspectUrl(at('/never'), { headerOnly, signal: control.signal });
    setTimeout(() => control.abort(reason), 10);
    await assert.rejects(waiting, reason);
  }
});

test('an address that is none is a TypeError', () => assert.rejects(inspectUrl('//'), TypeError));

test('an address of another scheme is refused', async () => {
  for (const url of [
    'file:///etc/passwd',
    new URL('file:///etc/passwd'),
    'ftp://host/file',
    's3://bucket/key',
    'data:text/plain,x',
  ])
    await assert.rejects(inspectUrl(url), { code: 'remote.address' }, url);
});

test('what is secret in an address goes to its server, and is not shown', async () => {
  const seen = [];
  const own = await serve(({ url, headers }, response) => {
    seen.push([url, headers.authorization]);
    return response.writeHead(404).end();
  });
  const url = `${own.origin.replace('//', '//me:pass%40word@')}/file?signature=secret#secret`;
  await assert.rejects(inspectUrl(url), ({ message, at, code }) => {
    assert.deepEqual([code, at], ['remote.status', { path: `${own.origin}/file?…` }]);
    return !/pass|secret/.test(message);
  });
  await own.close();
  assert.deepEqual(seen, [['/file?signature=secret', `Basic ${btoa('me:pass@word')}`]]);
});

test('a login does not follow a redirect to another server', async () => {
  const seen = [];
  const there = await serve(({ headers }, response) => {
    seen.push(headers.authorization);
    const range = { 'content-range': `bytes 0-${SMALL.length - 1}/${SMALL.length}` };
    return response.writeHead(206, range).end(SMALL);
  });
  const here = await serve((_, response) =>
    response.writeHead(302, { location: `${there.origin}/x?key=secret` }).end(),
  );
  const { remote } = await inspectUrl(here.origin.replace('//', '//me:word@'), { headerOnly: true });
  assert.deepEqual([remote.url, remote.final_url], [`${here.origin}/`, `${there.origin}/x?…`]);
  await Promise.all([here.close(), there.close()]);
  assert.deepEqual(seen, [undefined]);
});
