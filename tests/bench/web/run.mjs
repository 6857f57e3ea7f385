// node tests/bench/web/run.mjs [MB|FILE] [ROUNDS]: how fast a snapshot is inspected in Chromium.
//
// With FILE, a snapshot with a context: our inspection with and without *Consistent*. Else, with a made-up compressed
// one of that many MB, in a worker, interleaved: our whole inspection (inflate, CRC, tar, report), and for
// comparison only the decompression by the browser itself, by fflate and by pako. Run by hand after
// web/build: times are no tests.
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, createGzip, gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const [what = '256', rounds = 5] = process.argv.slice(2);
const megabytes = Number(what);
const WAYS = megabytes ? ['rollsnap', 'DecompressionStream', 'fflate', 'pako'] : ['rollsnap', 'consistent'];
const TYPES = {
  '.mjs': 'text/javascript',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.html': 'text/html',
};

const file = megabytes ? join(ROOT, `target/bench/web-${megabytes}.gz`) : what;
if (!existsSync(file)) await make(file);
const size = statSync(file).size;

const server = createServer((request, response) => {
  const path = join(ROOT, new URL(request.url, 'http://localhost').pathname);
  if (!existsSync(path)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
  createReadStream(path).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const page = await browser.newPage();
page.on('console', (message) => console.error(message.text()));
await page.goto(`http://127.0.0.1:${server.address().port}/tests/bench/web/index.html`);
await page.setInputFiles('input', file);

// On a busy machine the processor time of the page says more than the clock.
const session = await browser.newBrowserCDPSession();
const processor = async () =>
  (await session.send('SystemInfo.getProcessInfo')).processInfo.reduce(
    (sum, { type, cpuTime }) => sum + (type === 'renderer' ? cpuTime : 0),
    0,
  );

const seconds = Object.fromEntries(WAYS.map((way) => [way, []]));
const busy = Object.fromEntries(WAYS.map((way) => [way, []]));
let bytes;
for (let round = 0; round <= rounds; round += 1) {
  for (const way of WAYS) {
    const before = await processor();
    const result = await page.evaluate((name) => globalThis.measure(name), way);
    const used = (await processor()) - before;
    if (result.error) throw new Error(`${way}: ${result.error}`);
    bytes ??= result.bytes;
    if (result.bytes !== bytes) throw new Error(`${way} gave ${result.bytes} bytes, not ${bytes}`);
    // The first round warms up.
    if (round > 0) seconds[way].push(result.seconds);
    if (round > 0) busy[way].push(used);
    process.stderr.write(`${way} ${result.seconds.toFixed(2)} s\n`);
  }
}
await browser.close();
server.close();

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const ours = median(seconds.rollsnap);
console.log(
  `${(size / 1e6).toFixed(0)} MB compressed, ${(bytes / 1e6).toFixed(0)} MB in all; Chromium ${browser.version()}, medians of ${rounds} rounds`,
);
for (const way of WAYS) {
  const time = median(seconds[way]);
  const spread = `${Math.min(...seconds[way]).toFixed(2)}–${Math.max(...seconds[way]).toFixed(2)} s`;
  console.log(
    `${way.padEnd(20)} ${(size / 1e6 / time).toFixed(1).padStart(6)} MB/s of the file  ${(bytes / 1e6 / time).toFixed(0).padStart(5)} MB/s of data  ${spread}  processor ${median(busy[way]).toFixed(2)} s  rollsnap is ${(time / ours).toFixed(2)} × as fast`,
  );
}

/** A snapshot of `megabytes` MB compressed: real members, with other hashes in every copy. */
async function make(path) {
  mkdirSync(join(ROOT, 'target/bench'), { recursive: true });
  const source = gunzipSync(readFileSync(join(ROOT, 'tests/fixtures/snapshot/full-gc.gz')));
  const gzip = createGzip({ level: 6 });
  const out = createWriteStream(path);
  let written = 0;
  out.on('drain', () => {});
  gzip.on('data', (chunk) => {
    written += chunk.length;
    out.write(chunk);
  });
  const push = (block) => new Promise((resolve) => gzip.write(block, resolve));
  await push(source.subarray(0, 58));
  // Real members again and again, each copy with other hashes: 32 bytes in every 128.
  let seed = 1;
  for (let copy = 0; written < megabytes * 1e6; copy += 1) {
    for (let at = 58; source[at]; ) {
      const header = Buffer.from(source.subarray(at, at + 512));
      const length = Number.parseInt(header.toString('latin1', 124, 135), 8);
      const name = header.toString('latin1', 0, 100).replace(/\0.*/s, '');
      const blocks = Math.ceil(length / 512) * 512;
      const body = Buffer.from(source.subarray(at + 512, at + 512 + blocks));
      for (let byte = 0; byte < length; byte += byte % 128 === 31 ? 97 : 1) {
        seed = (seed * 48271) % 2147483647;
        body[byte] = seed >> 8;
      }
      at += 512 + blocks;
      if (length === 0) continue;
      header.fill(0, 0, 100);
      header.write(`context/${copy}/${name.replaceAll('/', '-')}`.slice(0, 100));
      header.fill(' ', 148, 156);
      header.write(
        `${header
          .reduce((sum, value) => sum + value, 0)
          .toString(8)
          .padStart(7, '0')}\0`,
        148,
      );
      await push(header);
      await push(body);
      await new Promise((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    }
  }
  gzip.end(Buffer.alloc(1024));
  await new Promise((resolve) => gzip.once('end', resolve));
  await new Promise((resolve) => out.end(resolve));
}
