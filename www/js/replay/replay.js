// Blocks run again beside the page, with a limit in time that the visitor sees.

/** A level that takes longer is ended, in seconds. */
export const LIMIT_S = 30;

const TOO_LONG = {
  kind: 'page',
  title: `a level took longer than ${LIMIT_S} s and was stopped`,
  text: 'That says nothing about the snapshot. The command line has no such limit: rollsnap replay.',
};

/**
 * Runs the blocks from `from` to `to` of `source`, all of them if nothing is said, until `signal` says stop. `on` has handlers for `read`, `plan`
 * and `block`. Gives the report; rejects with a plain failure.
 */
export function runAgain(source, { from, to }, { signal, on }) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    let timer;
    const end = (settle, value) => {
      clearTimeout(timer);
      worker.terminate();
      signal.removeEventListener('abort', stop);
      settle(value);
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => end(reject, TOO_LONG), LIMIT_S * 1000);
    };
    const stop = () => end(reject, { kind: 'stopped', title: 'Stopped' });
    signal.addEventListener('abort', stop);
    worker.addEventListener('message', ({ data }) => {
      if (data.type === 'done') return end(resolve, data.report);
      if (data.type === 'failed') return end(reject, data.failure);
      wait();
      on[data.type]?.(data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      const text = event.message || 'The machine could not be loaded, or took more memory than the browser gives.';
      end(reject, { kind: 'page', title: 'the blocks could not be run here', text });
    });
    if (signal.aborted) return stop();
    wait();
    worker.postMessage({ source, from, to });
  });
}
