// The first answer of a server: it pins the file, brings its beginning, and says how the rest can be read.

import { failure } from './errors.mjs';
import { FirstAnswer, firstBytes, isEncoded } from './load.mjs';
import { broken, refused } from './request.mjs';

/** Why an answer that is too short is a broken connection. */
export const CUT = 'it closed the connection before the end of its answer';

/**
 * Makes the first request: `{pinned, first, ranges, size, validator}`. `pinned` judges later answers, where the server sends
 * parts; else the file comes from front to end, and its size is null where that is not known.
 */
export async function begin(server, signal) {
  const exchange = await server.ask({ from: 0, to: firstBytes() }, { signal });
  try {
    return await judge(server, exchange, signal);
  } finally {
    exchange.end();
  }
}

async function judge(server, exchange, signal) {
  const { response } = exchange;
  const { status, type, headers } = response;
  if (status === 206 && type === 'cors' && !headers.has('content-range')) {
    server.lack('Access-Control-Expose-Headers: Content-Range', 'the server does not let pages see what part it sends');
    const { first } = await beginning(server, exchange, firstBytes());
    return { first, ranges: false, size: await sizeByHead(server, signal), validator: null };
  }
  let pinned;
  try {
    pinned = FirstAnswer.of(response, server.address.shown);
  } catch (error) {
    throw refused(error, response, false);
  }
  const { ranges, size, validator, strong } = pinned.facts();
  // A file so long that JavaScript cannot count its bytes.
  if (typeof size === 'bigint') throw failure('remote.answer', { path: server.address.shown, found: `${size} bytes` });
  if (size === 0) return { first: new Uint8Array(), ranges: false, size, validator };
  if (isEncoded(headers)) return inflated(server, await beginning(server, exchange, firstBytes()));
  if (!ranges) {
    const { first, ended } = await beginning(server, exchange, firstBytes());
    if (!ended) server.lack('Content-Range', 'the server does not send parts of the file');
    return { first, ranges, size: ended ? first.length : size, validator };
  }
  const wanted = Math.min(firstBytes(), size);
  const { first, ended } = await beginning(server, exchange, wanted, true);
  // More than the range counts: `fetch` has inflated it, and the server does not let pages see that.
  if (!ended && type === 'cors' && !headers.has('content-encoding')) return inflated(server, { first });
  if (first.length < wanted) throw broken(server.address, CUT);
  if (!strong) warn(server, response);
  return { pinned, first, ranges, size, validator };
}

/** What is compressed on the way, or was stored so: no range counts the bytes that come here. */
function inflated(server, { first }) {
  server.lack('Content-Encoding: identity', 'the server sends other bytes than those of the file');
  return { first, ranges: false, size: null, validator: null };
}

/** The first bytes of a body, at most `most`, and whether it ended there; `toEnd` looks for that behind them too. */
async function beginning(server, exchange, most, toEnd = false) {
  const first = new Uint8Array(most);
  let length = 0;
  while (length < most || toEnd) {
    const piece = await server.read(exchange);
    if (!piece) return { first: first.subarray(0, length), ended: true };
    const wanted = piece.subarray(0, most - length);
    first.set(wanted, length);
    length += wanted.length;
    if (wanted.length < piece.length) break;
  }
  return { first: first.subarray(0, length), ended: false };
}

function warn(server, { type, headers }) {
  const hidden = type === 'cors' && !headers.has('etag');
  const modified = headers.has('last-modified') ? ' and its time of change' : '';
  const what = `only the length of the file${modified} tells one version of it from another`;
  server.lack(hidden ? 'Access-Control-Expose-Headers: ETag' : 'ETag', what);
}

/** The length of the file, which pages may always see in the head of the whole. */
async function sizeByHead(server, signal) {
  const exchange = await server.ask(undefined, { method: 'HEAD', signal }).catch(() => undefined);
  signal?.throwIfAborted();
  exchange?.end();
  return exchange?.response.ok ? lengthOf(exchange.response.headers) : null;
}

/** How many bytes will come; null when they were compressed for the journey, or nobody says. */
export function lengthOf(headers) {
  const length = headers.get('content-length') ?? '';
  return isEncoded(headers) || !/^\d{1,15}$/.test(length) ? null : Number(length);
}
