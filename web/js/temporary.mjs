// A temporary file: what does not fit into memory goes there, in a worker of a browser and in Node.

/** Where they are in the storage of a site. */
const DIRECTORY = 'rollsnap-temporary';

/**
 * A file for the option `temporary`; undefined where there is none: outside of workers, and where a browser keeps nothing
 * for a site, as in private windows. It is gone after `close()`, and what a tab has left that was closed goes with the
 * next one.
 */
export async function openTemporary({ directory } = {}) {
  const node = globalThis.process?.getBuiltinModule;
  if (node) return openInNode(node, directory);
  try {
    return await openInBrowser();
  } catch {
    return undefined;
  }
}

async function openInBrowser() {
  const root = await navigator.storage.getDirectory();
  const files = await root.getDirectoryHandle(DIRECTORY, { create: true });
  await removeLeftovers(files);
  const name = crypto.randomUUID();
  const file = await files.getFileHandle(name, { create: true });
  const handle = await file.createSyncAccessHandle();
  const remove = () => files.removeEntry(name).catch(() => {});
  return guarded(handle, remove);
}

/** Removes what tabs have left that were closed. */
export async function clearTemporary() {
  try {
    const root = await navigator.storage.getDirectory();
    await removeLeftovers(await root.getDirectoryHandle(DIRECTORY));
  } catch {
    // Nothing was left, or nothing can be kept.
  }
}

/** Files of other tabs are locked while they are open: only those of tabs that are gone can be removed. */
async function removeLeftovers(files) {
  for await (const name of files.keys()) await files.removeEntry(name).catch(() => {});
}

async function openInNode(load, directory) {
  const fs = load('node:fs');
  const path = load('node:path');
  const os = load('node:os');
  const place = fs.mkdtempSync(path.join(directory ?? os.tmpdir(), 'rollsnap-'));
  const remove = () => fs.rmSync(place, { recursive: true, force: true });
  let file;
  try {
    file = fs.openSync(path.join(place, 'temporary'), 'wx+', 0o600);
  } catch (error) {
    remove();
    throw error;
  }
  // A file without a name is gone with the process. Where open files keep their names it is removed by close().
  try {
    remove();
  } catch {}
  const handle = {
    read: (into, { at }) => all(into, at, (piece, position) => fs.readSync(file, piece, 0, piece.length, position)),
    write: (bytes, { at }) => all(bytes, at, (piece, position) => fs.writeSync(file, piece, 0, piece.length, position)),
    close: () => fs.closeSync(file),
  };
  return guarded(handle, remove);
}

/** Goes on until all bytes are through, or no more come; answers how many are. */
function all(bytes, at, some) {
  let done = 0;
  while (done < bytes.length) {
    const now = some(bytes.subarray(done), at + done);
    if (now === 0) break;
    done += now;
  }
  return done;
}

/** What is lent: `size` is how far it was written. */
function guarded(handle, remove = () => {}) {
  let size = 0;
  let closed;
  return {
    get size() {
      return size;
    },
    read: (into, options) => handle.read(into, options),
    write(bytes, options) {
      const written = handle.write(bytes, options);
      size = Math.max(size, options.at + written);
      return written;
    },
    close() {
      closed ??= Promise.resolve(handle.close()).then(remove);
      return closed;
    },
  };
}

/** How much of a file is read at once, and how many such parts are remembered. */
const PART = 1 << 16;
const PARTS = 64;

/**
 * A Blob for the option `inPlace`; undefined outside of workers, where nothing is read at once. An error of the browser
 * says that it can be read no more.
 */
export function readInPlace(blob) {
  if (typeof FileReaderSync !== 'function') return undefined;
  const reader = new FileReaderSync();
  const parts = new Map();
  const part = (number) => {
    const known = parts.get(number);
    // What was asked for last stands last.
    if (known) parts.delete(number);
    const bytes = known ?? new Uint8Array(reader.readAsArrayBuffer(blob.slice(number * PART, (number + 1) * PART)));
    parts.set(number, bytes);
    if (parts.size > PARTS) parts.delete(parts.keys().next().value);
    return bytes;
  };
  return {
    read(into, { at }) {
      let done = 0;
      while (done < into.length && at + done < blob.size) {
        const from = at + done;
        const bytes = part(Math.floor(from / PART)).subarray(from % PART, (from % PART) + into.length - done);
        into.set(bytes, done);
        done += bytes.length;
      }
      return done;
    },
    write() {
      throw new TypeError('a file that is read in place is not written');
    },
  };
}
