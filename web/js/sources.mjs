// What stands for a file, wherever one is read: a Blob, bytes, a stream, an address, and in Node a path.

import { RollsnapError, failure, whyUnread } from './errors.mjs';
import { init } from './load.mjs';
import { RemoteFile, openUrl } from './remote.mjs';

/** Node, Bun and Deno give their own modules to whoever asks; elsewhere there are none. */
const builtin = globalThis.process?.getBuiltinModule;

/**
 * Opens a source: `{file, stream(), total, failed}`. `file` can be read here and there, as a Blob; it is undefined for what
 * comes once, from front to end. `failed` makes the error of a read that went wrong; undefined where that is the error itself.
 */
export async function openSource(source, options = {}) {
  options.signal?.throwIfAborted();
  await init();
  const file = await fileOf(source, options);
  if (file) {
    const failed = file instanceof RemoteFile ? undefined : named(file);
    return { file, stream: () => file.stream(), total: file.size, failed };
  }
  const stream = streamOf(source);
  if (!stream) {
    throw new TypeError(
      'source: expected a Blob, bytes, a stream, an iterable of bytes, an address, or in Node a path',
    );
  }
  return { stream: () => stream };
}

/** Whoever has found out what is wrong with the file has said it. */
const named = (file) => (error) => (error instanceof RollsnapError ? error : whyUnread(file, error));

async function fileOf(source, options) {
  if (source instanceof RemoteFile) return source.under(options.signal);
  if (typeof source?.stream === 'function') return source;
  if (ArrayBuffer.isView(source))
    return fileOfBytes(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  if (source instanceof ArrayBuffer) return fileOfBytes(new Uint8Array(source));
  if (typeof source !== 'string' && !(source instanceof URL)) return undefined;
  return isPath(String(source)) ? openPath(String(source)) : openUrl(source, options);
}

/** Bytes in the shape of a Blob, which would be a copy of them. */
const fileOfBytes = (bytes) => ({
  size: bytes.length,
  slice: (from, to) => ({ arrayBuffer: async () => bytes.slice(from, to).buffer }),
  stream: () => streamOf([bytes]),
});

/** What has a protocol other than `file:` is an address; without Node everything is. */
export const isPath = (text) => Boolean(builtin) && (/^file:/i.test(text) || !/^[a-z][a-z\d+.-]+:/i.test(text));

/** The file at a path, or at a `file:` address. It is read when its bytes are asked for. */
async function openPath(text) {
  const { openAsBlob, promises } = builtin('node:fs');
  const path = /^file:/i.test(text) ? builtin('node:url').fileURLToPath(text) : text;
  const stat = await promises.stat(path).catch((error) => {
    throw unopened(path, error);
  });
  if (!stat.isFile()) throw failure('io.other', { path, cause: 'it is no file' });
  await promises.access(path, promises.constants.R_OK).catch((error) => {
    throw unopened(path, error);
  });
  // Errors of reading name it.
  return Object.defineProperty(await openAsBlob(path), 'name', { value: path });
}

function unopened(path, error) {
  const code = { ENOENT: 'io.not-found', ENOTDIR: 'io.not-found', EACCES: 'io.permission', EPERM: 'io.permission' }[
    error.code
  ];
  return failure(code ?? 'io.other', { path, cause: code ? undefined : error.message });
}

/** The stream that this is, or that gives what can be iterated; undefined for anything else. */
function streamOf(source) {
  if (typeof source?.getReader === 'function') return source;
  const begin = typeof source === 'object' && (source?.[Symbol.asyncIterator] ?? source?.[Symbol.iterator]);
  if (!begin) return undefined;
  const chunks = begin.call(source);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
