// A layer 1 node for pages: the stub of the fixtures behind a host that lets pages read its answers,
// and what the command line says of the same snapshot and the same node.
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { choose, done, visit } from './browser.mjs';
import { serveForeign } from './server.mjs';

const ROOT = new URL('../../../', import.meta.url).pathname;
const DATA = `${ROOT}tests/fixtures/data-dir/`;
const FILE = `${DATA}v5-archive.head.snapshot.gz`;

export const ARCHIVE = readFileSync(FILE);
export const EXPECTED = JSON.parse(readFileSync(`${DATA}v5-archive.expect.json`, 'utf8')).headers.head;
export const OPEN = { 'access-control-allow-origin': '*' };

/** What a browser writes to its console when a request fails. */
export const FAILED = ['Failed to load resource', 'CORS policy', 'net::ERR'];

/** A fault: `handler` answers the paths that have `part` in them. */
export const at = (part, handler) => (path) => (path.includes(part) ? handler : undefined);

export const COMMITMENT = '/commitment/';

/** A handler that sends this answer. */
export const send =
  (status, body = '', headers = {}) =>
  (_, response) =>
    response.writeHead(status, { ...OPEN, ...headers }).end(body);

/** A page at `base` that has read the archive; `prepare(page)` comes before that. */
export async function openArchive(t, browser, base, { prepare = () => {}, ...options } = {}) {
  const page = await visit(t, browser, base, { allow: FAILED, ...options });
  await prepare(page);
  await choose(page, 'v5-archive.snapshot', ARCHIVE);
  await done(page);
  return page;
}

/**
 * A host in front of the stub, which plays the layer 1 of the fixture `of`. `fault(path)` may give a handler that answers in its
 * place; `cors` may be said no.
 */
export async function serveLayer1(t, switches = [], { cors = true, of = 'v5-archive' } = {}) {
  const stub = spawn('python3', [`${DATA}../l1_stub.py`, `${DATA}${of}.l1.json`, ...switches], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => stub.kill());
  const [url] = await new Promise((resolve) =>
    createInterface(stub.stdout).once('line', (line) => resolve([line.trim()])),
  );
  const host = await serveForeign();
  t.after(() => host.close());
  const forward = (path) => async (_, response) => {
    const answer = await fetch(url + path, { redirect: 'manual' });
    response.writeHead(answer.status, { 'content-type': 'application/json', ...(cors ? OPEN : {}) });
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
  host.fault = () => undefined;
  host.answers.get = (path) => host.fault(path) ?? forward(path);
  return host;
}

/** The report of `rollsnap verify --json` with these options, without what it says of its own run. */
export function commandLine(...options) {
  return new Promise((resolve, reject) => {
    execFile(`${ROOT}target/debug/rollsnap`, ['verify', '--json', ...options, FILE], (error, stdout) => {
      if (!stdout) return reject(error);
      const { failures, advice, exit_status, phases, ...report } = JSON.parse(stdout);
      return resolve(report);
    });
  });
}

/** Presses "Check on L1" and waits for what comes of it. */
export async function ask(page, address) {
  await page.fill('#layer1', address);
  await page.click('#layer1-go');
  await answered(page);
  return page.textContent('[data-verdict=anchored] .explained');
}

/** The button asks again. */
export const answered = (page) =>
  page.waitForFunction(() => document.querySelector('#layer1-go').matches('[type=submit]:enabled'));

/** The report that the page shows, which is the one that it gives away; as the command line gives it. */
export const reportOf = async (page) => withoutHead(JSON.parse(await page.textContent('#report pre.preview')));

/** On the command line `context stat` tells what the head's commit consists of, not the report. */
export const withoutHead = (report) => ({ ...report, context: { ...report.context, head: null } });
