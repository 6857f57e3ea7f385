// rollsnap/machine: the machine of a rollup, in a module of its own.
// What each function takes, gives and throws is written in machine.d.mts.

import { guardFreed } from './freed.mjs';
import { Machine, Replayer } from './load.mjs';

export { RollsnapError } from './errors.mjs';
export { Machine, Replayer, codes, init, memoryBytes, version } from './load.mjs';
export { replay } from './replay.mjs';
export { openTemporary } from './temporary.mjs';

guardFreed({ Machine, Replayer });
