// Starting jobs in workers, and stopping them.

/**
 * Does `job` in a worker of its own. `on` has a handler for each type of message; the promise
 * gives the result or rejects with a plain failure (see failures.js).
 */
export async function run(job, details, options) {
  const helper = new Helper(options);
  try {
    return await helper.ask(job, details);
  } finally {
    helper.end();
  }
}

/** The same, but the worker stays, with what it holds, until `signal` says stop: gives `{result, helper}`. */
export async function runAndKeep(job, details, options) {
  const helper = new Helper(options);
  try {
    return { result: await helper.ask(job, details), helper };
  } catch (failure) {
    helper.end();
    throw failure;
  }
}

/** How long a worker has for the end of its work, once it is told to stop. */
const PATIENCE_MS = 200;

class Helper {
  #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  #open = new Map();
  #asked = 0;
  #signal;
  // What is being done may have to be tidied up; nothing to do is ended at once, and who does not listen a little later.
  #stop = () => {
    if (!this.#open.size) return this.end();
    this.#worker?.postMessage({ job: 'stop' });
    setTimeout(() => this.end(), PATIENCE_MS);
  };

  constructor({ signal, on = {} } = {}) {
    this.#signal = signal;
    this.#worker.addEventListener('message', ({ data }) => {
      if (data.type === 'done') this.#settle(data.id, ({ resolve }) => resolve(data.result));
      else if (data.type === 'failed') this.#settle(data.id, ({ reject }) => reject(data.failure));
      else on[data.type]?.(data);
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      const text =
        event.message || 'The reader could not be loaded: is pkg/ beside index.html, and is this browser up to date?';
      this.end({ kind: 'page', title: 'Something went wrong in this page', text });
    });
    signal?.addEventListener('abort', this.#stop);
  }

  /** Does `job` and gives its result. */
  ask(job, details = {}) {
    if (!this.#worker) return Promise.reject(STOPPED);
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#worker.postMessage({ job, id, ...details });
      if (this.#signal?.aborted) this.#stop();
    });
  }

  end(failure = STOPPED) {
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const id of [...this.#open.keys()]) this.#settle(id, ({ reject }) => reject(failure));
  }

  #settle(id, how) {
    const asked = this.#open.get(id);
    this.#open.delete(id);
    if (asked) how(asked);
    // Stopped while it was still at work.
    if (this.#signal?.aborted && !this.#open.size) this.end();
  }
}

const STOPPED = { kind: 'stopped', title: 'Stopped' };
