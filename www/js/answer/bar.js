// The bar on the first screen: one sentence, and a cell for each question.

import { $, h, icon, say } from '../dom.js';
import { plural, sentence } from '../format.js';
import { markTab } from './mark.js';
import { QUESTIONS, WORDS, standing } from './questions.js';
import { lineOf, wordsOf } from './words.js';

/**
 * Draws `view`: `report` where there is one, else `state`, the words about the reading: `{intact, text, sentence}`.
 * `problems` are those met so far. `anchored` are the checks that the visitor asked for apart from the file, and
 * `anchoredBy` what they say together. `progress` is that of the reading. `advice(code)` gives the words of the table.
 * `go(id)` brings a part of the page to sight.
 */
export function drawAnswer(view, { name, go }) {
  const { tone, sentence: words, more, remarks } = wordsOf(view);
  $('answer').dataset.tone = tone;
  say($('sentence'), words);
  say($('sentence-more'), more);
  $('remarks').hidden = !remarks.length;
  $('remarks').replaceChildren(...(remarks.length ? [chip(remarks, go)] : []));
  const { answers, groups } = standing(view);
  // Where blocks can be run again, and were not.
  const hasReplay = !answers.replayed && Number.isSafeInteger(view.report?.store?.first_level);
  const drawn = Object.entries(answers).map(([key, answer]) =>
    cell(key, answer, lineOf(key, answer, view, groups[key]), { go, hasReplay }),
  );
  $('cells').style.setProperty('--cells', drawn.length);
  keepFocus($('cells'), drawn);
  markTab(name, tone);
}

function chip(remarks, go) {
  const text = `${plural(remarks.length, 'remark')}: ${remarks[0].text.split('\n')[0]}`;
  return h(
    'li',
    {},
    h('button', { type: 'button', class: 'chip', onclick: () => go('verdicts') }, icon('warning'), text),
  );
}

function cell(key, answer, line, { go, hasReplay }) {
  const [name] = QUESTIONS[key];
  return h(
    'div',
    { class: 'cell', 'data-cell': key, 'data-answer': answer },
    h('p', { class: 'cell-name' }, name),
    h(
      'button',
      {
        type: 'button',
        class: 'cell-answer',
        'data-key': key,
        'aria-label': `${name}: ${WORDS[answer]}. Show the evidence`,
        onclick: () => go(`verdict-${key}`),
      },
      icon(answer === 'reading' ? 'unknown' : answer),
      WORDS[answer],
    ),
    h('p', { class: 'cell-line' }, sentence(line)),
    key === 'anchored' && answer === 'unknown' ? ways(go) : undefined,
    key === 'consistent' && hasReplay ? again(go) : undefined,
  );
}

const ways = (go) =>
  h(
    'p',
    { class: 'cell-ways' },
    h(
      'button',
      { type: 'button', class: 'link', 'data-key': 'ask', onclick: () => go('layer1') },
      'Ask a layer 1 node',
    ),
    h(
      'button',
      { type: 'button', class: 'link', 'data-key': 'compare', onclick: () => go('expected') },
      'Compare src1…',
    ),
  );

const again = (go) =>
  h(
    'p',
    { class: 'cell-ways' },
    h(
      'button',
      { type: 'button', class: 'link', 'data-key': 'again', onclick: () => go('levels') },
      'Run its blocks again',
    ),
  );

// What is drawn anew while somebody stands in it keeps the focus.
function keepFocus(root, children) {
  const at = root.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  root.replaceChildren(...children);
  if (at) root.querySelector(`[data-key="${at}"]`)?.focus({ preventScroll: true });
}
