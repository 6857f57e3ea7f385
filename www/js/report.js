// The report to take along: the same JSON as `rollsnap verify --json`.

import { commandLine } from './answer/claims.js';
import { copyButton, download, h } from './dom.js';
import { shellFile, shellWord } from './format.js';

/** Draws the buttons for `report`. `anchors` is what was asked about the last commitment. */
export function drawReport(root, report, source, { layer1, expected }) {
  const text = toJson(report);
  const open = root.querySelector('details')?.open;
  const options = [
    report.replay && ` --replay ${shellWord(String(report.replay.scope))}`,
    layer1 && ` --endpoint ${shellWord(layer1.endpoint)}`,
    expected && ` --expect-commitment ${expected.commitment}`,
  ];
  const save = h('button', { type: 'button', id: 'report-save' }, 'Download the report');
  save.addEventListener('click', () =>
    download(new Blob([text], { type: 'application/json' }), `${source.name}.report.json`),
  );
  root.replaceChildren(
    h('p', {}, 'The report says all of the above as JSON, in the same form as the command line.'),
    h('div', { class: 'row' }, save, copyButton(text, 'the report')),
    h('h3', {}, 'The same on the command line'),
    commandLine(
      `rollsnap verify ${shellFile(source.name)}${options.filter(Boolean).join('')} --json`,
      'the command for this report',
    ),
    h(
      'details',
      { class: 'evidence', open },
      h('summary', {}, 'Show the report'),
      h('pre', { class: 'preview', tabindex: '0', role: 'group', 'aria-label': 'The report as JSON' }, text),
    ),
  );
}

/** JSON with every number in full: sizes that are BigInt are written as the numbers they are. */
export function toJson(report) {
  // No text of a file can guess the mark.
  const mark = `bigint ${Math.random()} `;
  // As the command line writes it: what cannot be seen stands as an escape of JSON.
  const text = JSON.stringify(report, (_, value) => (typeof value === 'bigint' ? `${mark}${value}` : value), 2).replace(
    /[\u007f-\u009f\u00ad\u061c\p{Cf}\u2028\u2029]/gu,
    (c) => [...Array(c.length).keys()].map((at) => `\\u${c.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
  return `${text.replaceAll(new RegExp(`"${mark.replace('.', '\\.')}(\\d+)"`, 'g'), '$1')}\n`;
}
