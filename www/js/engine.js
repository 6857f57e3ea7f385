// The one place that knows the package: bytes in, plain messages out.

import { readStream } from '../pkg/reading.mjs';
import { RemoteFile } from '../pkg/remote.mjs';
import { Inspector, codes, init, readHeader, version } from '../pkg/rollsnap.mjs';
import { streamFrom } from '../pkg/spans.mjs';
import { clearTemporary } from '../pkg/temporary.mjs';
import { CEMENTED, COMMITMENT, CONTEXT, FINALIZED } from './levels/model.js';

/** So many bytes are enough for a header, compressed or not. */
export const FIRST_BYTES = 65536;

/** Small text members that the first pass keeps, to show them without a second one. */
const KEPT = new Set(['metadata', 'storage/version', 'storage/history_mode', 'storage/l2_head']);
const KEPT_BYTES = 65536;
const EVERY_MS = 100;

/** A file of fewer bytes is checked in memory alone; a larger one in temporary storage, where the browser has some. */
const FITS_IN_MEMORY = 2 ** 22;

/** What has read a file to its end, and still has its store. */
let judged;

/** Loads the module, once. */
export const ready = () => init();

/** Version of the package and its table of codes. */
export function about() {
  void clearTemporary();
  return { version: version(), codes: codes() };
}

/** The header in these first bytes; throws what the file is instead. */
export const header = (first) => readHeader(first);

/**
 * Reads a snapshot to its end and checks its chain of blocks. `tell` gets `members`, `problem`, `texts` and `progress`
 * messages on the way; the answer is the report and how the reading went.
 */
export async function inspect(file, { signal, tell }) {
  // The larger module is loaded when it is needed: a header does not wait for it.
  const full = await import('../pkg/full/full.mjs');
  await full.init();
  const temporary = file.total < FITS_IN_MEMORY ? undefined : await full.openTemporary();
  const inPlace = file.blob instanceof Blob ? full.readInPlace(file.blob) : undefined;
  const inspector = new full.Inspector({ consistent: true, temporary, inPlace });
  let members = [];
  let open;
  const take = (event) => {
    if (event.type === 'member') {
      open = plain(event);
      members.push(open);
    } else if (event.type === 'problem') {
      tell({ type: 'problem', problem: plain(event.problem), member: open?.name });
    }
  };
  const texts = keepTexts(inspector);
  const pace = new Pace(file, tell, () => {
    if (members.length) tell({ type: 'members', members });
    members = [];
  });
  try {
    await read(file, signal, (piece) => {
      for (const event of inspector.feed(piece)) take(event);
      pace.add(piece.length);
    });
    const memory = full.memoryBytes();
    const report = inspector.finish();
    for (const event of inspector.events()) take(event);
    judged = inspector;
    const stored = temporary?.size ?? 0;
    return { report, unasked: full.notAsked('no node was named'), memory, stored, ...pace.figures() };
  } finally {
    pace.end();
    tell({ type: 'texts', texts: texts() });
    if (judged !== inspector) {
      inspector.free();
      await temporary?.close();
    }
  }
}

/** The check of what layer 1 cemented last, with the store of the file that was inspected; nothing where there is nothing to compare. */
export const cemented = ({ hash, level }) => judged.compareCemented(hash, level);

let explorer;

async function exploring() {
  if (!explorer) {
    const { Explorer } = await import('../pkg/full/full.mjs');
    explorer = new Explorer(judged);
  }
  return explorer;
}

/** What the store records of levels, for a strip of them: arrays of `{ticks, bytes, flags}`, NaN where no ticks are recorded. */
export async function recorded({ from, to }) {
  const count = to - from + 1;
  const [ticks, bytes, flags] = [
    new Float64Array(count).fill(Number.NaN),
    new Float64Array(count),
    new Uint8Array(count),
  ];
  (await exploring()).levels(from, to, (level) => {
    const at = level.level - from;
    if (level.ticks !== null) ticks[at] = Number(level.ticks);
    bytes[at] = level.message_bytes ?? 0;
    const { commitment, context, cemented, finalized } = level;
    flags[at] =
      (commitment ? COMMITMENT : 0) | (context ? CONTEXT : 0) | (cemented ? CEMENTED : 0) | (finalized ? FINALIZED : 0);
    return true;
  });
  return { ticks, bytes, flags };
}

/** What somebody asks of the state that was kept: a method of an Explorer and what it is given. */
export async function explore({ call, args }) {
  const explorer = await exploring();
  if (call !== 'diff') return explorer[call](...args);
  const changes = [];
  const sums = explorer.diff(...args, (change) => void changes.push(change));
  return { ...sums, changes };
}

/** The level of the origination, where what layer 1 has there can be compared with the file that was inspected. */
export const originationLevel = () => judged.originationLevel;

