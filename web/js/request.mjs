// One request: what `fetch` does, with limits of time, and the words for what goes wrong.

import { failure } from './errors.mjs';
import { isPassing } from './load.mjs';
import { isMixed, isThere } from './network.mjs';

/** Longest silence of a server, in milliseconds. */
const SILENCE = 30_000;

/** Less than so many bytes a second, after so many milliseconds of waiting, is as good as silence. */
const SLOWEST = 1024;
const SETTLED = 20_000;

/** What belongs to an error of a request and is not for users: `{passing, status, retryAfter}`. */
const reasons = new WeakMap();

/** Why a request brought nothing or not all; undefined for any other error. */
export const reasonOf = (error) => reasons.get(error);

/** The error of an answer that is not what was wanted. `served`: whether the server has served a part before. */
export function refused(error, { status, headers }, served) {
  const retryAfter = secondsOf(headers.get('retry-after'), headers.get('date'));
  reasons.set(error, { passing: isPassing(status, served), status, retryAfter });
  return error;
}

/**
 * What `Retry-After` says, a number of seconds or a date, in seconds; undefined for nonsense. A date is one of the clock of
 * the server, which may be wrong.
 */
function secondsOf(text, now) {
  if (/^\s*\d{1,9}\s*$/.test(text ?? '')) return Number(text);
  const time = dateOf(text) - (dateOf(now) || Date.now());
  return Number.isNaN(time) ? undefined : Math.min(Math.max(0, Math.ceil(time / 1000)), 1e9);
}

/** In milliseconds; NaN for what is no date. What begins with a number is a date for some engines only. */
const dateOf = (text) => (/^\s*[A-Z][a-z]+,? /.test(text ?? '') ? Date.parse(text) : Number.NaN);

/** The error of a connection that another one may do better than. */
export function broken(address, cause) {
  const error = failure('remote.unreachable', { path: address.shown, cause });
  reasons.set(error, { passing: true });
  return error;
}

/** An answer, whose body is read piece by piece. */
export class Exchange {
  response;
  #address;
  #reader;
  #control = new AbortController();
  #signal;
  #timer;
  #stop = () => this.#control.abort(this.#signal.reason);
  #waited = 0;
  #got = 0;

  /**
   * Asks `place` for the file of `address`. `request`: what else `fetch` is given. `served`: whether the server has served
   * a part before, so that it lets itself be read.
   */
  static async begin(address, place, { method = 'GET', range, request = {}, signal, served, tally }) {
    const exchange = new Exchange(address, signal);
    const headers = new Headers(request.headers);
    const login = address.loginFor(place);
    if (login) headers.set('authorization', login);
    // One range in this form needs no permission of the server's. A condition such as If-Range would: every answer is
    // compared with the first one instead.
    if (range) headers.set('range', `bytes=${range.from}-${range.to - 1}`);
    try {
      // What a cache would give again could be the bytes that were damaged on their way.
      const options = { ...request, method, headers, cache: 'no-store', signal: exchange.#control.signal };
      const ask = () => {
        tally.requests += 1;
        return exchange.#patiently(fetch(place, options));
      };
      exchange.response = await ask().catch(async (error) => {
        signal?.throwIfAborted();
        if (error === SILENT || served || !isForeign(place) || isBarred(place)) throw error;
        tally.requests += 1;
        if (!(await isThere(place, { signal }))) throw error;
        // It is there, and is asked once more: a connection that broke is no refusal.
        return ask().catch(() => {
          throw failure('http.cors', { path: address.shown, missing: 'Access-Control-Allow-Origin' });
        });
      });
    } catch (error) {
      exchange.end();
      signal?.throwIfAborted();
      if (error === SILENT) throw exchange.#silent();
      throw error?.code === 'http.cors' ? error : whyFailed(address, place, error);
    }
    if (/^https:/.test(place) && /^http:/.test(exchange.response.url)) {
      exchange.end();
      throw failure('remote.redirect', {
        path: address.shown,
        cause: 'from https to http, where anybody on the way could put another file in its place',
      });
    }
    return exchange;
  }

  constructor(address, signal) {
    signal?.throwIfAborted();
    this.#address = address;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#stop, { once: true });
  }

  /** The next piece of the body; undefined at its end. */
  async read() {
    this.#reader ??= this.response.body?.getReader();
    if (!this.#reader) return undefined;
    const begun = performance.now();
    try {
      const { done, value } = await this.#patiently(this.#reader.read());
      this.#waited += performance.now() - begun;
      this.#got += value?.length ?? 0;
      if (done) return undefined;
      if (this.#waited > SETTLED && this.#got / this.#waited < SLOWEST / 1000) throw SILENT;
      return value;
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw error === SILENT ? this.#silent() : broken(this.#address, reason(error));
    }
  }

  /** Nothing more is wanted of it. */
  end() {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#control.abort();
  }

  /** Waits for no longer than a server may be silent. */
  async #patiently(promise) {
    let quiet;
    const silence = new Promise((_, reject) => (quiet = reject));
    this.#timer = setTimeout(() => quiet(SILENT), SILENCE);
    try {
      return await Promise.race([promise, silence]);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  #silent() {
    return broken(this.#address, 'it sends nothing, or next to nothing');
  }
}

const SILENT = Symbol('silent');

/** Whether a page of this origin must be allowed to read what comes from there. */
function isForeign(place) {
  const { location } = globalThis;
  return Boolean(location) && new URL(place).origin !== location.origin;
}

/** Whether browsers keep this page from asking at all. */
function isBarred(place) {
  const { location } = globalThis;
  return Boolean(location) && isMixed(location.href, place);
}

function whyFailed(address, place, error) {
  if (!isBarred(place)) return broken(address, reason(error));
  const cause = 'a page that came by https cannot read an http address';
  return failure('remote.unreachable', { path: address.shown, cause });
}

const reason = (error) => String(error?.cause?.message || error?.message || error);
