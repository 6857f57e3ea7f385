// The members of a file, by their headers where the contents can be passed over.

import { RollsnapError, whyUnread } from './errors.mjs';
import { inspectBlob } from './inspect.mjs';
import { Lister, init } from './load.mjs';
import { openContent } from './spans.mjs';

/** How much of an uncompressed file is read for a header. */
const PIECE = 1 << 16;

export async function listMembers(blob, options = {}) {
  await init();
  const { signal, onProgress, lenient, maxMembers } = options;
  signal?.throwIfAborted();
  try {
    const report = await byHeaders(blob, { signal, onProgress, lenient, maxMembers });
    if (report) return report;
  } catch (error) {
    signal?.throwIfAborted();
    // What is not as the index says is read from the beginning, and told there.
    if (error instanceof TypeError || (error instanceof RollsnapError && error.code !== 'gzip.index')) throw error;
    if (!(error instanceof RollsnapError)) throw await whyUnread(blob, error);
  }
  return inspectBlob(blob, { signal, onProgress, lenient, maxMembers, list: true });
}

async function byHeaders(blob, { signal, onProgress, lenient, maxMembers }) {
  const content = await openContent(blob, PIECE);
  if (!content) return undefined;
  const lister = new Lister({ lenient, maxMembers }, content.compressed);
  try {
    let at = 0;
    while (at < content.size) {
      const bytes = await content.at(at);
      signal?.throwIfAborted();
      if (!bytes?.length) return undefined;
      at += bytes.length;
      const over = lister.feed(bytes, content.size - at);
      if (over < 0) return undefined;
      at += over;
      onProgress?.({ read: Math.round((at / content.size) * blob.size), total: blob.size });
    }
    return lister.finish(blob.size);
  } finally {
    lister.free();
  }
}
