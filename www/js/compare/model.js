// Two snapshots side by side: what both claim, record and hold.

import { withReplay } from '../replay/report.js';

/** Rows for people are made of these; `a` and `b` are visits with a report. */
export function compare(a, b) {
  return { facts: factsOf(a, b), levels: levelsOf(a, b), members: membersOf(a, b), trees: treesOf(a, b) };
}

const FACTS = [
  ['Rollup', ({ look }) => look.header.rollup_address],
  ['History mode', ({ look }) => look.header.history_mode],
  ['Head level', ({ look }) => look.header.head_level],
  ['Last commitment', ({ look }) => look.header.last_commitment],
  ['Size', ({ look }) => look.total, 'bytes'],
  ['Compression', ({ look }) => look.compression],
  ['Store version', ({ report }) => report.store?.version],
  ['Oldest level', ({ report }) => report.store?.first_level],
  ['Newest level', ({ report }) => report.store?.head_level],
  ['Finalized level', ({ report }) => report.store?.finalized_level],
  ['Last cemented', ({ report }) => report.store?.last_cemented],
  ['Objects of the context', ({ report }) => report.context?.objects.count],
  ['Commits', ({ report }) => report.context?.commits.count],
];

const VERDICTS = ['intact', 'consistent', 'replayed'];

function factsOf(a, b) {
  const row = ([name, of, unit]) => {
    const [x, y] = [of(a) ?? undefined, of(b) ?? undefined];
    return { name, a: x, b: y, unit, isSame: x === y };
  };
  const verdicts = VERDICTS.map((key) => [
    key.charAt(0).toUpperCase() + key.slice(1),
    ({ report, replayed }) => withReplay(report, replayed).verdicts[key] ?? 'not asked',
  ]);
  return [...FACTS, ...verdicts].map(row).filter(({ a, b }) => a !== undefined || b !== undefined);
}

/** The levels that both have, and those that one has alone; undefined where a store names none. */
function levelsOf(a, b) {
  const [x, y] = [a, b].map(({ report }) => [report.store?.first_level, report.store?.head_level]);
  if (![...x, ...y].every(Number.isSafeInteger)) return undefined;
  const from = Math.max(x[0], y[0]);
  const to = Math.min(x[1], y[1]);
  return { a: x, b: y, common: from <= to ? [from, to] : undefined };
}

function membersOf(a, b) {
  const others = new Map(b.members.list.map((member) => [member.name, member]));
  const [onlyA, differ] = [[], []];
  let same = 0;
  for (const member of a.members.list) {
    const other = others.get(member.name);
    others.delete(member.name);
    if (!other) onlyA.push(member);
    else if (Number(other.size) === Number(member.size)) same += 1;
    else differ.push({ name: member.name, a: member.size, b: other.size });
  }
  const gap = ({ a, b }) => Math.abs(Number(a) - Number(b));
  const bySize = (x, y) => Number(y.size) - Number(x.size);
  return {
    same,
    differ: differ.sort((x, y) => gap(y) - gap(x)),
    onlyA: onlyA.sort(bySize),
    onlyB: [...others.values()].sort(bySize),
  };
}

/** Subtrees of the head's state that do not have the same size; those that only one report lists say nothing, as reports list the largest. */
function treesOf(a, b) {
  const [x, y] = [a, b].map(({ report }) => report.context?.head?.subtrees);
  if (!x || !y) return undefined;
  const others = new Map(y.map((tree) => [tree.path, tree]));
  return x
    .map(({ path, objects }) => ({ path, a: objects.bytes, b: others.get(path)?.objects.bytes }))
    .filter(({ a, b }) => b !== undefined && Number(a) !== Number(b));
}
