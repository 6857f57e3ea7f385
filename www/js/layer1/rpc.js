// One layer 1 node, asked from a browser: bounded in time and size. What its answers mean is the module's to say.

import { PRIVATE, isMixed, isThere } from '../network.js';

const TOTAL_MS = 30_000;
const SILENCE_MS = 15_000;

/** Why there is no answer, in words; `code` where the node can be reached, `title` and `advice` in place of the table's. */
class NoAnswer extends Error {
  constructor(because, { code, title, advice } = {}) {
    super(because ?? title);
    Object.assign(this, { because, code, title, advice });
  }
}

export class Node {
  #endpoint;
  #signal;
  #readable = false;
  #advice = new Map();

  /** `signal` ends everything that is being asked. */
  constructor(endpoint, signal) {
    this.#endpoint = endpoint;
    this.#signal = signal;
  }

  /** Makes a request of `layer1`, again where the node is busy, and tells it what came back. */
  async make({ path, maxBytes, about }, layer1) {
    const patience = new Patience(this.#signal);
    try {
      const { status, body } = await this.#getAgain(path, { maxBytes, about, patience, layer1 });
      this.#readable = true;
      if (body) layer1.answer(status, body);
      else layer1.tooLong();
    } catch (error) {
      this.#signal.throwIfAborted();
      const late = patience.isOver && new NoAnswer('it takes too long to answer');
      const broken =
        error instanceof NoAnswer ? error : new NoAnswer('it closed the connection before the end of its answer');
      const { because, code, title, advice } = late || broken;
      layer1.failed(because, code, title);
      if (advice) this.#advice.set(because ?? title, advice);
    } finally {
      patience.end();
    }
  }

  /** What to do about a problem that only a page has; undefined for all others. */
  adviceFor({ cause, title }) {
    return this.#advice.get(cause ?? title);
  }

  async #getAgain(path, { layer1, ...options }) {
    const { patience } = options;
    for (let tries = 1; ; tries += 1) {
      // What the browser says of a connection that broke in the middle is no answer of ours.
      const broken = (error) => {
        if (patience.signal.aborted || error instanceof NoAnswer) throw error;
        return { error };
      };
      const got = await this.#get(path, options).catch(broken);
      const pause = layer1.retryIn(got.error ? 0 : got.status, tries, got.retryAfter);
      // A redirect that the browser hides has status 0, too.
      const again = (got.error || got.status > 0) && pause !== undefined && pause < patience.left;
      if (again) await patience.rest(pause);
      else if (got.error) throw got.error;
      else return got;
    }
  }

  async #get(path, { maxBytes, about, patience }) {
    const response = await this.#fetch(this.#endpoint + path, { about, patience });
    // Other origins see it only where the node exposes it.
    const retryAfter = Number.parseInt(response.headers.get('Retry-After') ?? '', 10) || undefined;
    return { status: response.status, retryAfter, body: await read(response, maxBytes, patience) };
  }

  async #fetch(address, { about, patience }) {
    const options = { ...PRIVATE, redirect: 'manual', signal: patience.signal };
    const first = await fetch(address, options).catch(() => undefined);
    if (first) return first;
    if (isMixed(location.href, address)) {
      throw new NoAnswer('this page came by https, so the browser does not let it ask an http address', {
        advice: 'give an https address, or use the command line: rollsnap verify --endpoint',
      });
    }
    // Asked without reading the answer, and once more: a connection that broke is no refusal.
    const there = await isThere(address, { method: 'GET', signal: patience.signal });
    const second = there && (await fetch(address, options).catch(() => undefined));
    if (second) return second;
    throw there ? this.#hidden(about) : new NoAnswer(nobody(address));
  }

  #hidden(about) {
    const code = 'http.cors';
    const advice =
      'use the command line, which needs no such permission: rollsnap verify --endpoint; a node of your own gives it with --cors-origin';
    // The refusals of an access list often lack the permission that other answers have.
    return this.#readable
      ? new NoAnswer(`perhaps its access list forbids ${about}`, {
          code,
          advice,
          title: `the L1 node at ${this.#endpoint} keeps this answer from web pages, though not others (CORS)`,
        })
      : new NoAnswer(undefined, {
          code,
          advice,
          title: `the L1 node at ${this.#endpoint} does not let web pages read its answers (CORS)`,
        });
  }
}

/** The body as bytes; undefined when it is longer than that. */
async function read(response, maxBytes, patience) {
  const parts = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    patience.heard();
    size += value.length;
    if (size > maxBytes) {
      void reader.cancel().catch(() => {});
      return undefined;
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Ends a request that takes too long as a whole, or whose answer makes no progress. */
class Patience {
  #late = new AbortController();
  #end = Date.now() + TOTAL_MS;
  #total = setTimeout(() => this.#late.abort(), TOTAL_MS);
  #silence;

  constructor(signal) {
    this.signal = AbortSignal.any([signal, this.#late.signal]);
    this.heard();
  }

  heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#late.abort(), SILENCE_MS);
  }

  /** How many milliseconds are left. */
  get left() {
    return this.#end - Date.now();
  }

  /** Waits before the next try, unless everything is ended. */
  async rest(ms) {
    clearTimeout(this.#silence);
    await new Promise((done) => {
      setTimeout(done, ms);
      this.signal.addEventListener('abort', done, { once: true });
    });
    this.signal.throwIfAborted();
    this.heard();
  }

  get isOver() {
    return this.#late.signal.aborted;
  }

  end() {
    clearTimeout(this.#total);
    clearTimeout(this.#silence);
  }
}

// Some browsers, and some visitors, keep a public page from asking their own computer.
function nobody(address) {
  const here = location.protocol === 'https:' && address.startsWith('http:');
  return here
    ? 'nothing answers there, or the browser does not let this page ask this computer'
    : 'nothing answers there';
}
