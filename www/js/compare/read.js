// Reads a snapshot beside the one that is shown.

import { Visit } from '../visit.js';

/** Reads `source` to its end without showing it; gives its visit, or rejects with a plain failure. */
export function readBeside(source, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const nothing = () => {};
    const visit = new Visit(source, {
      isShown: () => true,
      refuse: (_, failure) => reject(failure),
      halted: (_, failure) => reject(failure),
      finished: resolve,
      // Whoever compares has asked for the whole of it.
      offer: () => void visit.readWhole(),
      progress: (_, figures) => onProgress(figures),
      describe: nothing,
      claims: nothing,
      trouble: nothing,
      reading: nothing,
      members: nothing,
      verdicts: nothing,
      ended: () => visit.end(),
      notice: nothing,
    });
    signal.addEventListener('abort', () => visit.end());
    visit.open().catch(reject);
  });
}
