// Files behind addresses, for the page: the package reads them; here are the words and the command line for what it cannot.

import { openUrl } from '../pkg/remote.mjs';
import { Failure } from './failures.js';
import { shellWord } from './format.js';
import { PRIVATE } from './network.js';

/** What only a browser meets, and what the table of the package cannot say of it. */
const TEXTS = {
  'http.cors':
    'It is there, but its answer lacks a response header, so the browser keeps the answer from this page. Answers of a server that is out of order often lack it too.',
};

/** Opens `source`, `{url, identity?}`: the file that an earlier job saw, if `identity` is there. */
export async function openSource({ url, identity }, { signal, onNotice }) {
  const { credentials, referrerPolicy } = PRIVATE;
  try {
    return await openUrl(url, { signal, identity, onNotice, request: { credentials, referrerPolicy } });
  } catch (error) {
    throw remoteFailure(url, error);
  }
}

/** The failure of a file behind `url`; any other error as it is. */
export function remoteFailure(url, error) {
  if (!/^(remote|http)\./.test(error?.code)) return error;
  const { code, title, advice, at, expected, found, missing, message } = error;
  const text = TEXTS[code] ?? `${message}.`;
  return new Failure({
    kind: 'remote',
    code,
    title,
    advice,
    at,
    expected,
    found,
    missing,
    text,
    command: commandFor(url),
  });
}

/** What does the same without a browser in between. */
export const commandFor = (url) => `rollsnap info ${shellWord(url)}`;
