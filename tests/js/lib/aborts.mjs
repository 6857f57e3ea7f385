// Long readings that a timer aborts, for every engine of JavaScript: nothing here but what all of them have.

const PART = 8 << 20;
const PARTS = 128;
const encoder = new TextEncoder();

/** One member's head as nodes write it: V7. */
function tarHeader(name, size) {
  const block = new Uint8Array(512);
  const write = (text, at) => block.set(encoder.encode(text), at);
  write(name, 0);
  write('0000644\0' + '0000000\0' + '0000000\0', 100);
  write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  write('14524372400\0', 136);
  block.fill(32, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  write(`${sum.toString(8).padStart(7, '0')}\0`, 148);
  return block;
}

/** Archive mode, some rollup, level 7. */
const HEADER = new Uint8Array(58).fill(0x11, 2, 22).fill(7, 25, 26).fill(0x22, 26);

/** 1 GB of one member, of parts that take 8 MB of memory. */
export function large() {
  const part = new Blob([new Uint8Array(PART)]);
  return new Blob([HEADER, tarHeader('context/store.0.suffix', PART * PARTS), ...Array(PARTS).fill(part)]);
}

/** Two million members without content. */
function crowded() {
  const part = new Uint8Array(PART);
  for (let at = 0; at < PART; at += 512) part.set(tarHeader(`wasm_2_0_0/${at}`, 0), at);
  return new Blob([HEADER, ...Array(PARTS).fill(new Blob([part]))]);
}

/** A stream that has its next chunk at once, always: nothing on the thread gets a turn while it is waited for. */
export function ready(chunks) {
  const rest = chunks[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = rest.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

export function* repeated() {
  yield HEADER;
  yield tarHeader('context/store.0.suffix', PART * PARTS);
  const part = new Uint8Array(1 << 16);
  for (let left = PART * PARTS; left > 0; left -= part.length) yield part;
}

/** The large file in a megabyte, which comes as one chunk. */
async function compressed() {
  const stream = large().stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Starts each reading, and aborts it by a timer that is set before: `{name: outcome}`. The outcome is `stopped` where the
 * reading ended with the reason, before the file did.
 */
export async function aborts({ inspectBlob, inspectStream, listMembers, readMember }) {
  const [file, members, packed] = [large(), crowded(), await compressed()];
  const readings = {
    blob: (options) => inspectBlob(file, options),
    'blob of members': (options) => inspectBlob(members, { ...options, onEvent() {} }),
    'ready stream': (options) => inspectStream(ready(repeated()), options),
    'one chunk': (options) => inspectStream(ready([packed]), options),
    member: (options) => readMember(file, 'context/store.0.suffix', { ...options, limit: PART * PARTS }),
    list: (options) => listMembers(members, options),
  };
  const outcomes = {};
  for (const [name, start] of Object.entries(readings)) {
    const control = new AbortController();
    const reason = new Error('enough');
    let aborted = false;
    let late = 0;
    setTimeout(() => {
      aborted = true;
      control.abort(reason);
    }, 20);
    const onProgress = () => {
      late += aborted;
    };
    outcomes[name] = await start({ signal: control.signal, digests: true, onProgress }).then(
      () => 'read to the end',
      (error) => (error === reason && !late ? 'stopped' : `${error}, told ${late} times what it read after that`),
    );
  }
  return outcomes;
}

/** What `aborts` must come to. */
export const STOPPED = {
  blob: 'stopped',
  'blob of members': 'stopped',
  'ready stream': 'stopped',
  'one chunk': 'stopped',
  member: 'stopped',
  list: 'stopped',
};
