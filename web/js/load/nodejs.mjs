// Node has loaded the module, a CommonJS one, when this file runs.
import module from './rollsnap.js';

export const {
  Beside,
  Checkpoints,
  FirstAnswer,
  Inspector,
  Lister,
  archiveOffset,
  codes,
  decodeHash,
  encodeHash,
  firstBytes,
  isEncoded,
  isPassing,
  memoryBytes,
  pauseAfter,
  problem,
  readHeader,
  version,
} = module;

/** Nothing is left to do: here so that the same program runs everywhere. */
export async function init() {}
