// rollsnap/machine: the machine of a rollup, in a module of its own.
// What each function takes, gives and throws is written in machine.d.mts.

export { RollsnapError } from './errors.mjs';
export { Machine, codes, init, memoryBytes, version } from './load.mjs';
