// Whole replays, of whatever stands for a file.

import { Replayer } from './load.mjs';
import { readStream } from './reading.mjs';
import { openSource } from './sources.mjs';
import { turns } from './turn.mjs';

export async function replay(source, options = {}) {
  const { from, to, last, maxMemory, temporary, signal, onBegin, onBlock, onProgress } = options;
  const reveal = revealOf(options);
  const { stream, total, failed } = await openSource(source, options);
  const replayer = new Replayer({ maxMemory, temporary });
  try {
    await readStream(stream(), { signal, total, failed, onProgress }, (piece) => replayer.feed(piece));
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

/** What answers a kernel: `reveal`, and `preimages` for what it leaves open. */
function revealOf({ reveal, preimages }) {
  if (preimages === undefined) return reveal;
  const known = preimages instanceof Map ? preimages : new Map(Object.entries(preimages));
  const hex = (hash) => Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    preImage: (hash) => reveal?.preImage?.(hash) ?? known.get(hex(hash)) ?? known.get(`00${hex(hash)}`),
    dalParameters: (level) => reveal?.dalParameters?.(level),
    dalPage: (...place) => reveal?.dalPage?.(...place),
  };
}
