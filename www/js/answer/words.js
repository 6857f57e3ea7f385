// The answer in one sentence, and in a line for each question. No word here claims more than the report.

import { bytes, count, plural, sentence } from '../format.js';
import { standing } from './questions.js';

/** Checks that stay open in every good snapshot: nothing in a file can answer them. */
const ALWAYS_OPEN = new Set(['store.unproved', 'state.genesis']);

/** `{tone, sentence, more, remarks}`: tone is an answer, `remarks` are checks. `view` is that of `bar.js`. */
export function wordsOf(view) {
  const { answers, groups } = standing(view);
  const remarks = Object.values(groups)
    .flat()
    .filter(({ status, code }) => status === 'warning' && code !== 'context.compact');
  return {
    remarks,
    ...(denial(view, answers, groups) ?? unfinished(view, answers) ?? approval(view, answers, groups)),
  };
}

/** Whether contexts are missing, as in a compact snapshot. */
export const isCompact = (report) => report?.checks.some(({ code }) => code === 'context.compact') ?? false;

function denial({ advice, report }, answers, groups) {
  const failed = Object.keys(answers).find((key) => answers[key] === 'no');
  if (!failed) return undefined;
  const first = groups[failed].find(({ status }) => status === 'no');
  const cut = failed === 'intact' && /truncated/.test(first?.code);
  const words = {
    intact: cut ? 'Cut short: a part of this file is missing.' : 'Damaged. Do not use this file.',
    consistent: 'Whole, but what is inside contradicts itself.',
    replayed: 'Its states do not follow from its messages.',
    anchored:
      first?.code === 'commitment.expected'
        ? 'This is not the snapshot that you expect.'
        : 'Layer 1 does not confirm this snapshot.',
  };
  const to = first && (first.advice || advice(first.code));
  const what = first ? `${sentence(first.said ?? first.text.split('\n')[0]).replace(/\.$/, '')}.` : '';
  return {
    tone: 'no',
    sentence: words[failed],
    more: [what, to && `${sentence(to)}.`, !report && 'The reading goes on.'].filter(Boolean).join(' '),
  };
}

function unfinished({ report, state }, answers) {
  if (answers.intact === 'reading')
    return {
      tone: 'reading',
      sentence: 'Nothing wrong so far.',
      more: ['It is read once, to its last byte; the answer comes then.', state.note].filter(Boolean).join(' '),
    };
  if (!report) return { tone: 'unknown', sentence: state.sentence ?? 'Not checked.', more: state.text };
  if (answers.intact !== 'yes')
    return { tone: 'unknown', sentence: 'Not checked to its end.', more: 'The evidence says what stood in the way.' };
  return undefined;
}

function approval({ report }, answers, groups) {
  const compact = isCompact(report);
  const inside = answers.consistent === 'yes';
  const open = inside ? undefined : reasonOf(groups.consistent);
  const known = answers.anchored === 'yes';
  const only = compact
    ? 'It is compact: it holds the state of its first block only, and an import rebuilds the rest. '
    : '';
  if (!inside)
    return {
      tone: 'unknown',
      sentence: compact
        ? 'Whole and compact; what is inside is only partly checked.'
        : 'Whole; what is inside is not fully checked.',
      more: only + (open ? `${sentence(open)}.` : ''),
    };
  if (known) {
    const expected = groups.anchored.every(({ code }) => code === 'commitment.expected');
    const by = expected ? 'and it is the one that you expect' : 'and layer 1 knows it';
    return {
      tone: 'yes',
      sentence: compact ? `Good, compact, ${by}.` : `Good, ${by}.`,
      more: `${only}${againOf(report)}Whole, and every hash and link inside agrees.`,
    };
  }
  return {
    tone: 'yes',
    sentence: compact ? 'Good as far as a compact file can tell.' : 'Good as far as a file can tell.',
    more: `${only}${againOf(report)}One question is open: does layer 1 know it?`,
  };
}

const againOf = ({ replay, verdicts }) =>
  replay && verdicts.replayed === 'yes'
    ? `${count(replay.blocks)} of ${plural(replay.of, 'block')} were run again and agree. `
    : '';

/** Why a question is open, in the words of its check. */
export function reasonOf(checks = []) {
  const first = checks.find(({ status, code }) => status === 'unknown' && !ALWAYS_OPEN.has(code));
  return first?.text
    .replace(/^not checked: /, '')
    .split('\n')[0]
    .replace(/\.$/, '');
}

/** A line below the answer of each question. */
export function lineOf(key, answer, { report, progress, replaying }, checks = []) {
  if (replaying && key === 'replayed')
    return `${count(replaying.done)} of ${plural(replaying.planned, 'block')} agree so far`;
  if (answer === 'reading')
    return key === 'intact' ? `${part(progress)} read, nothing wrong so far` : 'on the way, as members come by';
  if (answer === 'no') {
    const failed = checks.filter(({ status }) => status === 'no');
    return failed.length === 1 ? firstLine(failed[0]) : `${plural(failed.length, 'check does', 'checks do')} not hold`;
  }
  if (answer === 'unknown') {
    const reason =
      reasonOf(checks) ??
      (key === 'consistent' && report?.verdicts.intact === 'no' ? 'the file is damaged' : undefined);
    return (
      reason ??
      { intact: 'not read to its end', anchored: 'a file alone cannot prove it' }[key] ??
      'takes the whole file'
    );
  }
  return GOOD[key]?.(report, checks) ?? '';
}

const GOOD = {
  intact: ({ container, members }) =>
    `every byte of ${bytes(container.compressed_bytes)}, ${plural(members.count, 'file')}`,
  consistent: ({ store, context }) =>
    [
      store && store.first_level !== null && plural(store.head_level - store.first_level + 1, 'block'),
      context && plural(context.objects.count, 'object'),
    ]
      .filter(Boolean)
      .join(', '),
  replayed: ({ replay }) =>
    replay ? `${count(replay.blocks)} of ${plural(replay.of, 'block')} run again` : 'blocks run again agree',
  anchored: (_, checks) => checks.map(({ said, asked }) => said ?? (asked && `asked ${asked}`)).find(Boolean) ?? '',
};

const firstLine = ({ said, text }) => said ?? text.split('\n')[0];

const part = ({ read, total } = {}) =>
  total && read ? `${Math.floor((100 * Math.min(read, total)) / total)} %` : 'the first bytes';
