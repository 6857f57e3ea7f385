// Whole inspections, of whatever stands for a file.

import { Inspector, readHeader } from './load.mjs';
import { readStream } from './reading.mjs';
import { RemoteFile, openUrl } from './remote.mjs';
import { openSource } from './sources.mjs';
import { readInPlace } from './temporary.mjs';

/** What is enough of a file to read its header. */
const FIRST_BYTES = 65536;

export async function inspect(source, options = {}) {
  const opened = await openSource(source, options);
  return options.headerOnly ? headerOf(opened, options) : inspectOpened(opened, options);
}

export { inspect as inspectBlob, inspect as inspectStream };

/** Takes no paths: an address may have been chosen by somebody else. */
export async function inspectUrl(url, options = {}) {
  const file = url instanceof RemoteFile ? url : await openUrl(url, options);
  return inspect(file, options);
}

/** Inspects all of a source that is open. */
export async function inspectOpened({ file, stream, total, failed }, options) {
  // What is read at once is there in workers; of a file that is compressed it is not used.
  const inPlace = options.inPlace ?? (options.consistent && file instanceof Blob ? readInPlace(file) : undefined);
  const report = await readReport(stream(), { ...options, inPlace, total, failed });
  return file instanceof RemoteFile ? { ...report, remote: file.remote } : report;
}

async function headerOf({ file, stream, failed }, { signal }) {
  if (file instanceof RemoteFile) return { header: readHeader(file.first), size: file.size, remote: file.remote };
  if (file) {
    const part = await file
      .slice(0, FIRST_BYTES)
      .arrayBuffer()
      .catch(async (error) => {
        throw await failed(error);
      });
    signal?.throwIfAborted();
    return { header: readHeader(new Uint8Array(part)), size: file.size };
  }
  const first = await readFirst(stream(), signal);
  return { header: readHeader(first), size: first.length < FIRST_BYTES ? first.length : undefined };
}

/**
 * Reads a stream to its end, or until `until()` says that it is enough (then there is no report).
 * `failed` makes the error of a read that went wrong.
 */
export async function readReport(stream, options) {
  const { signal, total, until, failed, extract = {}, onProgress, onHeader, onEvent } = options;
  const { lenient, digests, list, maxMembers, consistent, maxStore, memory, temporary, inPlace } = options;
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
    inPlace,
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
async function readFirst(stream, signal) {
  const first = new Uint8Array(FIRST_BYTES);
  let length = 0;
  await readStream(stream, { signal }, (piece) => {
    const wanted = piece.subarray(0, FIRST_BYTES - length);
    first.set(wanted, length);
    length += wanted.length;
    return length === FIRST_BYTES;
  });
  return first.subarray(0, length);
}
