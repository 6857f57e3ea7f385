// What the tests of the package share. Nothing here uses the code under test.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const SNAPSHOTS = join(ROOT, 'tests/fixtures/snapshot');

/** What the OCaml libraries say about each snapshot that is here. */
export function snapshots() {
  const all = JSON.parse(readFileSync(join(SNAPSHOTS, 'snapshots.json'), 'utf8'));
  const here = new Set(readdirSync(SNAPSHOTS));
  return Object.entries(all)
    .filter(([name]) => here.has(name))
    .map(([name, facts]) => ({ name, facts, path: join(SNAPSHOTS, name), bytes: fixture(name) }));
}

export function fixture(name) {
  return new Uint8Array(readFileSync(join(SNAPSHOTS, name)));
}

/** Noise that is the same each time. */
function noise(length, seed) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 32) createHash('sha256').update(`${seed} ${at}`).digest().copy(bytes, at);
  return bytes;
}

/** What the export of a directory with 10 MB more in it wrote, so that reading can begin in several places. */
export function exported(sizes = { one: 2_000_000, two: 6_000_000, three: 2_000_000 }) {
  const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  try {
    const data = join(place, 'data');
    mkdirSync(data);
    execFileSync('tar', [
      '-xf',
      join(ROOT, 'tests/fixtures/data-dir/v5-archive.tar'),
      '-C',
      data,
      '--strip-components=1',
    ]);
    for (const [name, size] of Object.entries(sizes)) writeFileSync(join(data, 'wasm_2_0_0', name), noise(size, name));
    const command = ['export', '--data-dir', data, '--dest', place, '--no-check', '--json'];
    const said = execFileSync(join(ROOT, 'target/debug/rollsnap'), command, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return readFileSync(JSON.parse(said).path);
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** The files of an uncompressed tar archive. */
export function untar(bytes) {
  const files = [];
  const text = (from, to) => Buffer.from(bytes.subarray(from, to)).toString('latin1').replace(/\0.*$/s, '');
  for (let at = 0; bytes[at]; ) {
    const size = Number.parseInt(text(at + 124, at + 136), 8);
    files.push({ name: text(at, at + 100), bytes: bytes.subarray(at + 512, at + 512 + size) });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** Base58Check, from its definition. */
export function base58check(prefix, hex) {
  const body = Buffer.concat([Buffer.from(prefix), Buffer.from(hex, 'hex')]);
  const sha256 = (data) => createHash('sha256').update(data).digest();
  let number = BigInt(`0x${Buffer.concat([body, sha256(sha256(body)).subarray(0, 4)]).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) {
    text = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'[Number(number % 58n)] + text;
  }
  return text;
}

/** The header that the report of a snapshot must have. */
export function expectedHeader(facts) {
  return {
    layout: 'versioned',
    version: 0,
    history_mode: facts.history_mode,
    rollup_address: base58check([6, 124, 117], facts.address_hash),
    known_as: null,
    head_level: facts.head_level,
    last_commitment: base58check([17, 165, 134, 138], facts.last_commitment),
  };
}

/** One member as nodes write it: V7 header, content, padding. */
export function tarHeader(name, size) {
  const block = Buffer.alloc(512);
  block.write(name, 0, 'latin1');
  block.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('14524372400\0', 136);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(7, '0')}\0`, 148);
  return block;
}

/** A snapshot header: archive mode, some rollup, level 7. */
export const HEADER = Buffer.from(`0000${'11'.repeat(20)}00000007${'22'.repeat(32)}`, 'hex');

/** The same JSON text for the same value, whatever the order of its keys. */
export function canonical(value) {
  return JSON.stringify(value, (_, found) =>
    found && typeof found === 'object' && !Array.isArray(found)
      ? Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
      : found,
  );
}

/** Bytes as a stream of chunks of `size` bytes. */
export function streamOf(bytes, size = 65536) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
    },
  });
}

const TYPES = {
  '.html': 'text/html',
  '.mjs': 'text/javascript',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** A web server on loopback. `answer(request, response)` says whether it has answered; else files of the project. */
export async function serve(answer = () => false) {
  const server = createServer((request, response) => {
    if (answer(request, response)) return;
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    try {
      const body = readFileSync(join(ROOT, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

/**
 * The fault server of tests/src/bin/fault_server.rs with these options and files (`{name: bytes}`), until the test ends.
 * `count()` gives what it has sent by now: `{body_bytes, requests, connections}`.
 */
export async function serveFaults(t, options, files) {
  const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  const paths = Object.entries(files).map(([name, bytes]) => {
    const path = typeof bytes === 'string' ? bytes : join(place, name);
    if (path !== bytes) writeFileSync(path, bytes);
    return path;
  });
  const all = options.map((option) => (option.startsWith('@') ? join(place, option.slice(1)) : option));
  const server = spawn(join(ROOT, 'target/debug/fault_server'), [...all, ...paths], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  t.after(async () => {
    server.stdin.end();
    await new Promise((resolve) => (server.exitCode === null ? server.once('exit', resolve) : resolve()));
    rmSync(place, { recursive: true });
  });
  const { value: origin } = await lines.next();
  const count = async () => {
    server.stdin.write('\n');
    return JSON.parse((await lines.next()).value);
  };
  return { origin, count };
}
