// The members of a file, by their headers where the contents can be passed over.

import { RollsnapError } from './errors.mjs';
import { inspectOpened } from './inspect.mjs';
import { Lister } from './load.mjs';
import { RemoteFile } from './remote.mjs';
import { openSource } from './sources.mjs';
import { openContent } from './spans.mjs';
import { turns } from './turn.mjs';

/** How much of an uncompressed file is read for a header. */
const PIECE = 1 << 16;

export async function listMembers(source, options = {}) {
  const opened = await openSource(source, options);
  const { signal, onProgress, lenient, maxMembers, headersOnly } = options;
  const { file } = opened;
  const isRemote = file instanceof RemoteFile;
  const limits = { signal, onProgress, lenient, maxMembers };
  try {
    const report = file && (await byHeaders(file, limits));
    if (report) return isRemote ? { ...report, remote: file.remote } : report;
  } catch (error) {
    signal?.throwIfAborted();
    // Of a server it was found out what is wrong. A file that is not as its index says is read from the beginning, and told there.
    if (isRemote || error instanceof TypeError) throw error;
    if (!(error instanceof RollsnapError)) throw await opened.failed(error);
    if (error.code !== 'gzip.index') throw error;
  }
  return headersOnly ? undefined : inspectOpened(opened, { ...limits, list: true });
}

/** The report of reading the headers of members alone; undefined where that cannot be done. */
export async function byHeaders(file, { signal, onProgress, lenient, maxMembers }) {
  const content = await openContent(file, PIECE);
  if (!content) return undefined;
  const lister = new Lister({ lenient, maxMembers }, content.compressed);
  try {
    const turn = turns(signal);
    let at = 0;
    while (at < content.size) {
      const bytes = await content.at(at);
      await turn();
      if (!bytes?.length) return undefined;
      at += bytes.length;
      const over = lister.feed(bytes, content.size - at);
      if (over < 0) return undefined;
      at += over;
      onProgress?.({ read: Math.round((at / content.size) * file.size), total: file.size });
    }
    return lister.finish(file.size);
  } finally {
    lister.free();
  }
}
