// rollsnap/full: all of `rollsnap`, with a larger module that also answers *Consistent*, and knows what to ask layer 1.
// What each function takes, gives and throws is written in full.d.mts.

import { guardFreed } from './freed.mjs';
import { Layer1 } from './load.mjs';

export { Layer1, anchoredBy, compareCommitment, notAsked } from './load.mjs';
export * from './rollsnap.mjs';
export { openTemporary, readInPlace } from './temporary.mjs';

guardFreed({ Layer1 });
