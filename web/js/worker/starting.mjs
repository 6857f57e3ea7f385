// Threads: the workers of browsers, and those of Node, Bun and Deno.

/** Those have a module of their own for them. */
const builtin = globalThis.process?.getBuiltinModule?.('node:worker_threads');

/** A thread that runs thread.mjs. */
export class Thread {
  /** Whether it came to an end by itself. */
  isLost = false;
  #worker;
  #hear;

  constructor() {
    if (builtin) {
      // Options of the program, such as the kind of a text that it runs, are not for this file.
      this.#worker = new builtin.Worker(new URL('./thread.mjs', import.meta.url), { execArgv: [] });
      this.#worker.on('message', (data) => this.#hear?.(data));
      this.#worker.on('messageerror', (error) => this.#lose(String(error)));
      this.#worker.on('error', (error) => this.#lose(String(error?.message ?? error)));
      this.#worker.on('exit', () => this.#lose('it has exited'));
    } else {
      // Bundlers look for this very expression.
      this.#worker = new Worker(new URL('./thread.mjs', import.meta.url), { type: 'module' });
      this.#worker.addEventListener('message', ({ data }) => this.#hear?.(data));
      this.#worker.addEventListener('messageerror', () => this.#lose('a message could not be read'));
      this.#worker.addEventListener('error', (event) => {
        event.preventDefault();
        this.#lose(event.message || 'it could not be loaded');
      });
    }
  }

  /** Who hears its messages, and `{lost}` where it comes to an end by itself. */
  listen(hear) {
    this.#hear = hear;
  }

  post(message) {
    this.#worker?.postMessage(message);
  }

  /** A program does not end while a job is done, and is not kept by a thread that has none. */
  work() {
    this.#worker?.ref?.();
  }

  rest() {
    this.#worker?.unref?.();
  }

  end() {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  #lose(why) {
    if (!this.#worker) return;
    this.isLost = true;
    this.#hear?.({ lost: why });
  }
}
