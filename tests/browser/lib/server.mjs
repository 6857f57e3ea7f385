// Two servers on loopback: the page's own, under a sub-path, and a foreign host whose answers the
// tests choose.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

const WWW = new URL('../../../www/', import.meta.url).pathname;
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const listen = (handler) =>
  new Promise((resolve) => {
    const server = http.createServer(handler).listen(0, '127.0.0.1', () => resolve(server));
  });

/** The page below `/some/where/`. `replace(path, bytes)` may change what is sent. */
export async function servePage() {
  if (!existsSync(`${WWW}pkg/page.js`)) throw new Error('www/pkg is not complete: run web/build, then www/build');
  const state = { replace: (_, bytes) => bytes, asked: [] };
  const server = await listen(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    state.asked.push(pathname);
    const name = pathname.replace(/^\/some\/where\//, '').replace(/^$|\/$/, '$&index.html');
    const file = path.join(WWW, name);
    try {
      if (!pathname.startsWith('/some/where/') || !file.startsWith(WWW)) throw new Error('outside');
      const bytes = state.replace(name, await readFile(file));
      response
        .writeHead(200, {
          'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
          'content-length': Buffer.byteLength(bytes),
        })
        .end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  return Object.assign(state, {
    base: `http://localhost:${server.address().port}/some/where/`,
    close: () => shut(server),
  });
}

/** A host of another origin. `answers` maps a path to `(request, response) => …`. */
export async function serveForeign() {
  const answers = new Map();
  const asked = [];
  const server = await listen((request, response) => {
    asked.push({
      method: request.method,
      url: request.url,
      range: request.headers.range,
      cookie: request.headers.cookie,
      referer: request.headers.referer,
    });
    const answer = answers.get(request.url);
    if (answer) answer(request, response);
    else response.writeHead(404, { 'access-control-allow-origin': '*' }).end();
  });
  return { answers, asked, base: `http://127.0.0.1:${server.address().port}`, close: () => shut(server) };
}

/** Sends `bytes` as a host does that allows everything, or lacks some of it. */
export function sendFile(bytes, { cors = true, ranges = true, expose = true } = {}) {
  return (request, response) => {
    const headers = { 'content-type': 'application/octet-stream' };
    if (cors) headers['access-control-allow-origin'] = '*';
    if (cors && expose) headers['access-control-expose-headers'] = 'Content-Range';
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (!ranges || from === undefined) {
      response.writeHead(200, { ...headers, 'content-length': bytes.length });
      return response.end(request.method === 'HEAD' ? undefined : bytes);
    }
    const part = bytes.subarray(Number(from), Number(to) + 1);
    headers['content-range'] = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
    return response.writeHead(206, { ...headers, 'content-length': part.length }).end(part);
  };
}

function shut(server) {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}
