// What requests to other hosts have in common.

export { isMixed, isThere } from '../pkg/network.mjs';

/** No cookie, no hint where the visitor came from, nothing kept. */
export const PRIVATE = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' };