/** The check of what layer 1 has of the origination. */
export const originated = ({ bootSector, protocol }) => judged.compareOrigination(bootSector, protocol);

/**
 * A second look for one member, `{name, offset}`: its SHA-256 where `digest` asks for it, its bytes to `sink`
 * (which may answer a promise, and `false` for "enough"). Reads the member alone where that is possible, else
 * the file up to its end.
 */
export async function oneMember(file, { name, offset }, { digest = false, sink, signal, tell }) {
  let given = 0;
  let passed = 0;
  // What was given is right whatever comes: a second pass goes on behind it.
  const onward =
    sink &&
    (async (piece) => {
      const more = piece.subarray(Math.max(0, Math.min(piece.length, given - passed)));
      passed += piece.length;
      given = Math.max(given, passed);
      return more.length || !piece.length ? sink(more) : true;
    });
  const options = { digest, sink: onward, signal, tell };
  // What does not hold there is looked at from the beginning, and told then. Of a server it was found out, and all is much.
  const isRemote = file.blob instanceof RemoteFile;
  const elsewhere = isRemote ? /^member\./ : /^(gzip|tar|header|file|member)\./;
  const near = (
    await streamFrom(file.blob, offset).catch(async (error) => {
      if (isRemote) throw await file.failed(error);
    })
  )?.stream;
  if (near) {
    try {
      return await pass(
        {
          stream: () => near,
          failed: (error) => (typeof error?.code === 'string' && !isRemote ? error : file.failed(error)),
        },
        name,
        { ...options, isFirst: true },
      );
    } catch (error) {
      if (!elsewhere.test(error?.code)) throw error;
    }
    passed = 0;
  }
  return pass(file, name, options);
}

/** Reads until a member has ended; with `isFirst` it must be the first one. */
async function pass(file, name, { digest, sink, isFirst = false, signal, tell }) {
  const inspector = new Inspector({ digests: digest ? [name] : false });
  const pace = new Pace(file, tell);
  const pieces = [];
  let members = 0;
  if (sink) inspector.extract(name, (data) => void pieces.push(data));
  try {
    let end;
    const wasAll = await read(file, signal, async (fed) => {
      for (const event of inspector.feed(fed)) {
        if (event.type === 'problem') throw event.problem;
        if (event.type === 'member' && !members++ && isFirst && event.name !== name)
          throw { code: 'member.unknown', member: name };
        if (event.type === 'member-end' && event.name === name) end = { sha256: event.sha256 };
      }
      for (const piece of pieces.splice(0)) {
        if ((await sink(piece)) === false) {
          end = {};
          break;
        }
      }
      pace.add(fed.length);
      return Boolean(end);
    });
    if (!wasAll) return end;
    // What is wrong at the end says why the member did not end.
    inspector.finish();
    throw (
      inspector.events().find(({ type }) => type === 'problem')?.problem ?? { code: 'member.unknown', member: name }
    );
  } finally {
    pace.end();
    inspector.free();
  }
}

/** A second pass for the SHA-256 of every member; tells `digests` messages. */
export async function allDigests(file, { signal, tell }) {
  const inspector = new Inspector({ digests: true });
  let digests = [];
  const pace = new Pace(file, tell, () => {
    if (digests.length) tell({ type: 'digests', digests });
    digests = [];
  });
  try {
    await read(file, signal, (piece) => {
      for (const event of inspector.feed(piece)) {
        if (event.type === 'member-end') digests.push([event.name, event.sha256]);
      }
      pace.add(piece.length);
    });
    return {};
  } finally {
    pace.end();
    inspector.free();
  }
}

/** Reads a file to its end, or until `take` says that it is enough; a message to this thread is heard meanwhile. */
const read = ({ stream, failed }, signal, take) => readStream(stream(), { signal, failed }, take);

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

/** Tells the progress: often enough to be followed, not more often than anybody can look. */
class Pace {
  #start = performance.now();
  #due = 0;
  #read = 0;
  #timer;
  #total;
  #tell;
  #flush;

  /** `flush` is called before each telling, for what else has gathered. */
  constructor({ total }, tell, flush = () => {}) {
    this.#total = total;
    this.#tell = tell;
    this.#flush = flush;
    // A stream that stalls must not keep back what came before.
    this.#timer = setInterval(() => this.#now(), EVERY_MS);
  }

  add(bytes) {
    this.#read += bytes;
    if (performance.now() >= this.#due) this.#now();
  }

  figures() {
    return { read: this.#read, total: this.#total, seconds: (performance.now() - this.#start) / 1000 };
  }

  end() {
    clearInterval(this.#timer);
    this.#now();
  }

  #now() {
    this.#due = performance.now() + EVERY_MS;
    this.#flush();
    this.#tell({ type: 'progress', ...this.figures() });
  }
}
