// A file behind an address, read in parts like a Blob. Which answers may be put together is decided by core.

import { Address } from './address.mjs';
import { failure } from './errors.mjs';
import { init } from './load.mjs';
import { CUT, begin, lengthOf } from './opening.mjs';
import { broken, refused } from './request.mjs';
import { Server } from './server.mjs';

/** How much of what was fetched is kept, in bytes. */
const KEPT = 16 << 20;

/** Who goes on and on in small pieces gets larger ones, up to so many bytes. */
const MOST_AHEAD = 1 << 20;

/** How often a server is asked that cannot be reached, before anything came from it. */
const FIRST_TRIES = 4;

const BRAND = Symbol.for('rollsnap.RemoteFile');

export class RemoteFile {
  #file;
  #signal;

  /** Makes the first request. `options`: those of openUrl, and `tries`. */
  static async open(address, { signal, identity, tries = FIRST_TRIES, ...options }) {
    signal?.throwIfAborted();
    const server = new Server(address, options);
    const opening = await server.insist(() => begin(server, signal), tries, signal);
    const file = new RemoteFile({ ...opening, server, kept: [], begun: performance.now() }, signal);
    if (identity && JSON.stringify(identity) !== JSON.stringify(file.identity)) {
      throw failure('remote.changed', { path: address.shown });
    }
    return file;
  }

  constructor(file, signal) {
    this.#file = file;
    this.#signal = signal;
    this[BRAND] = true;
  }

  // The small and the full package each have this class, and take the files of the other.
  static [Symbol.hasInstance](value) {
    return Boolean(value?.[BRAND]);
  }

