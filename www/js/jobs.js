// Starting jobs in workers, and stopping them.

/**
 * Does `job` in a worker of its own. `on` has a handler for each type of message; the promise
 * gives the result or rejects with a plain failure (see failures.js).
 */
export function run(job, details = {}, { signal, on = {} } = {}) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const stop = () => worker.postMessage({ job: 'stop' });
  const done = new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => {
      if (data.type === 'done') resolve(data.result);
      else if (data.type === 'failed') reject(data.failure);
      else on[data.type]?.(data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      const text = event.message || 'The reader could not be loaded: is pkg/ beside index.html, and is this browser up to date?';
      reject({ kind: 'page', title: 'Something went wrong in this page', text });
    });
  });
  signal?.addEventListener('abort', stop);
  worker.postMessage({ job, ...details });
  if (signal?.aborted) stop();
  return done.finally(() => {
    signal?.removeEventListener('abort', stop);
    worker.terminate();
  });
}
