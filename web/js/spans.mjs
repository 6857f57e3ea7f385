// Reading a file from its middle: where it is not compressed, or has an index of rollsnap, in its header or beside it.
import { failure } from './errors.mjs';
import { Beside, Checkpoints, archiveOffset } from './load.mjs';
import { RemoteFile } from './remote.mjs';

/** The gzip header with an index in it is no longer than that. */
const HEAD = 1 << 17;
const TRAILER = 8;

/** How much of an uncompressed file is read at once. */
const PIECE = 1 << 21;

/** The block in front of a member. */
const MEMBER_HEADER = 512;

/** How often a span that came from a server and is not right is fetched again. */
const AGAIN = 2;

/** The head, the table and two windows of an index beside a file are all that one call looks for. */
const MOST_MISSING = 4;

/**
 * The snapshot as if the member whose content begins at `offset` were its first one: `{stream, shift}`, where places in the
 * stream are `shift` bytes before those in the file. What comes of a compressed file is proved by its index; `gzip.index`
 * is thrown where that does not hold. Undefined where the file can only be read from its beginning.
 */
export async function streamFrom(file, offset) {
  const content = await openContent(file, PIECE);
  return content && streamOf(content, Number(offset) - MEMBER_HEADER);
}

/** The same for the member of this name, where an index knows where it is. */
export async function streamOfMember(file, name) {
  const content = await openContent(file, PIECE);
  const place = content?.placeOf(name);
  return place === undefined ? undefined : streamOf(content, place);
}

function streamOf(content, start) {
  const { header } = content;
  if (start < header) return undefined;
  let next = 0;
  const stream = new ReadableStream(
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
  return { stream, shift: start - header };
}

/** The content of a file, to be read from anywhere; undefined where it can only be read from its beginning. */
export async function openContent(file, piece) {
  const isRemote = file instanceof RemoteFile;
  if (isRemote && !file.ranges) return undefined;
  // An index leaves room for the beginning of the content in the first 64 KiB (FORMAT.md, section 5).
  const first = isRemote ? file.first : await part(file, 0, HEAD);
  const header = archiveOffset(first);
  const content = header && (await contentOf(file, first, piece));
  return content && { ...content, header };
}

const part = async (file, from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());

/**
 * The content and its `size`: `beginning()` gives its first bytes, `at(offset)` some from there on, none at the end;
 * `placeOf(name)` tells where a member begins, if that is known. Of an uncompressed file these are `piece` bytes, else a span.
 */
async function contentOf(file, first, piece) {
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    return {
      compressed: false,
      size: file.size,
      beginning: () => first,
      at: (offset) => part(file, offset, Math.min(offset + piece, file.size)),
      placeOf: () => undefined,
    };
  }
  const last = await part(file, Math.max(0, file.size - TRAILER), file.size);
  const own = Checkpoints.of(first, last, file.size);
  const [points, fill] = own ? [own, undefined] : await besideOf(file, first, last);
  if (!points) return undefined;
  const at = async (offset) => {
    const span = points.spanAt(offset);
    if (!span) return undefined;
    return (await inflate(file, span, (bytes) => inflated(points, span, bytes, fill))).subarray(offset - span.start);
  };
  return {
    compressed: true,
    size: Number(points.contentLength()),
    beginning: () => points.beginning(),
    at,
    placeOf: (name) => points.placeOf(name),
  };
}

/** `[points, fill]` of the index beside a file; `fill` brings bytes of it that a call was missing. */
async function besideOf(file, first, last) {
  const source = await file.beside?.();
  if (!source) return [];
  const beside = new Beside(source.size);
  const fill = async () => {
    const { from, to } = beside.missing();
    beside.hold(from, await part(source, from, to));
  };
  try {
    for (let missed = 0; missed < MOST_MISSING; missed += 1) {
      const points = Checkpoints.beside(first, last, file.size, beside);
      if (points) return [points, fill];
      await fill();
    }
  } catch (error) {
    // An index that is damaged, or of another file, is no help, and the file may be whole without it.
    if (error.code !== 'gzip.index') throw error;
  }
  return [];
}

async function inflated(points, { number }, bytes, fill) {
  for (let missed = 0; missed < MOST_MISSING; missed += 1) {
    const content = points.inflate(number, bytes);
    if (content) return content;
    await fill();
  }
  throw failure('gzip.index');
}

/**
 * Reads a span. One that came from a server and is not right is fetched again: where it is right then, the connection has
 * damaged it; where the same bytes come again, they are those of the server.
 */
async function inflate(file, { from, to }, use) {
  let bytes = await part(file, from, to);
  for (let times = 0; ; times += 1) {
    try {
      return await use(bytes);
    } catch (error) {
      if (error.code !== 'gzip.index' || !(file instanceof RemoteFile)) throw error;
      if (times === AGAIN)
        throw blamed(error, 'other bytes come each time they are fetched: the connection damages them');
    }
    const before = bytes;
    file.forget(from, to);
    bytes = await part(file, from, to);
    if (bytes.every((byte, at) => byte === before[at])) {
      const why = 'the same bytes come when they are fetched again: the file at the provider is damaged';
      throw blamed(await use(bytes).catch((error) => error), why);
    }
  }
}

/** The error of a span that is not right, with what fetching it again has shown. */
function blamed({ expected, found }, cause) {
  return failure('gzip.index', { expected: expected ?? undefined, found: found ?? undefined, cause });
}
