// The npm package `rollsnap`: reads and checks snapshots of smart rollup nodes.
// What each function takes, gives and throws is written in rollsnap.d.mts.
import { guardFreed } from './freed.mjs';
import { Inspector, decodeHash, encodeHash } from './load.mjs';

export { RollsnapError } from './errors.mjs';
export { inspect, inspectBlob, inspectStream, inspectUrl } from './inspect.mjs';
export { listMembers } from './list.mjs';
export { Inspector, codes, init, memoryBytes, readHeader, version } from './load.mjs';
export { readMember } from './member.mjs';
export { openUrl } from './remote.mjs';

guardFreed({ Inspector });

/** Hashes and their Base58Check text. */
export const hash = Object.freeze({
  decode(text) {
    const { kind, prefix, hex } = decodeHash(String(text));
    const bytes = Uint8Array.from(hex.match(/../g), (byte) => Number.parseInt(byte, 16));
    return { kind, prefix, hex, bytes };
  },
  encode(kind, bytes) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('expected a Uint8Array');
    return encodeHash(String(kind), bytes);
  },
});
