// The bundler has loaded the module when this file runs.
export * from './rollsnap.js';

/** Nothing is left to do: here so that the same program runs everywhere. */
export async function init() {}
