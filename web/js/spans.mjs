// Reading a file from its middle: where it is not compressed, or carries the index of rollsnap.
import { Checkpoints, archiveOffset } from './load.mjs';

/** The gzip header with an index in it is no longer than that. */
const HEAD = 1 << 17;
const TRAILER = 8;

/** How much of an uncompressed file is read at once. */
const PIECE = 1 << 21;

/** The block in front of a member. */
const MEMBER_HEADER = 512;

/**
 * The snapshot as if the member whose content begins at `offset` were its first one, as a stream. What comes of
 * a compressed file is proved by its index; `gzip.index` is thrown where that does not hold. Undefined
 * where the file can only be read from its beginning.
 */
export async function streamFrom(blob, offset) {
  const first = await part(blob, 0, HEAD);
  const header = archiveOffset(first);
  const start = Number(offset) - MEMBER_HEADER;
  const content = header && start >= header && (await contentOf(blob, first, PIECE));
  if (!content) return undefined;
  let next = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        const bytes = next === 0 ? content.beginning().subarray(0, header) : await content.at(next);
        if (!bytes?.length) return controller.close();
        next = next === 0 ? start : next + bytes.length;
        controller.enqueue(bytes);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The content of a file, to be read from anywhere; undefined where it can only be read from its beginning. */
export async function openContent(blob, piece) {
  const first = await part(blob, 0, HEAD);
  return archiveOffset(first) && contentOf(blob, first, piece);
}

const part = async (blob, from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer());

/**
 * The content and its `size`: `beginning()` gives its first bytes, `at(offset)` some from there on, none at the end.
 * Of an uncompressed file these are `piece` bytes, else a span.
 */
async function contentOf(blob, first, piece) {
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    return {
      compressed: false,
      size: blob.size,
      beginning: () => first,
      at: (offset) => part(blob, offset, offset + piece),
    };
  }
  const points = Checkpoints.of(first, await part(blob, Math.max(0, blob.size - TRAILER), blob.size), blob.size);
  if (!points) return undefined;
  const at = async (offset) => {
    const span = points.spanAt(offset);
    if (!span) return undefined;
    return points.inflate(span.number, await part(blob, span.from, span.to)).subarray(offset - span.start);
  };
  return { compressed: true, size: Number(points.contentLength()), beginning: () => points.beginning(), at };
}
