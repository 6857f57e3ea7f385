// Node has loaded the module, a CommonJS one, when this file runs.
import module from './rollsnap.js';

export const {
  Checkpoints,
  Inspector,
  Lister,
  archiveOffset,
  codes,
  decodeHash,
  encodeHash,
  memoryBytes,
  problem,
  readHeader,
  version,
} = module;

/** Nothing is left to do: here so that the same program runs everywhere. */
export async function init() {}
