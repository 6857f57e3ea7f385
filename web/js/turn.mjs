// Turns on a thread: who works for long lets everybody else on it, the page and whoever stops the work, have one in between.

/** How long one turn is, in milliseconds. */
const TURN = 50;

/**
 * Begins a turn. The function that it gives is called, and awaited, between two pieces of work: once the turn is over it waits
 * for the turns of others, and throws the reason of `signal` if one of them has aborted it.
 */
export function turns(signal) {
  let end = performance.now() + TURN;
  return async () => {
    if (performance.now() >= end) {
      await others();
      end = performance.now() + TURN;
    }
    signal?.throwIfAborted();
  };
}

/** Waits until all that waits for this thread has had a turn. Timers of browsers would wait for some milliseconds more. */
function others() {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  channel ??= open();
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.postMessage(undefined);
  });
}

const waiting = [];
let channel;

function open() {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return port2;
}
