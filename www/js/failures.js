// Why something could not be done, as plain objects that cross from the worker to the page:
// `{kind, title, text?, code?, advice?, at?, expected?, found?, missing?, command?}`.
//
// What is wrong with a snapshot has a code and the words of the package's table. What only a
// browser can meet (a host that forbids reading, a file that went away) is worded here.

export class Failure extends Error {
  constructor(parts) {
    super(parts.title);
    this.name = 'Failure';
    this.parts = parts;
  }
}

/** The browser could not read (on). */
export function readFailure(error) {
  const texts = {
    NotFoundError: ['io.not-found', 'The file is no longer there: it was moved, renamed or deleted after you chose it. Choose it again.'],
    NotReadableError: ['source.changed', 'The browser refuses to read on: the file was changed, moved or made unreadable after you chose it. Wait until nothing writes to it, then choose it again.'],
    SecurityError: ['io.permission', 'The browser does not allow this page to read the file.'],
    NetworkError: ['io.other', 'The connection broke before the end of the file.'],
    TypeError: ['io.other', 'The connection broke before the end of the file.'],
  };
  const [code, text] = texts[error?.name] ?? ['io.other', `The browser says: ${error?.message ?? error}`];
  return new Failure({ kind: 'read', code, title: 'The file could not be read to its end', text, foreign: `${error?.name ?? ''}` });
}

/** Any error as a plain object. */
export function describe(error) {
  if (error instanceof Failure) return error.parts;
  if (error?.name === 'AbortError') return { kind: 'stopped', code: 'cancelled', title: 'Stopped' };
  if (error?.code && typeof error.code === 'string') {
    const { code, title, message, advice, at, member, expected, found } = error;
    return { kind: 'input', code, title: title ?? message, advice, at, member, expected, found };
  }
  return { kind: 'page', title: 'Something went wrong in this page', text: String(error?.message ?? error) };
}
