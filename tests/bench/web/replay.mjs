// node tests/bench/web/replay.mjs [FILE] [ROUNDS]: how many blocks a second Chromium runs again, in a worker of rollsnap/worker.
//
// FILE: a snapshot; the 1,500 nearly idle levels of a fixture if left out. Times are from the first block on: reading the file
// is left out. Run by hand after web/build: times are no tests.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENGINES } from '../../browser/lib/engines.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIXTURE = join(ROOT, 'tests/fixtures/replay/r5-long-compact.head.snapshot.gz');
const [file = FIXTURE, rounds = 5] = process.argv.slice(2);
const TYPES = {
  '.mjs': 'text/javascript',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.html': 'text/html',
};

const server = createServer((request, response) => {
  const path = join(ROOT, new URL(request.url, 'http://localhost').pathname);
  if (!existsSync(path)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
  createReadStream(path).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await ENGINES.chromium();
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/tests/bench/web/index.html`);
await page.setInputFiles('input', file);

const rates = [];
for (let round = 0; round <= rounds; round += 1) {
  const { blocks, seconds, replayed } = await page.evaluate(async () => {
    const { SnapshotWorker } = await import('/web/pkg/web/worker/worker.mjs');
    const worker = new SnapshotWorker();
    let [begun, blocks] = [0, 0];
    const report = await worker.replay(document.querySelector('input').files[0], {
      onBegin: () => (begun = performance.now()),
      onBlock: () => (blocks += 1),
    });
    const seconds = (performance.now() - begun) / 1000;
    worker.terminate();
    return { blocks, seconds, replayed: report.verdicts.replayed };
  });
  if (replayed !== 'yes') throw new Error(`replayed: ${replayed}`);
  // The first round warms up.
  if (round > 0) rates.push(blocks / seconds);
  process.stderr.write(`${blocks} blocks in ${seconds.toFixed(2)} s\n`);
}
await browser.close();
server.close();

rates.sort((a, b) => a - b);
const shown = (rate) => Math.round(rate).toLocaleString('en');
console.log(
  `Chromium ${browser.version()}: ${shown(rates[rates.length >> 1])} blocks a second (${shown(rates[0])}–${shown(rates.at(-1))}, ${rounds} rounds)`,
);
