// Reading a stream to its end, whoever takes what it gives.

import { turns } from './turn.mjs';

/** What is taken between two looks at the clock. A thousand times as much can come of it, where it is compressed. */
const PIECE = 1 << 15;

/** What is read at once of a stream that fills memory of ours. */
const CHUNK = 1 << 20;

/**
 * Reads a stream, and hands `take` all that comes, in order, in pieces: until the end (then it gives true), until `take` answers
 * true for "enough" (then false), or until `signal` is aborted. The stream is cancelled wherever that is not its end.
 *
 * `failed` makes the error of a read that went wrong. `onProgress` is told after each chunk of the stream.
 */
export async function readStream(stream, { signal, total, failed, onProgress }, take) {
  signal?.throwIfAborted();
  const turn = turns(signal);
  const { reader, next } = readerOf(stream);
  const stop = () => cancel(reader, signal.reason);
  signal?.addEventListener('abort', stop, { once: true });
  let read = 0;
  try {
    for (;;) {
      const { done, value } = await next().catch(async (error) => {
        signal?.throwIfAborted();
        throw failed ? await failed(error) : error;
      });
      signal?.throwIfAborted();
      if (done) return true;
      for (const piece of piecesOf(value)) {
        const enough = await take(piece);
        await turn();
        if (enough) {
          cancel(reader);
          return false;
        }
      }
      read += value.length;
      onProgress?.({ read, total });
      signal?.throwIfAborted();
    }
  } catch (error) {
    cancel(reader, error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/**
 * A reader, and what gives the next chunk. A stream of bytes fills the same memory again and again: a file of gigabytes leaves
 * nothing to be collected. Nobody keeps a chunk.
 */
function readerOf(stream) {
  let reader;
  try {
    reader = stream.getReader({ mode: 'byob' });
  } catch {
    reader = stream.getReader();
    return { reader, next: () => reader.read() };
  }
  let memory = new ArrayBuffer(CHUNK);
  const next = async () => {
    const given = await reader.read(new Uint8Array(memory));
    if (given.value) memory = given.value.buffer;
    return given;
  };
  return { reader, next };
}

/** What is no bytes is for `take` to refuse. */
function* piecesOf(chunk) {
  if (!(chunk instanceof Uint8Array) || chunk.length <= PIECE) return yield chunk;
  for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE);
}

/** A source that is slow to end is not waited for. */
const cancel = (reader, reason) => void reader.cancel(reason).catch(() => {});
