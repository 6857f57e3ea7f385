// What stands in the way: what the file is instead, why it cannot be read, which header is missing.

import { commandLine } from './answer/claims.js';
import { details } from './answer/verdicts.js';
import { h, icon } from './dom.js';
import { sentence, shellWord } from './format.js';

/** Draws a failure (see failures.js). */
export function drawTrouble(root, failure) {
  const { kind, title, code, text, missing, command } = failure;
  root.hidden = false;
  root.replaceChildren(
    icon(kind === 'input' ? 'no' : 'warning'),
    h(
      'div',
      { class: 'trouble-text' },
      h('h2', { id: 'trouble-title' }, sentence(title), code && ' ', code && h('code', { class: 'code' }, code)),
      text && h('p', {}, text),
      missing && h('p', {}, 'Missing: ', h('code', { class: 'code' }, missing)),
      details(failure, failure.advice),
      command && h('p', { class: 'hint' }, 'On the command line:'),
      command && commandLine(command, 'the command that does the same'),
    ),
  );
}

/** A server that keeps from pages what reading parts of a file takes. */
export const restricted = ({ lacks }, { url }) => ({
  kind: 'remote',
  title: 'this page cannot read parts of this file',
  text: 'The command line can, if the server sends parts at all: it needs no permission of the server.',
  missing: lacks.join(', '),
  command: `rollsnap ls ${shellWord(url)}`,
});
