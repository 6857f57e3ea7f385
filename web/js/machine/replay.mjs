// Whole replays: of a file, of a stream.

import { whyUnread } from './errors.mjs';
import { Replayer, init } from './load.mjs';

/** What is fed between two looks at the signal. */
const PIECE = 1 << 21;

/** How long blocks are run before the page gets its turn, in milliseconds. */
const TURN = 30;

export async function replay(source, options = {}) {
  const { from, to, last, maxMemory, temporary, reveal, signal, onBegin, onBlock, onProgress } = options;
  await init();
  signal?.throwIfAborted();
  const replayer = new Replayer({ maxMemory, temporary });
  try {
    await read(source, { signal, onProgress }, (piece) => replayer.feed(piece));
    const plan = replayer.begin({ from, to, last });
    onBegin?.(plan);
    let turn = performance.now();
    for (;;) {
      const block = replayer.step(reveal);
      if (!block) return replayer.report();
      onBlock?.(block);
      if (performance.now() - turn < TURN) continue;
      await pause();
      signal?.throwIfAborted();
      turn = performance.now();
    }
  } finally {
    replayer.free();
  }
}

/** Reads a Blob or a stream to its end, in pieces. */
async function read(source, { signal, onProgress }, take) {
  const isBlob = source instanceof Blob;
  const reader = (isBlob ? source.stream() : source).getReader();
  const abort = () => void reader.cancel(signal.reason).catch(() => {});
  signal?.addEventListener('abort', abort, { once: true });
  let count = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(async (error) => {
        signal?.throwIfAborted();
        throw isBlob ? await whyUnread(source, error) : error;
      });
      signal?.throwIfAborted();
      if (done) return;
      for (let at = 0; at === 0 || at < value.length; at += PIECE) {
        if (at) await pause();
        signal?.throwIfAborted();
        take(value instanceof Uint8Array ? value.subarray(at, at + PIECE) : value);
      }
      count += value.length;
      onProgress?.({ read: count, total: isBlob ? source.size : undefined });
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve));
}
