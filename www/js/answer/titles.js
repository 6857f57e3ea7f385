// Short texts about a visit: where it is from, what it claims, what came of it.

import { count, plural } from '../format.js';
import { WORDS } from './questions.js';

/** Where a source is from. */
export const kindOf = ({ example, url, isKept }) =>
  `${example ? 'Example' : url ? 'From an address' : 'On this computer'}${isKept ? ', as it was read before' : ''}`;

/** When a kept report was made, and what is not there any more. */
export const seenText = ({ when, source }) =>
  `${new Date(when).toISOString().slice(0, 16).replace('T', ' ')} UTC. ${source.url || source.handle ? '' : 'The file itself is not kept: choose it again to look inside.'}`;

/** What a snapshot claims, for those who hear the page, and `more`. */
export const headline = ({ look: { header } }, more) =>
  `A ${header.history_mode} snapshot of rollup ${header.known_as ?? header.rollup_address}, head level ${count(header.head_level)}. ${more}`;

/** What came of it, for those who hear the page. */
export function summary(visit, anchored) {
  const { report } = visit;
  const failed = report.checks.filter(({ status }) => status === 'no').length;
  const fails = failed ? `, ${plural(failed, 'check does', 'checks do')} not hold` : '';
  return `Read to the end. Intact: ${WORDS[report.verdicts.intact]}${fails}. Consistent: ${WORDS[report.verdicts.consistent]}. Anchored: ${WORDS[anchored]}.`;
}
