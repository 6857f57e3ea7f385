// One worker does one job and is thrown away: nothing of a file outlives it. Only the one that has read a
// file to its end stays, as long as the page shows the file: it has the store, for what layer 1 says later.

import { listMembers } from '../pkg/list.mjs';
import { fitting } from './advice.js';
import {
  FIRST_BYTES,
  about,
  allDigests,
  cemented,
  explore,
  header,
  inspect,
  oneMember,
  originated,
  originationLevel,
  ready,
  recorded,
} from './engine.js';
import { Failure, assertUnchanged, describe, fileFailure } from './failures.js';
import { openSource, remoteFailure } from './remote.js';

/** What is fetched of a file for the list of its members, at most, in bytes. */
const MOST_FOR_LIST = 16_000_000;
const TOO_MUCH = Symbol('too much');

const stop = new AbortController();
const tell = (message) => postMessage(message);

addEventListener('message', async ({ data }) => {
  if (data.job === 'stop') return stop.abort(new DOMException('Stopped', 'AbortError'));
  try {
    await ready();
    const result = await JOBS[data.job](data);
    tellFetched();
    tell({ type: 'done', id: data.id, result });
  } catch (error) {
    tellFetched();
    tell({ type: 'failed', id: data.id, failure: describe(error, table()) });
  }
});

const JOBS = {
  about: () => ({ ...about(), codes: table() }),

  /** `{header?, refused?, compression, total, remote?}`: what the first bytes say. */
  async look({ source }) {
    const { first, ...rest } = await start(source);
    const compression = first[0] === 0x1f && first[1] === 0x8b ? 'gzip' : 'none';
    try {
      return { ...rest, compression, header: { ...header(first) } };
    } catch (error) {
      const refused = describe(error, table());
      if (refused.kind !== 'input') throw error;
      return { ...rest, compression, refused };
    }
  },

  /** The members of a file behind an address, by their headers; undefined where that would take too much of the file. */
  async list({ source }) {
    const file = await openRemote(source);
    const onProgress = () => {
      tellFetched();
      if (file.remote.bytes_received > MOST_FOR_LIST) throw TOO_MUCH;
    };
    const options = { headersOnly: true, onProgress, signal: stop.signal };
    const report = await listMembers(file, options).catch((error) => {
      if (error !== TOO_MUCH) throw remoteFailure(source.url, error);
    });
    if (!report?.members.list) return undefined;
    return { members: report.members.list.map((member) => ({ ...member })), complete: report.members.complete };
  },

  async inspect({ source }) {
    const done = await inspect(await open(source), { signal: stop.signal, tell });
    // What was read of a file that somebody wrote to says nothing about it.
    if (source.file) await assertUnchanged(source.file, done.read);
    return remote ? { ...done, report: { ...done.report, remote: remote.remote } } : done;
  },

  cemented,

  explore,

  recorded,

  originationLevel,

  originated,

  digest: async ({ source, member }) =>
    oneMember(await open(source), member, { digest: true, signal: stop.signal, tell }),

  digests: async ({ source }) => allDigests(await open(source), { signal: stop.signal, tell }),

  /** The first `limit` bytes of a member. */
  async preview({ source, member, limit }) {
    const parts = [];
    let room = limit;
    const sink = (piece) => {
      parts.push(piece.subarray(0, room));
      room -= piece.length;
      return room > 0;
    };
    await oneMember(await open(source), member, { sink, signal: stop.signal, tell });
    return { blob: new Blob(parts) };
  },

  /** A member into `handle`, or as a Blob of at most `limit` bytes. */
  async save({ source, member, handle, limit }) {
    const file = handle ? await handle.createWritable() : blobFile(limit);
    try {
      const { sha256 } = await oneMember(await open(source), member, {
        digest: true,
        sink: (piece) => file.write(piece).then(() => true),
        signal: stop.signal,
        tell,
      });
      return { sha256, blob: await file.close() };
    } catch (error) {
      await file.abort().catch(() => {});
      throw error;
    }
  },
};

// Without the module there are no words for codes, and nothing to describe but that.
function table() {
  try {
    return fitting(about().codes);
  } catch {
    return [];
  }
}

/** The file behind the address of this worker, and what was said of it. */
let remote;
let told = { requests: 0, bytes_received: 0 };
const lacking = [];

async function openRemote(source) {
  const onNotice = (text, kind) => {
    if (kind === 'lacking') lacking.push(text);
    else tell({ type: 'notice', text });
  };
  remote ??= await openSource(source, { signal: stop.signal, onNotice });
  return remote;
}

/** Says what was fetched since this was said last. */
function tellFetched() {
  if (!remote) return;
  const { requests, bytes_received } = remote.remote;
  tell({ type: 'fetched', requests: requests - told.requests, bytes: bytes_received - told.bytes_received });
  told = { requests, bytes_received };
}

async function start(source) {
  if (source.url) {
    const { first, size, ranges, identity, remote } = await openRemote(source);
    return { first, total: size, ranges, identity, lacks: remote.lacks, notes: lacking };
  }
  const first = await source.file
    .slice(0, FIRST_BYTES)
    .arrayBuffer()
    .catch(async (error) => {
      throw await fileFailure(source.file, error);
    });
  return { first: new Uint8Array(first), total: source.file.size };
}

async function open(source) {
  if (source.url) {
    const file = await openRemote(source);
    const failed = (error) => remoteFailure(source.url, error);
    return { blob: file, stream: () => file.stream(), total: file.size, failed };
  }
  const { file, index } = source;
  // As a file behind an address has it.
  if (index) file.beside = async () => index;
  return {
    blob: file,
    stream: () => file.stream(),
    total: file.size,
    failed: (error) => fileFailure(file, error, true),
  };
}

function blobFile(limit) {
  let parts = [];
  let size = 0;
  return {
    async write(piece) {
      size += piece.length;
      if (size > limit) throw new Failure({ kind: 'page', text: 'This browser cannot save a member of this size.' });
      parts.push(piece);
    },
    close: async () => new Blob(parts),
    abort: async () => (parts = []),
  };
}
