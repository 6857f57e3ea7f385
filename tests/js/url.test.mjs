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
  const part = () => BYTES.subarray(0, 65536);
  const range = { 'content-range': `bytes 0-65535/${BYTES.length}`, 'accept-ranges': 'bytes' };
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
  const { header, size } = await inspectUrl(at('/ranges'), { headerOnly: true });
  assert.equal(header.rollup_address, 'sr1RfS3sHiBuDXh7zwJsVVeW6zLZu9fRsGWm');
  assert.equal(size, BYTES.length);
  assert.deepEqual(asked, [{ url: '/ranges', method: 'GET', range: 'bytes=0-65535' }]);
});

test('a whole file is read as a stream', async () => {
  const steps = [];
  const report = await inspectUrl(at('/ranges'), { list: true, onProgress: (step) => steps.push(step) });
  assert.deepEqual(report, await inspectBlob(new Blob([BYTES]), { list: true }));
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

test('what a server does not do is told by the header that is missing', async () => {
  const cases = [
    ['/no-ranges', { code: 'http.range', missing: 'Accept-Ranges' }],
    ['/announced-only', { code: 'http.range', missing: 'Content-Range' }],
    ['/unnamed-part', { code: 'http.range', missing: 'Content-Range' }],
    ['/wrong-part', { code: 'http.range', found: 'bytes 5-9/20' }],
    ['/missing', { code: 'http.status', found: '404 Not Found' }],
    ['/empty', { code: 'file.empty' }],
  ];
  for (const [path, expected] of cases) {
    await assert.rejects(inspectUrl(at(path), { headerOnly: true }), { name: 'RollsnapError', ...expected }, path);
  }
  await assert.rejects(
    inspectUrl(at('/unnamed-part'), { headerOnly: true }),
    ({ header }) => header.head_level === 1023,
  );
  await assert.rejects(inspectUrl(at('/missing')), { code: 'http.status', at: { path: at('/missing') } });
});

test('a broken connection is reported as one', async () => {
  await assert.rejects(inspectUrl(at('/breaks')), { name: 'RollsnapError', code: 'http.connection' });
  const gone = await serve();
  await gone.close();
  for (const options of [{}, { headerOnly: true }]) {
    await assert.rejects(inspectUrl(gone.origin, options), { name: 'RollsnapError', code: 'http.connection' });
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
