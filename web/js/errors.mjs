// Errors about a file. The module makes most of them, the rest is made here by the same table.
import { problem } from './load.mjs';

const NAME = 'RollsnapError';
const FIELDS = ['code', 'title', 'advice', 'at', 'member', 'expected', 'found', 'missing', 'header'];

/** An error that is about a file, not about a call; `code` tells which. */
export class RollsnapError extends Error {
  /** The error of these fields: of what `toPlain` gave, on the other side of a `postMessage`. */
  constructor(fields) {
    super(fields.message);
    this.name = NAME;
    for (const field of FIELDS) if (field in fields) this[field] = fields[field];
  }

  /** The fields as a plain object, which `postMessage` takes; an error of its own loses them there. */
  static toPlain(error) {
    const plain = { name: NAME, message: error.message };
    for (const field of FIELDS) if (field in error) plain[field] = error[field];
    return plain;
  }

  // The module knows no classes of JavaScript: what it throws is told by its name.
  static [Symbol.hasInstance](value) {
    return value instanceof Error && value.name === NAME;
  }
}

/** The error of a code. `more`: path, member, expected, found, cause, and `missing`, a response header. */
export function failure(code, { path, member, expected, found, cause, missing } = {}) {
  if (missing) expected ??= `the response header ${missing}`;
  const error = problem(code, path, member, expected, found, cause);
  if (missing) error.missing = missing;
  return error;
}

/** What the browser says when it cannot read a file that the user chose. */
function readingFailed(error, name) {
  const code = {
    NotFoundError: 'io.not-found',
    NotReadableError: 'source.changed',
    // Firefox says so of a file that was removed while it was read.
    AbortError: 'source.changed',
    NotAllowedError: 'io.permission',
    SecurityError: 'io.permission',
  }[error?.name];
  return failure(code ?? 'io.other', { path: name, cause: code ? undefined : String(error?.message ?? error) });
}

/** The error of a file that cannot be read. A stream may hide the reason; asking once more tells it. */
export async function whyUnread(blob, error) {
  // Of a file that is gone already when it is first looked at, Chromium says that it is empty.
  const part = blob.size ? blob.slice?.(0, 1) : blob;
  const again = await part?.arrayBuffer().catch((reason) => reason);
  return readingFailed(again instanceof DOMException ? again : error, blob.name);
}
