// Whole inspections: of a file, of a stream, of what is behind an address.

import { whyUnread } from './errors.mjs';
import { Inspector, init, readHeader } from './load.mjs';
import { readStream } from './reading.mjs';
import { fileOf } from './remote.mjs';

/** What is enough of a file to read its header. */
export const FIRST_BYTES = 65536;

export async function inspectBlob(blob, options = {}) {
  await init();
  const failed = (error) => whyUnread(blob, error);
  if (options.headerOnly) {
    options.signal?.throwIfAborted();
    const first = await blob
      .slice(0, FIRST_BYTES)
      .arrayBuffer()
      .catch(async (error) => {
        throw await failed(error);
      });
    options.signal?.throwIfAborted();
    return { header: readHeader(new Uint8Array(first)), size: blob.size };
  }
  return inspect(blob.stream(), { ...options, total: blob.size, failed });
}

export async function inspectStream(stream, options = {}) {
  await init();
  if (!options.headerOnly) return inspect(stream, options);
  options.signal?.throwIfAborted();
  const first = await readFirst(stream, options);
  return { header: readHeader(first), size: first.length < FIRST_BYTES ? first.length : undefined };
}

export async function inspectUrl(url, options = {}) {
  await init();
  const file = await fileOf(url, options);
  if (options.headerOnly) return { header: readHeader(file.first), size: file.size, remote: file.remote };
  return inspectFile(file, options);
}

/** Inspects all of a RemoteFile. */
export async function inspectFile(file, options) {
  const report = await inspect(file.stream(), { ...options, total: file.size });
  return { ...report, remote: file.remote };
}

/**
 * Reads a stream to its end, or until `until()` says that it is enough (then there is no report).
 * `failed` makes the error of a read that went wrong.
 */
export async function inspect(stream, options) {
  const { signal, total, until, failed, extract = {}, onProgress, onHeader, onEvent } = options;
  const { lenient, digests, list, maxMembers, consistent, maxStore, memory, temporary } = options;
  signal?.throwIfAborted();
  const inspector = new Inspector({
    lenient,
    digests,
    list,
    maxMembers,
    consistent,
    maxStore,
    memory,
    temporary,
    events: Boolean(onEvent),
  });
  try {
    for (const [name, callback] of Object.entries(extract)) inspector.extract(name, callback);
    let headerTold = false;
    const tell = (events) => {
      if (!headerTold && inspector.header()) {
        headerTold = true;
        onHeader?.(inspector.header());
      }
      if (onEvent) for (const event of events) onEvent(event);
    };
    const wasAll = await readStream(stream, { signal, total, failed, onProgress }, (piece) => {
      tell(inspector.feed(piece));
      return until?.();
    });
    if (!wasAll) return undefined;
    const report = inspector.finish();
    tell(inspector.events());
    return report;
  } finally {
    inspector.free();
  }
}

/** The first bytes of a stream, at most as many as a header needs; the rest is not read. */
async function readFirst(stream, { signal, failed }) {
  const first = new Uint8Array(FIRST_BYTES);
  let length = 0;
  await readStream(stream, { signal, failed }, (piece) => {
    const wanted = piece.subarray(0, FIRST_BYTES - length);
    first.set(wanted, length);
    length += wanted.length;
    return length === FIRST_BYTES;
  });
  return first.subarray(0, length);
}
