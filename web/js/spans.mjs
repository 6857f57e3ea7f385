// Reading a file from its middle: where it is not compressed, or carries the index of rollsnap.
import { Checkpoints } from './load.mjs';

/** The gzip header with an index in it is no longer than that. */
const HEAD = 1 << 17;
const TRAILER = 8;

/** How much of an uncompressed file is read at once. */
const PIECE = 1 << 21;

/** The block in front of a member. */
const MEMBER_HEADER = 512;

/**
 * The snapshot as if the member whose content begins at `offset` were its first one, as a stream; `header`
 * is how many bytes its header has. Undefined where the file can only be read from its beginning.
 */
export async function streamFrom(blob, offset, header = 58) {
  const content = await contentOf(blob);
  const start = Number(offset) - MEMBER_HEADER;
  if (!content || !(start >= header)) return undefined;
  let next = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        const bytes = next === 0 ? (await content(0))?.subarray(0, header) : await content(next);
        if (!bytes?.length) return controller.close();
        next = next === 0 ? start : next + bytes.length;
        controller.enqueue(bytes);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A function that gives some bytes of the content from an offset on, none at its end. */
async function contentOf(blob) {
  const bytes = async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer());
  const first = await bytes(0, HEAD);
  if (first[0] !== 0x1f || first[1] !== 0x8b) return (at) => bytes(at, at + PIECE);
  const points = Checkpoints.of(first, await bytes(Math.max(0, blob.size - TRAILER), blob.size), blob.size);
  if (!points) return undefined;
  return async (at) => {
    const span = points.spanAt(at);
    if (!span) return undefined;
    return points.inflate(span.number, await bytes(span.from, span.to)).subarray(at - span.start);
  };
}
