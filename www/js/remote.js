// Reading from an address: a range for the header, a stream for the whole, and, where the host
// does not allow it, the response header that is missing.

import { Failure, streamFailure } from './failures.js';
import { shellWord } from './format.js';
import { PRIVATE, isMixed, isThere } from './network.js';

/**
 * The first bytes behind `url`, and its size where the host tells it:
 * `{first, total, ranges, notes}`.
 */
export async function firstBytes(url, length, signal) {
  // One range from byte 0 needs no preflight by the Fetch standard.
  const response = await request(url, { headers: { Range: `bytes=0-${length - 1}` }, signal });
  const ranges = response.status === 206;
  const notes = [];
  let total = ranges ? totalOf(response.headers.get('Content-Range')) : lengthOf(response);
  if (!ranges)
    notes.push(
      'This host sends no parts of a file (its answer lacks Content-Range), so reading was stopped after the header.',
    );
  else if (total === undefined) {
    total = await sizeByHead(url, signal);
    if (total === undefined)
      notes.push('The host does not tell the size: its answer lacks Access-Control-Expose-Headers: Content-Range.');
  }
  return { first: await readFirst(response, length, signal), total, ranges, notes };
}

/** The whole file behind `url`. */
export async function openWhole(url, signal) {
  const response = await request(url, { signal });
  return { stream: response.body, total: lengthOf(response) };
}

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, ...PRIVATE });
  } catch {
    if (options.signal?.aborted) throw options.signal.reason;
    throw await diagnose(url, options.signal);
  }
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    throw failure(url, 'http.status', { found: `${response.status} ${response.statusText}`.trim() });
  }
  return response;
}

// A failed fetch tells no reason. An opaque request tells one from the other: the host is there
// and keeps its answer from other sites, or it is not there at all.
async function diagnose(url, signal) {
  if (isMixed(location.href, url)) {
    return failure(url, 'http.connection', {
      text: 'This page came by https, so the browser does not let it read an http address.',
    });
  }
  if (!(await isThere(url, { signal }))) return failure(url, 'http.connection');
  const text = 'It is there, but its answer lacks a response header, so the browser keeps the answer from this page.';
  return failure(url, 'http.cors', { text, missing: 'Access-Control-Allow-Origin: *' });
}

const failure = (url, code, more) => new Failure({ kind: 'remote', code, command: commandFor(url), ...more });

/** What does the same without a browser in between. */
export const commandFor = (url) => `curl -fL ${shellWord(url)} | rollsnap info -`;

async function readFirst(response, length, signal) {
  const reader = response.body.getReader();
  const first = new Uint8Array(length);
  let filled = 0;
  try {
    while (filled < length) {
      const { done, value } = await reader.read();
      if (done) break;
      const piece = value.subarray(0, length - filled);
      first.set(piece, filled);
      filled += piece.length;
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : streamFailure(error);
  } finally {
    reader.cancel().catch(() => {});
  }
  return first.subarray(0, filled);
}

async function sizeByHead(url, signal) {
  return fetch(url, { ...PRIVATE, method: 'HEAD', signal }).then(
    (response) => (response.ok ? lengthOf(response) : undefined),
    () => undefined,
  );
}

const number = (text) => (/^\d+$/.test(text ?? '') ? Number(text) : undefined);
const totalOf = (range) => number(range?.split('/')[1]);

function lengthOf(response) {
  // With a content coding the length is that of the coded bytes, not of what is read here.
  return response.headers.get('Content-Encoding') ? undefined : number(response.headers.get('Content-Length'));
}
