// The bundler has loaded the module when this file runs.
import { __wbg_set_wasm } from '../web/rollsnap_bg.js';
import * as wasm from '../web/rollsnap_bg.wasm';

__wbg_set_wasm(wasm);
wasm.__wbindgen_start();

export * from '../web/rollsnap_bg.js';

/** Nothing is left to do: here so that the same program runs everywhere. */
export async function init() {}
