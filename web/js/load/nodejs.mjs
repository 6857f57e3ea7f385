// In Node, Bun and Deno, which read the module from beside this package before anything is called.
import { readFileSync } from 'node:fs';
import { initSync } from '../web/rollsnap.js';

initSync({ module: readFileSync(new URL('../web/rollsnap_bg.wasm', import.meta.url)) });

export * from '../web/rollsnap.js';

/** Nothing is left to do: here so that the same program runs everywhere. */
export async function init() {}
