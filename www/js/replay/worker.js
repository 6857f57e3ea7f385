// Runs blocks again, in a worker that can be ended: nothing else interrupts a kernel.

import { codes, init, openTemporary, replay } from '../../pkg/machine/machine.mjs';
import { fitting } from '../advice.js';
import { describe } from '../failures.js';
import { openSource } from '../remote.js';

/** A snapshot that is larger is kept in temporary storage, where the browser has some: it is unpacked to a multiple of its size. */
const FITS_IN_MEMORY = 2 ** 24;

addEventListener('message', async ({ data: { source, from, to } }) => {
  let temporary;
  try {
    await init();
    if (!(source.file?.size < FITS_IN_MEMORY)) temporary = await openTemporary();
    const signal = new AbortController().signal;
    const bytes = source.file ?? (await openSource(source, { signal, onNotice() {} })).stream();
    const report = await replay(bytes, {
      from,
      to,
      temporary,
      onProgress: ({ read, total }) => postMessage({ type: 'read', read, total }),
      onBegin: ({ firstLevel, headLevel, of, planned }) =>
        postMessage({ type: 'plan', firstLevel, headLevel, of, planned }),
      onBlock: ({ level, ticks, runs, phase, stateHash, state, context, outbox }) =>
        postMessage({ type: 'block', level, ticks, runs, phase, stateHash, state, context, outbox }),
    });
    await temporary?.close();
    postMessage({ type: 'done', report });
  } catch (error) {
    postMessage({ type: 'failed', failure: describe(error, table()) });
  }
});

// Without the module there are no words for codes, and nothing to describe but that.
function table() {
  try {
    return fitting(codes());
  } catch {
    return [];
  }
}
