// Why something could not be done, as plain objects that cross from the worker to the page:
// `{kind, code, title, advice, text?, at?, member?, expected?, found?, missing?, command?}`.
//
// Title and advice are the words of the package's table, for what is wrong with a file and for
// what only a browser meets (a host that forbids reading, a file that went away) alike. `text`
// adds what the table cannot know.

import { adviceHere } from './advice.js';

export class Failure extends Error {
  constructor(parts) {
    super(parts.text ?? parts.title ?? parts.code);
    this.name = 'Failure';
    this.parts = parts;
  }
}

/** The browser could not read in `file`; with `isLate`, not read on: it was there when it was looked at first. */
export async function fileFailure(file, error, isLate = false) {
  // A stream may hide the reason: asking for one byte tells it.
  const again = await file
    .slice(0, 1)
    .arrayBuffer()
    .catch((reason) => reason);
  const failure = nameFailure(again instanceof DOMException ? again : error);
  return isLate && failure.parts.code === 'io.not-found'
    ? new Failure({ ...failure.parts, code: 'source.changed' })
    : failure;
}

/** Throws if `file` is not any more what it was when it was chosen: `read` bytes of it were read. */
export async function assertUnchanged(file, read) {
  const again = await file
    .slice(0, 1)
    .arrayBuffer()
    .catch((reason) => reason);
  if (again instanceof DOMException) throw await fileFailure(file, again, true);
  if (read === file.size) return;
  throw new Failure({
    kind: 'read',
    code: 'source.changed',
    text: 'The browser gave another number of bytes than the file had when you chose it.',
  });
}

function nameFailure(error) {
  const changed = [
    'source.changed',
    'The browser refuses to read on: the file was changed, moved or deleted after you chose it. Choose it again when nothing writes to it.',
  ];
  const known = {
    NotFoundError: ['io.not-found', 'It was moved, renamed or deleted after you chose it. Choose it again.'],
    NotReadableError: changed,
    // Firefox says so of a file that was removed while it was read.
    AbortError: changed,
    NotAllowedError: ['io.permission', 'The browser does not let this page read the file.'],
    SecurityError: ['io.permission', 'The browser does not let this page read the file.'],
  };
  const [code, text] = known[error?.name] ?? ['io.other', `The browser says: ${error?.message ?? error}`];
  return new Failure({ kind: 'read', code, text });
}

/** Any error as a plain object, completed with the words of its code in `table`. */
export function describe(error, table) {
  const failure = parts(error);
  const row = table.find(({ code }) => code === failure.code);
  return {
    ...failure,
    title: failure.title ?? row?.title ?? 'Something went wrong in this page',
    advice: adviceHere({ code: failure.code, advice: failure.advice ?? row?.advice }),
  };
}

function parts(error) {
  if (error instanceof Failure) return error.parts;
  if (error?.name === 'AbortError') return { kind: 'stopped', code: 'cancelled' };
  if (typeof error?.code === 'string') {
    const { code, title, advice, at, member, expected, found } = error;
    return { kind: 'input', code, title, advice, at, member, expected, found };
  }
  return { kind: 'page', text: String(error?.message ?? error) };
}
