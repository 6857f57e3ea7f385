// Sources that stay on the other side, read by messages.

/** How much of a file is asked for at once. */
const PART = 1 << 21;

/** What is asked of the other side in a job, and what comes back. */
export class Asking {
  #post;
  #signal;
  #open = new Map();
  #asked = 0;

  constructor(post, signal) {
    this.#post = post;
    this.#signal = signal;
    // Nothing has to come any more.
    const stop = () => {
      for (const { reject } of this.#open.values()) reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
  }

  /** Asks for a part of a file, or for the next chunk of a stream: `{bytes}`, or `{end}`. */
  ask(part) {
    this.#signal.throwIfAborted();
    this.#asked += 1;
    const number = this.#asked;
    return new Promise((resolve, reject) => {
      this.#open.set(number, { resolve, reject });
      this.#post({ type: 'ask', number, part });
    });
  }

  answer({ number, broken, ...given }) {
    const asked = this.#open.get(number);
    this.#open.delete(number);
    // The other side knows why, and says it.
    if (broken) asked?.reject(new Error('the source failed'));
    else asked?.resolve(given);
  }
}

/** What the functions of the package read. */
export function sourceOf({ place, pumped, size, name }, asking) {
  if (place !== undefined) return place;
  return pumped ? streamOf(() => asking.ask()) : fileOf(size, name, asking);
}

/** A file in the shape of a Blob. */
function fileOf(size, name, asking) {
  const read = async (from, to) => (await asking.ask({ from, to })).bytes;
  return {
    size,
    name,
    slice: (from, to = size) => ({ arrayBuffer: async () => (await read(from, Math.min(to, size))).buffer }),
    stream() {
      let at = 0;
      return streamOf(async () => {
        if (at >= size) return { end: true };
        const bytes = await read(at, Math.min(at + PART, size));
        at += bytes.length;
        return bytes.length ? { bytes } : { end: true };
      });
    },
  };
}

function streamOf(next) {
  return new ReadableStream(
    {
      async pull(controller) {
        const { bytes, end } = await next();
        if (end) controller.close();
        else controller.enqueue(bytes);
      },
    },
    { highWaterMark: 0 },
  );
}
