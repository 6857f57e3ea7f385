// The three answers, each with its own words and its own evidence.

import { h, icon } from '../dom.js';
import { count, plural } from '../format.js';
import { QUESTIONS, WORDS, standing } from './questions.js';

// Why there is no answer yet; what would give one.
const NOT_HERE = {
  consistent:
    'Not checked yet: it takes the whole file. Then store, chain, context and pre-images are opened and hashed again.',
  anchored:
    'Not checked: it takes a layer 1 node that you trust, or the commitment from a source that you trust; a file alone cannot prove it. Both can be given below.',
  replayed: 'Not checked here: `rollsnap verify --replay all` runs the blocks again.',
};

/** Draws the answers of `view`, which is that of `answer/bar.js`, with their evidence. */
export function drawVerdicts(root, view) {
  const { report, state, advice } = view;
  const { answers, groups } = standing(view);
  root.replaceChildren(
    ...Object.entries(answers).map(([key, answer]) => {
      const found = groups[key] ?? [];
      const text =
        report || key !== 'intact'
          ? explain(key, answer, report, found)
          : found.length
            ? explain(key, 'no', undefined, found)
            : state.text;
      return line(key, answer, text, evidence(found, advice, key === 'intact' ? report?.checks_left_out : 0));
    }),
  );
}

function line(key, answer, text, details) {
  const [name, question] = QUESTIONS[key];
  return h(
    'article',
    {
      class: `verdict verdict-${answer}`,
      id: `verdict-${key}`,
      tabindex: '-1',
      'data-verdict': key,
      'data-answer': answer,
    },
    h('div', { class: 'verdict-mark' }, icon(answer === 'reading' ? 'unknown' : answer)),
    h(
      'div',
      { class: 'verdict-text' },
      h('h3', {}, name, h('span', { class: 'verdict-word' }, WORDS[answer])),
      h('p', { class: 'question' }, question),
      h('p', { class: 'explained' }, prose(text)),
      details,
    ),
  );
}

// Words between backticks are a command.
const prose = (text) => text.split('`').map((part, index) => (index % 2 ? h('code', {}, part) : part));

function explain(key, answer, report, found) {
  if (answer === 'reading') return 'It is being checked as the file is read; the answer comes at its end.';
  if (answer === 'unknown' && (key === 'consistent' ? !report : !found.length))
    return NOT_HERE[key] ?? 'Not checked to its end.';
  if (key === 'anchored')
    return found
      .map(({ said }) => said)
      .filter(Boolean)
      .join(' ');
  if (answer === 'unknown') return found.find(({ status }) => status === 'unknown')?.text ?? 'Not checked to its end.';
  if (answer === 'no')
    return `${plural(found.filter(({ status }) => status === 'no').length, 'check does', 'checks do')} not hold.`;
  const texts = {
    intact: `Read to the last byte: ${report?.container.compression === 'gzip' ? 'the compression, ' : ''}the header and all ${plural(report?.members.count ?? 0, 'member')} of the archive are whole. That says nothing yet about what is inside them.`,
    consistent: `Every hash and every link of blocks, messages, inboxes, commitments${report?.context ? ', pre-images and the context' : ' and pre-images'} agrees. That does not tell yet whether layer 1 knows them, and the evidence says what was not looked at.`,
    replayed:
      found.find(({ code, status }) => code === 'replay.blocks' && status === 'yes')?.text ??
      'The blocks that were run again agree with what is recorded.',
  };
  return texts[key];
}

function evidence(checks, advice, leftOut) {
  if (!checks.length) return undefined;
  const number = (wanted) => checks.filter(({ status }) => status === wanted).length;
  const failed = number('no');
  const sums = [
    [number('yes'), 'holds', 'hold'],
    [failed, 'does not hold', 'do not hold'],
    [number('warning'), 'has a remark', 'have a remark'],
    [number('unknown'), 'was not made', 'were not made'],
  ].filter(([count]) => count);
  const sum = sums
    .map(([count, one, many], index) =>
      index ? plural(count, one, many) : plural(count, `check ${one}`, `checks ${many}`),
    )
    .join(', ');
  const order = ['no', 'warning', 'unknown', 'yes'];
  const sorted = [...checks].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  return h(
    'details',
    { class: 'evidence', open: failed > 0 },
    h('summary', {}, `Evidence: ${sum}`),
    h(
      'ul',
      {},
      sorted.map((check) => checkLine(check, advice)),
    ),
    leftOut ? h('p', { class: 'hint' }, `${count(leftOut)} more are counted, not listed.`) : undefined,
  );
}

/** Where something is, what was expected and found there, and what to do about it. */
export function details({ at, member, expected, found, asked }, advice) {
  const rows = [
    ['Where', [member && `member ${member}`, place(at)].filter(Boolean).join(', ')],
    ['Expected', expected],
    ['Found', found],
    ['Asked', asked],
    ['What to do', advice],
  ].filter(([, value]) => value);
  return rows.length
    ? h(
        'dl',
        { class: 'where' },
        rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
      )
    : undefined;
}

/** One check or problem, with where, what was expected and found, and what to do. */
export function checkLine(check, advice) {
  const say = check.status === 'no' || check.status === 'warning' ? check.advice || advice(check.code) : check.advice;
  return h(
    'li',
    { class: `check check-${check.status}`, 'data-code': check.code },
    icon(check.status),
    h(
      'div',
      {},
      h(
        'p',
        {},
        h('span', { class: 'visually-hidden' }, `${WORDS[check.status]}: `),
        check.text,
        ' ',
        h('code', { class: 'code' }, check.code),
      ),
      details(check, say),
    ),
  );
}

// In words, as the command line says it.
function place(at) {
  if (!at) return '';
  if (at.stream_offset !== undefined) return `byte ${count(at.stream_offset)} of the decompressed stream`;
  if (at.file_offset !== undefined) return `byte ${count(at.file_offset)} of the file`;
  if (at.context_offset !== undefined) return `at offset ${count(at.context_offset)} of the context`;
  if (at.level !== undefined) return `level ${count(at.level)}`;
  return at.path ?? '';
}
