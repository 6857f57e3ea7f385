// The one place that knows the package: bytes in, plain messages out.

import { Inspector, codes, init, memoryBytes, readHeader, version } from '../pkg/rollsnap.mjs';

/** So many bytes are enough for a header, compressed or not. */
export const FIRST_BYTES = 65536;

/** Small text members that the first pass keeps, to show them without a second one. */
const KEPT = new Set(['metadata', 'storage/version', 'storage/history_mode', 'storage/l2_head']);
const KEPT_BYTES = 65536;
const EVERY_MS = 100;

/** Loads the module, once. */
export const ready = () => init();

/** Version of the package and its table of codes. */
export const about = () => ({ version: version(), codes: codes() });

/** The header in these first bytes; throws what the file is instead. */
export const header = (first) => readHeader(first);

/**
 * Reads a snapshot to its end. `tell` gets `members`, `problem`, `texts` and `progress`
 * messages on the way; the answer is the report and how the reading went.
 */
export async function inspect({ stream, total, failed }, { signal, tell }) {
  const inspector = new Inspector({});
  const pace = new Pace(total, tell);
  let members = [];
  let open;
  const flush = (read) => {
    if (members.length) tell({ type: 'members', members });
    members = [];
    pace.tell(read);
  };
  const take = (event) => {
    if (event.type === 'member') members.push((open = plain(event)));
    else if (event.type === 'problem') tell({ type: 'problem', problem: plain(event.problem), member: open?.name });
  };
  const texts = keepTexts(inspector);
  try {
    let read = 0;
    for await (const chunk of chunks(stream, failed, signal)) {
      for (const event of inspector.feed(chunk)) take(event);
      read += chunk.length;
      if (pace.isDue()) flush(read);
    }
    const memory = memoryBytes();
    const report = inspector.finish();
    for (const event of inspector.events()) take(event);
    flush(read);
    tell({ type: 'texts', texts: texts() });
    return { report, read, seconds: pace.seconds(), memory };
  } catch (error) {
    flush();
    tell({ type: 'texts', texts: texts() });
    throw error;
  } finally {
    inspector.free();
  }
}

/**
 * A second pass for one member: its SHA-256 where `digest` asks for it, its bytes to `sink` (which
 * may answer a promise, and `false` for "enough"). Stops behind the member.
 */
export async function oneMember({ stream, total, failed }, name, { digest = false, sink, signal, tell }) {
  const inspector = new Inspector({ digests: digest ? [name] : false });
  const pace = new Pace(total, tell);
  const pieces = [];
  if (sink) inspector.extract(name, (data) => void pieces.push(data.slice()));
  try {
    let read = 0;
    for await (const chunk of chunks(stream, failed, signal)) {
      let end;
      for (const event of inspector.feed(chunk)) {
        if (event.type === 'problem') throw event.problem;
        if (event.type === 'member-end' && event.name === name) end = { sha256: event.sha256 };
      }
      for (const piece of pieces.splice(0)) {
        if ((await sink(piece)) === false) return {};
      }
      if (end) return end;
      read += chunk.length;
      if (pace.isDue()) pace.tell(read);
    }
    throw new Error(`The file has ended before the end of ${name}.`);
  } finally {
    inspector.free();
  }
}

/** A second pass for the SHA-256 of every member; tells `digests` messages. */
export async function allDigests({ stream, total, failed }, { signal, tell }) {
  const inspector = new Inspector({ digests: true });
  const pace = new Pace(total, tell);
  let digests = [];
  const flush = (read) => {
    if (digests.length) tell({ type: 'digests', digests });
    digests = [];
    pace.tell(read);
  };
  try {
    let read = 0;
    for await (const chunk of chunks(stream, failed, signal)) {
      for (const event of inspector.feed(chunk)) {
        if (event.type === 'member-end') digests.push([event.name, event.sha256]);
      }
      read += chunk.length;
      if (pace.isDue()) flush(read);
    }
    flush(read);
    return {};
  } finally {
    inspector.free();
  }
}

// Reads as the stream gives it (about 2 MB from a file); `failed` names an error of the browser.
async function* chunks(stream, failed, signal) {
  const reader = stream.getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read().catch((error) => {
        throw signal.aborted ? signal.reason : failed(error);
      });
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function keepTexts(inspector) {
  const kept = new Map();
  for (const name of KEPT) {
    inspector.extract(name, (data) => {
      const before = kept.get(name) ?? [];
      const size = before.reduce((sum, piece) => sum + piece.length, 0);
      if (size < KEPT_BYTES) kept.set(name, [...before, data.slice(0, KEPT_BYTES - size)]);
    });
  }
  return () => [...kept].map(([name, pieces]) => [name, new Blob(pieces)]);
}

// Objects of the package may be class instances; messages between threads are plain.
function plain({ name, size, mode, mtime, offset, code, title, message, advice, at, member, expected, found }) {
  const all = { name, size, mode, mtime, offset, code, title, message, advice, at, member, expected, found };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Tells the progress, but not more often than anybody can look. */
class Pace {
  #start = performance.now();
  #told = -Infinity;
  #total;
  #tell;

  constructor(total, tell) {
    this.#total = total;
    this.#tell = tell;
  }

  seconds() {
    return (performance.now() - this.#start) / 1000;
  }

  isDue() {
    return performance.now() - this.#told >= EVERY_MS;
  }

  tell(read) {
    this.#told = performance.now();
    if (read !== undefined) this.#tell({ type: 'progress', read, total: this.#total, seconds: this.seconds() });
  }
}
