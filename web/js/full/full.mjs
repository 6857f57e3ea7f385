// rollsnap/full: all of `rollsnap`, with a larger module that also answers *Consistent*, and knows what to ask layer 1.
// What each function takes, gives and throws is written in full.d.mts.

import { guardFreed } from './freed.mjs';
import { Explorer, Layer1, Other } from './load.mjs';

export { Explorer, Layer1, anchoredBy, checkProof, compareCommitment, notAsked } from './load.mjs';
export * from './rollsnap.mjs';
export { openTemporary, readInPlace } from './temporary.mjs';

guardFreed({ Explorer, Layer1, Other });
