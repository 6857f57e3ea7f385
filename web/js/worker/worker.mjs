// rollsnap/worker: what `rollsnap` does, in a thread of its own.
// What each function takes, gives and throws is written in worker.d.mts.

import { RollsnapError } from '../errors.mjs';
import { detach, pump } from './crossing.mjs';
import { Thread } from './starting.mjs';

export { RollsnapError };

/** How long a thread has for the end of what it does, once it is told to stop, in milliseconds. */
const PATIENCE = 200;

export class SnapshotWorker {
  #thread;
  #last = Promise.resolve();
  #jobs = 0;
  #ended = false;
  #interrupt;

  inspect(source, options) {
    return this.#enqueue('inspect', source, undefined, options);
  }

  listMembers(source, options) {
    return this.#enqueue('listMembers', source, undefined, options);
  }

  readMember(source, member, options) {
    return this.#enqueue('readMember', source, member, options);
  }

  replay(source, options) {
    return this.#enqueue('replay', source, undefined, options);
  }

  terminate() {
    this.#ended = true;
    this.#interrupt?.(ended());
    this.#drop();
  }

  /** One job after another; who is aborted before its turn does not wait for it. */
  #enqueue(name, source, member, { signal, ...options } = {}) {
    const before = this.#last;
    const job = (async () => {
      await until(before, signal);
      if (this.#ended) throw ended();
      const { given, callbacks } = detach(name, options);
      const sent = pump(source);
      return this.#run({ name, source: sent.source, member, options: given }, callbacks, sent, signal);
    })();
    this.#last = Promise.allSettled([before, job]);
    return job;
  }

  #run(message, callbacks, sent, signal) {
    this.#jobs += 1;
    const job = this.#jobs;
    if (this.#thread?.isLost) this.#drop();
    this.#thread ??= new Thread();
    const thread = this.#thread;
    return new Promise((resolve, reject) => {
      const timers = {};
      const settle = (how, value) => {
        clearTimeout(timers.patience);
        clearTimeout(timers.silence);
        signal?.removeEventListener('abort', onAbort);
        this.#interrupt = undefined;
        thread.listen(undefined);
        thread.rest();
        sent.cancel();
        how(value);
      };
      /** The job is given up, for this reason: by the thread itself, or without it. */
      const stop = (reason) => {
        if (timers.patience) return;
        thread.post({ job, stop: true });
        timers.patience = setTimeout(() => {
          this.#drop();
          settle(reject, reason);
        }, PATIENCE);
        callbacks.stopped = { reason };
      };
      const onAbort = () => stop(signal.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#interrupt = (reason) => settle(reject, reason);

      const handlers = {
        calls: ({ calls }) => {
          for (const [name, ...values] of calls) {
            if (callbacks.stopped) return;
            try {
              callbacks.call(name, values);
            } catch (error) {
              stop(error);
            }
          }
        },
        ask: async ({ number, part }) => thread.post({ job, number, ...(await sent.give(part)) }),
        // A kernel cannot be interrupted: where it takes too long the thread goes with it.
        limit: ({ milliseconds, error }) => {
          clearTimeout(timers.silence);
          timers.silence = setTimeout(() => {
            this.#drop();
            settle(reject, new RollsnapError(error));
          }, milliseconds);
        },
        done: ({ result }) => {
          if (callbacks.stopped) settle(reject, callbacks.stopped.reason);
          else settle(resolve, result);
        },
        failed: ({ error, plain }) =>
          settle(reject, callbacks.stopped?.reason ?? sent.error ?? (plain ? new RollsnapError(plain) : error)),
      };
      thread.listen((data) => {
        if (data.lost) {
          this.#drop();
          settle(reject, callbacks.stopped?.reason ?? new Error(`the thread of rollsnap ended: ${data.lost}`));
        } else if (data.job === job) handlers[data.type](data);
      });
      thread.work();
      try {
        thread.post({ job, ...message });
      } catch (error) {
        settle(reject, error);
      }
      if (signal?.aborted) onAbort();
    });
  }

  #drop() {
    this.#thread?.end();
    this.#thread = undefined;
  }
}

// Not every engine knows it.
if (Symbol.dispose) SnapshotWorker.prototype[Symbol.dispose] = SnapshotWorker.prototype.terminate;

const ended = () => new DOMException('terminate() was called', 'AbortError');

/** Waits for a promise, or for the abort of a signal, which it throws. */
async function until(promise, signal) {
  signal?.throwIfAborted();
  if (!signal) return promise;
  let stop;
  const aborted = new Promise((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
