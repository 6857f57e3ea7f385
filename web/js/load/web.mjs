// Loads the module where there is no help from a bundler or from Node: by fetch.
import start from './rollsnap.js';

export * from './rollsnap.js';

let started;

/** Loads the module, once. `source`: where it is, or its bytes; beside this file if left out. */
export function init(source) {
  started ??= start(source === undefined ? undefined : { module_or_path: source }).then(
    () => {},
    (error) => {
      // The next call may try again, for instance when the network is back.
      started = undefined;
      throw error;
    },
  );
  return started;
}
