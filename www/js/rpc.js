// One layer 1 node, asked from a browser: bounded in time and size, with the meaning of its answers
// in the words of the command line.

import { PRIVATE, isMixed, isThere } from './network.js';

const MAX_ANSWER = 4 << 20;
const TOTAL_MS = 30_000;
const SILENCE_MS = 15_000;
const EXCERPT = 200;

/** Why there is no answer. `title` and `advice` take the place of those of the table. */
export class NoAnswer extends Error {
  constructor(code, { title, found, because, advice } = {}) {
    super(title ?? code);
    Object.assign(this, { code, title, found, because, advice });
  }

  /** As a check of the report has it: the title, and on the next line the cause. */
  text(titles) {
    return [this.title ?? titles(this.code), this.because].filter(Boolean).join('\n');
  }

  /** On one line. `titles(code)` gives the titles of the table. */
  line(titles) {
    return [this.title ?? titles(this.code), this.found && `found ${this.found}`, this.because].filter(Boolean).join(': ');
  }
}

/** What a node answers when it does not know the commitment, or the rollup. */
export const UNKNOWN = Symbol('unknown');

export class L1 {
  #endpoint;
  #signal;
  #readable = false;

  /** `signal` ends everything that is being asked. */
  constructor(endpoint, signal) {
    this.#endpoint = endpoint;
    this.#signal = signal;
  }

  /**
   * The value that `read` finds in the JSON at `path`, which is about the block at `level` where
   * that is given. `read` answers `undefined` if it is not there. Throws NoAnswer.
   */
  async ask(path, { level, read }) {
    const answer = await this.#get(path);
    this.#readable = true;
    return meaning(answer, path, level, read);
  }

  async #get(path) {
    const patience = new Patience(this.#signal);
    try {
      const response = await this.#fetch(this.#endpoint + path, patience);
      if (response.type === 'opaqueredirect') throw new NoAnswer('l1.answer', { because: 'it redirects to another address, which is not followed: give that address' });
      return { status: response.status, ok: response.ok, body: await this.#read(response, patience) };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (patience.isOver) throw this.#unreachable('it takes too long to answer');
      throw error instanceof NoAnswer ? error : this.#unreachable('it closed the connection before the end of its answer');
    } finally {
      patience.end();
    }
  }

  async #fetch(address, patience) {
    const options = { ...PRIVATE, redirect: 'manual', signal: patience.signal };
    const first = await fetch(address, options).catch(() => undefined);
    if (first) return first;
    if (isMixed(location.href, address)) {
      throw this.#unreachable('this page came by https, so the browser does not let it ask an http address', 'give an https address, or use the command line: rollsnap verify --endpoint');
    }
    // Asked without reading the answer, and once more: a connection that broke is no refusal.
    const there = await isThere(address, { method: 'GET', signal: patience.signal });
    const second = there && (await fetch(address, options).catch(() => undefined));
    if (second) return second;
    throw there ? this.#hidden(address) : this.#unreachable(nobody(address));
  }

  async #read(response, patience) {
    const parts = [];
    let size = 0;
    const reader = response.body?.getReader();
    for (; reader; ) {
      const { done, value } = await reader.read();
      if (done) break;
      patience.heard();
      size += value.length;
      if (size > MAX_ANSWER) {
        void reader.cancel().catch(() => {});
        throw new NoAnswer('l1.answer', { title: `the answer of the L1 node at ${this.#endpoint} is not understood`, because: `the answer is longer than ${MAX_ANSWER} bytes` });
      }
      parts.push(value);
    }
    return new Blob(parts).text();
  }

  #unreachable(because, advice) {
    return new NoAnswer('l1.unreachable', { title: `the L1 node at ${this.#endpoint} cannot be reached`, because, advice });
  }

  #hidden(address) {
    const advice = 'use the command line, which needs no such permission: rollsnap verify --endpoint; a node of your own gives it with --cors-origin';
    // The refusals of an access list often lack the permission that other answers have.
    return this.#readable
      ? new NoAnswer('http.cors', { title: `the L1 node at ${this.#endpoint} keeps this answer from web pages, though not others (CORS)`, because: `perhaps its access list forbids ${whatIs(address)}`, advice })
      : new NoAnswer('http.cors', { title: `the L1 node at ${this.#endpoint} does not let web pages read its answers (CORS)`, advice });
  }
}

/** Ends a request that takes too long as a whole, or whose answer makes no progress. */
class Patience {
  #late = new AbortController();
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
  return here ? 'nothing answers there, or the browser does not let this page ask this computer' : 'nothing answers there';
}

function meaning({ status, ok, body }, path, level, read) {
  const found = `status ${status} for ${path}`;
  if (ok) return valueOf(body, path, read);
  if (status === 401 || status === 403) throw new NoAnswer('l1.forbidden', { title: `this L1 node does not serve ${whatIs(path)} (its access list forbids it)` });
  const ids = errorIds(body);
  const is = (name) => ids.some((id) => id.split('.').at(-1) === `smart_rollup_${name}`);
  if (is('unknown_commitment') || is('does_not_exist')) {
    if (path.includes('/commitment/')) return UNKNOWN;
    throw is('unknown_commitment') ? new NoAnswer('l1.status', { found: `an unknown commitment, which nobody asked for, in ${path}` }) : new NoAnswer('l1.unknown-rollup');
  }
  if (status === 404 || status === 410) {
    throw level === undefined
      ? new NoAnswer('l1.answer', { found, because: 'an L1 node would know this path' })
      : new NoAnswer('l1.pruned', { title: `block ${level} pruned or unknown: use an archive node`, found });
  }
  throw new NoAnswer('l1.status', { found, because: excerpt(ids.length ? ids.join(', ') : body) });
}

function valueOf(body, path, read) {
  if (!body.trim()) throw new NoAnswer('l1.answer', { found: `an empty answer for ${path}` });
  let value;
  let because = 'it is not what was asked for';
  try {
    value = read(JSON.parse(body) ?? {});
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    because = 'it is not JSON';
  }
  if (value === undefined) throw new NoAnswer('l1.answer', { found: `${JSON.stringify(excerpt(body))} for ${path}`, because });
  return value;
}

const whatIs = (path) => (path.includes('/smart_rollups/') ? 'smart rollup storage' : path.includes('/levels/') ? 'its savepoint' : 'block data');

// Names of the errors in the body of a failed request; none if it is something else.
function errorIds(body) {
  try {
    const list = JSON.parse(body);
    return Array.isArray(list) && list.every((entry) => typeof entry?.id === 'string') ? list.map(({ id }) => id) : [];
  } catch {
    return [];
  }
}

// The beginning of a foreign text, on one line. What else is in it that cannot be seen is for those who show it.
function excerpt(text) {
  const plain = [...text.slice(0, 4 * EXCERPT).replace(/\p{White_Space}/gu, ' ').replace(/^ +| +$/g, '')];
  return plain.length > EXCERPT ? `${plain.slice(0, EXCERPT).join('')}…` : plain.join('');
}
