// What stands in the way: what the file is instead, why it cannot be read, which header is missing.

import { h, icon } from './dom.js';
import { commandLine } from './claims.js';
import { checkLine } from './verdicts.js';

/** Draws a failure (see failures.js). `row(code)` is the row of the package's table. */
export function drawTrouble(root, failure, row) {
  root.hidden = false;
  root.className = `trouble trouble-${failure.kind}`;
  root.replaceChildren(
    icon(failure.kind === 'input' ? 'no' : 'warning'),
    h('div', { class: 'trouble-text' }, h('h2', { id: 'trouble-title' }, sentence(failure.title)), ...(failure.kind === 'input' ? input(failure, row) : other(failure, row))),
  );
}

function input(failure, row) {
  const line = checkLine({ ...failure, status: 'no', text: failure.found ? `Found: ${failure.found}.` : 'Found by its first bytes.', found: undefined }, (code) => row(code)?.advice);
  return [h('ul', { class: 'trouble-check' }, line)];
}

function other({ text, code, missing, command }, row) {
  const known = code && row(code);
  return [
    text && h('p', {}, text),
    missing && h('p', {}, 'Missing: ', h('code', { class: 'code' }, missing)),
    known && code !== 'io.other' && h('p', { class: 'hint' }, `${sentence(known.title)}. `, h('code', { class: 'code' }, code)),
    command && h('p', { class: 'hint' }, 'The command line needs nobody’s permission:'),
    command && commandLine(command, 'the command that does the same'),
  ];
}

/** Titles of the table start small, as they stand behind a program's name on the command line. */
export const sentence = (title) => title.charAt(0).toUpperCase() + title.slice(1);
