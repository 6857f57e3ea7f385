// Whole replays: of a file, of a stream.

import { whyUnread } from './errors.mjs';
import { Replayer, init } from './load.mjs';
import { readStream } from './reading.mjs';
import { turns } from './turn.mjs';

export async function replay(source, options = {}) {
  const { from, to, last, maxMemory, temporary, reveal, signal, onBegin, onBlock, onProgress } = options;
  await init();
  signal?.throwIfAborted();
  const replayer = new Replayer({ maxMemory, temporary });
  try {
    const isBlob = source instanceof Blob;
    const failed = isBlob ? (error) => whyUnread(source, error) : undefined;
    const total = isBlob ? source.size : undefined;
    await readStream(isBlob ? source.stream() : source, { signal, total, failed, onProgress }, (piece) =>
      replayer.feed(piece),
    );
    const plan = replayer.begin({ from, to, last });
    onBegin?.(plan);
    const turn = turns(signal);
    for (;;) {
      const block = replayer.step(reveal);
      if (!block) return replayer.report();
      onBlock?.(block);
      await turn();
    }
  } finally {
    replayer.free();
  }
}
