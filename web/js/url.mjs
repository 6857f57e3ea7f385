// Inspections of an address: the header by a range request, the whole as a stream.

import { failure } from './errors.mjs';
import { FIRST_BYTES, inspect, readFirst } from './inspect.mjs';
import { init, readHeader } from './load.mjs';

export async function inspectUrl(url, options = {}) {
  await init();
  const { signal, headerOnly } = options;
  signal?.throwIfAborted();
  const address = new URL(url, globalThis.location?.href).href;
  const failed = (error) => failure('http.connection', { path: address, cause: reason(error) });
  if (headerOnly) return readHeaderOf(address, { signal, failed });
  const response = await request(address, { signal });
  if (response.status !== 200) throw refused(address, response);
  return inspect(response.body ?? new Blob().stream(), { ...options, total: lengthOf(response), failed });
}

async function readHeaderOf(address, { signal, failed }) {
  const response = await request(address, { signal, headers: { range: `bytes=0-${FIRST_BYTES - 1}` } });
  const length = lengthOf(response);
  // A server may send a small file as a whole.
  const small = response.status === 200 && length <= FIRST_BYTES;
  // An empty file has no first byte to ask for.
  const empty = response.status === 416 && /\/0$/.test(response.headers.get('content-range') ?? '');
  if (response.status !== 206 && !small && !empty) {
    void response.body?.cancel().catch(() => {});
    throw response.status === 200 ? withoutRanges(address, response) : refused(address, response);
  }
  const first = empty || !response.body ? new Uint8Array() : await readFirst(response.body, { signal, failed });
  if (small || empty) return { header: readHeader(first), size: first.length };
  const range = response.headers.get('content-range');
  const [, last, size] = /^bytes 0-(\d+)\/(\d+|\*)$/.exec(range ?? '') ?? [];
  if (size) {
    // What was inflated on the way is not what the range counts, also where the server does not let the header be seen.
    const isOther = isEncoded(response) || first.length !== Number(last) + 1;
    return { header: readHeader(first), size: size === '*' || isOther ? undefined : Number(size) };
  }
  if (range) throw failure('http.range', { path: address, expected: 'bytes 0-…/…', found: range });
  const hidden = response.type === 'cors';
  const error = hidden
    ? failure('http.cors', {
        path: address,
        missing: 'Access-Control-Expose-Headers',
        cause: 'it must name Content-Range',
      })
    : failure('http.range', { path: address, missing: 'Content-Range' });
  error.header = readHeader(first);
  throw error;
}

async function request(address, init) {
  try {
    return await fetch(address, init);
  } catch (error) {
    init.signal?.throwIfAborted();
    if (isForeign(address) && (await answers(address, init.signal))) {
      throw failure('http.cors', { path: address, missing: 'Access-Control-Allow-Origin' });
    }
    const mixed = globalThis.location?.protocol === 'https:' && address.startsWith('http:');
    const cause = mixed ? 'a page that came by https cannot read an http address' : reason(error);
    throw failure('http.connection', { path: address, cause });
  }
}

/** Whether the server is there, though its answer may not be read. */
function answers(address, signal) {
  return fetch(address, { method: 'HEAD', mode: 'no-cors', signal }).then(
    () => true,
    () => {
      signal?.throwIfAborted();
      return false;
    },
  );
}

function isForeign(address) {
  const { location } = globalThis;
  return Boolean(location) && new URL(address).origin !== location.origin;
}

function withoutRanges(address, response) {
  const accepts = /\bbytes\b/.test(response.headers.get('accept-ranges') ?? '');
  return failure('http.range', { path: address, missing: accepts ? 'Content-Range' : 'Accept-Ranges' });
}

function refused(address, { status, statusText }) {
  return failure('http.status', { path: address, expected: 'status 200', found: `${status} ${statusText}`.trim() });
}

/** How many bytes will come; unknown when they were compressed for the journey. */
function lengthOf({ headers }) {
  const length = headers.get('content-length');
  return length === null || isEncoded({ headers }) ? undefined : Number(length);
}

/** Whether the bytes were compressed for the journey, and are not those of the file. */
function isEncoded({ headers }) {
  return !['', 'identity'].includes((headers.get('content-encoding') ?? '').trim().toLowerCase());
}

function reason(error) {
  return String(error?.cause?.message || error?.message || error);
}
