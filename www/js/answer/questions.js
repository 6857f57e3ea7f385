// The questions of a report: their names, their order, and which check belongs to which.

/** Name and meaning of each, in the order in which they are shown. */
export const QUESTIONS = {
  intact: ['Intact', 'Is the file whole, to its last byte?'],
  consistent: ['Consistent', 'Does every hash and link inside agree?'],
  replayed: ['Replayed', 'Do the states follow from the messages?'],
  anchored: ['Anchored', 'Is the last commitment known to layer 1?'],
};

/** Words for an answer and for the status of a check. */
export const WORDS = {
  yes: 'yes',
  no: 'no',
  unknown: 'not checked',
  warning: 'with a remark',
  reading: 'being checked',
};

/** The question that a check of this code belongs to. */
export function questionOf(code) {
  if (/^(header\.(?!store)|file\.|gzip\.|tar\.|snapshot\.)/.test(code)) return 'intact';
  if (/^(replay|pvm\.refused)\./.test(code)) return 'replayed';
  return /^(l1\.|http\.|commitment\.expected)/.test(code) ? 'anchored' : 'consistent';
}

/** What is known by now, for whoever draws it: `{answers, groups}`, both by question. `view` is that of `bar.js`. */
export function standing({ report, state, problems = [], anchored = [], anchoredBy = 'unknown', replaying }) {
  const checks = report?.checks ?? problems.map((problem) => ({ status: 'no', text: problem.title, ...problem }));
  const groups = Object.groupBy(checks, ({ code }) => questionOf(code));
  groups.anchored = [...(groups.anchored ?? []), ...anchored];
  const answers = {};
  for (const key of Object.keys(QUESTIONS)) {
    if (key === 'replayed' && !report?.verdicts.replayed && !replaying) continue;
    answers[key] =
      key === 'replayed' && replaying
        ? 'reading'
        : answerOf(key, { report, state, found: groups[key] ?? [], anchoredBy });
  }
  return { answers, groups };
}

function answerOf(key, { report, state, found, anchoredBy }) {
  if (key === 'anchored') return found.length ? anchoredBy : 'unknown';
  if (report) return report.verdicts[key] ?? 'unknown';
  if (key !== 'intact') return state.intact === 'reading' && key === 'consistent' ? 'reading' : 'unknown';
  return found.some(({ status }) => status === 'no') ? 'no' : state.intact;
}
