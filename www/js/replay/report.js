// What came of blocks that were run again, in the report of the file.

import { questionOf } from '../answer/questions.js';

/** `report` with the answer *Replayed* and its checks; as it is if nothing was run. */
export function withReplay(report, replayed) {
  if (!report || !replayed) return report;
  const checks = replayed.checks.filter(({ code }) => questionOf(code) === 'replayed');
  const verdicts = { ...report.verdicts, replayed: replayed.verdicts.replayed };
  return { ...report, verdicts, replay: replayed.replay, checks: [...report.checks, ...checks] };
}