  /** The same file, for who stops with another signal. */
  under(signal) {
    return signal ? new RemoteFile(this.#file, signal) : this;
  }

  get size() {
    return this.#file.size ?? undefined;
  }

  /** Its first bytes, enough for a header. */
  get first() {
    return this.#file.first;
  }

  /** Whether it can be read here and there. */
  get ranges() {
    const { ranges, size, first } = this.#file;
    return ranges || first.length === size;
  }

  /** What tells this version of the file from another; undefined where the server does not send parts. */
  get identity() {
    const { ranges, size, validator } = this.#file;
    return ranges ? { size, validator } : undefined;
  }

  /** What came from where until now, in the words of a report. */
  get remote() {
    const { ranges, validator, server, begun } = this.#file;
    const [url, final_url] = [server.address.shown, server.shown];
    return {
      url,
      final_url,
      ranges,
      ...(ranges ? { validator } : {}),
      ...server.tally,
      time_ms: Math.round(performance.now() - begun),
      sources: ranges ? [{ url, final_url, ...server.tally }] : [],
      lacks: [...server.lacks],
    };
  }

  /** As that of a Blob: the bytes come when they are asked for. */
  slice(from, to) {
    return { arrayBuffer: async () => (await this.#read(from, Math.min(to, this.size))).buffer };
  }

  /** All of it, from front to end. Where the server sends parts, a connection that breaks loses nothing. */
  stream() {
    const bytes = this.ranges ? this.#parts() : this.#whole();
    return new ReadableStream(
      {
        async pull(controller) {
          const { done, value } = await bytes.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => void bytes.return(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Forgets these bytes, so that they are fetched anew. */
  forget(from, to) {
    this.#file.kept = this.#file.kept.filter((part) => part.to <= from || part.from >= to);
  }

  /** The index beside the file, which is asked for once; undefined where there is none. */
  async beside() {
    this.#file.beside ??= this.#openBeside();
    return (await this.#file.beside)?.under(this.#signal);
  }

  async #openBeside() {
    const { server } = this.#file;
    const address = server.address.beside();
    if (!address) return undefined;
    try {
      const file = await RemoteFile.open(address, { ...server.options, signal: this.#signal, tries: 1 });
      return file.ranges ? file : undefined;
    } catch {
      if (this.#signal?.aborted) this.#file.beside = undefined;
      this.#signal?.throwIfAborted();
      // A server says in many ways that it has no such file.
      return undefined;
    }
  }

  async #read(from, to) {
    const bytes = new Uint8Array(Math.max(0, to - from));
    let at = from;
    const take = (part) => {
      const piece = part.subarray(0, to - at);
      bytes.set(piece, at - from);
      at += piece.length;
    };
    const { first } = this.#file;
    if (at < first.length) take(first.subarray(at));
    while (at < to) {
      const part = this.#file.kept.find((part) => part.from <= at && at < part.to);
      if (part) take(part.bytes.subarray(at - part.from));
      else await this.#load(at, to);
    }
    return bytes;
  }

  /** Fetches these bytes, and more of what follows for a reader who goes on and on. */
  async #load(from, to) {
    const file = this.#file;
    file.inARow = file.last?.to === from ? file.inARow + 1 : 0;
    const ahead = file.inARow > 1 ? Math.min(2 * (from - file.last.from), MOST_AHEAD) : 0;
    const end = Math.min(Math.max(to, from + ahead), file.size);
    const bytes = new Uint8Array(end - from);
    let length = 0;
    for await (const piece of this.#bytes(from, end)) {
      bytes.set(piece, length);
      length += piece.length;
    }
    file.last = { from, to: end };
    file.kept.push({ from, to: end, bytes });
    let held = file.kept.reduce((sum, part) => sum + part.bytes.length, 0);
    while (held > KEPT && file.kept.length > 1) held -= file.kept.shift().bytes.length;
  }

  async *#parts() {
    const { first, size } = this.#file;
    if (first.length) yield first;
    yield* this.#bytes(first.length, size);
  }

  /** A file that comes as a whole: what came of it once cannot be put together with what comes later. */
  async *#whole() {
    const { server } = this.#file;
    const ask = async () => {
      const exchange = await server.ask(undefined, { signal: this.#signal });
      const { status } = exchange.response;
      if (status === 200) return exchange;
      exchange.end();
      const error = failure('remote.status', { path: server.address.shown, found: `status ${status}` });
      throw refused(error, exchange.response, false);
    };
    const exchange = await server.insist(ask, FIRST_TRIES, this.#signal);
    try {
      this.#file.size ??= lengthOf(exchange.response.headers);
      for (;;) {
        const piece = await server.read(exchange);
        if (!piece) return;
        if (piece.length) yield piece;
      }
    } finally {
      exchange.end();
    }
  }

  /** These bytes as they come; asks for the rest again where a connection breaks. */
  async *#bytes(from, to) {
    let [at, tries, since] = [from, 0, performance.now()];
    while (at < to) {
      const before = at;
      try {
        for await (const piece of this.#fetch(at, to)) {
          at += piece.length;
          yield piece;
        }
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (at > before) [tries, since] = [0, performance.now()];
        else tries += 1;
        const dry = performance.now() - since;
        await this.#file.server.recover(error, { tries, dry, signal: this.#signal });
      }
    }
  }

  /** Makes one request, and gives what comes of these bytes: it can be less than all. */
  async *#fetch(from, to) {
    const { server, pinned } = this.#file;
    const exchange = await server.ask({ from, to }, { served: true, signal: this.#signal });
    try {
      let [skip, left] = [0, 0];
      try {
        ({ skip, len: left } = pinned.accept(from, to, exchange.response, server.address.shown));
      } catch (error) {
        throw refused(error, exchange.response, true);
      }
      while (left > 0) {
        const piece = await server.read(exchange);
        if (!piece) throw broken(server.address, CUT);
        const wanted = piece.subarray(skip, skip + left);
        skip -= Math.min(skip, piece.length);
        left -= wanted.length;
        if (wanted.length) yield wanted;
      }
      // Read to its end, the connection can be used again. Of a body without a length nobody knows whether more comes.
      if (exchange.response.headers.has('content-length')) await server.read(exchange);
    } finally {
      exchange.end();
    }
  }
}

/** Opens the file behind an address: makes the first request. */
export async function openUrl(url, options = {}) {
  await init();
  return RemoteFile.open(new Address(url), options);
}
