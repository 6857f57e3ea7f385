// Is a commitment published on layer 1, and what has layer 1 cemented last? The requests of
// docs/FORMAT.md, to a node that the visitor names. Nothing is asked before that.

import { L1, NoAnswer, UNKNOWN } from './rpc.js';

const NOT_PUBLISHED = 'Commitment of snapshot is not published on L1.';
const MAX_PROBES = 4096;
const MAIN = '/chains/main';
const COMMITMENT = /^src1\w{50}$/;

/** The address of a node, without what would not be sent or shown; throws a text for people. */
export function endpointOf(text) {
  let url;
  try {
    url = new URL(text.trim());
  } catch {
    throw new Error('This is not an address. Write it as https://node.example or http://127.0.0.1:8732.');
  }
  if (!/^https?:$/.test(url.protocol)) throw new Error('The address must begin with https:// or http://.');
  if (url.username || url.password) throw new Error('A browser sends no user name or password that stands in an address: leave it out.');
  if (url.search || url.hash) throw new Error('The address of a node has no ? and no #.');
  return url.href.replace(/\/+$/, '');
}

/**
 * Asks about the rollup of `header`. Gives `published`, whether its last commitment is, and `cemented`,
 * what layer 1 cemented last: `{hash, level}`, to be compared with the store. Each may be `{check, problem?}`
 * instead: a check of the report, with the texts of the command line, and the NoAnswer behind one that is
 * `unknown`. `titles(code)` gives the titles of the table; `onProbe(done, of)` is told of each level of the
 * search. Rejects only when `signal` says stop.
 */
export async function askAbout(header, endpoint, { signal, titles, onProbe = () => {} }) {
  const node = new L1(endpoint, signal);
  const answered = async (asked, check) => {
    try {
      return await asked;
    } catch (problem) {
      signal.throwIfAborted();
      if (!(problem instanceof NoAnswer)) throw problem;
      return { check: check(problem), problem };
    }
  };
  const published = await answered(search(node, header, titles, onProbe), (problem) => checkOf(problem.code, 'unknown', `${NOT_PUBLISHED}\n${problem.line(titles)}`));
  const cemented = await answered(lastCemented(node, header), (problem) => ({ ...checkOf(problem.code, 'unknown', problem.text(titles)), found: problem.found ?? null }));
  return { published, cemented };
}

/**
 * Asks what the rollup of `header` was originated with at this level: `{bootSector, protocol}`, both `undefined` where no
 * operation there originates it; or `{check, problem}` as above.
 */
export async function askOrigination({ rollup_address: rollup }, level, endpoint, { signal, titles }) {
  const path = `${MAIN}/blocks/${level}/operations`;
  try {
    return await new L1(endpoint, signal).ask(path, { level, read: (operations) => originationIn(operations, rollup, path) });
  } catch (problem) {
    signal.throwIfAborted();
    if (!(problem instanceof NoAnswer)) throw problem;
    // Many nodes have forgotten so old a block.
    const check = ['l1.pruned', 'l1.forbidden'].includes(problem.code)
      ? checkOf('state.genesis', 'unknown', `not checked: whether the boot sector on layer 1 gives the genesis state (${problem.line(titles)})`)
      : { ...checkOf(problem.code, 'unknown', problem.text(titles)), found: problem.found ?? null };
    return { check, problem };
  }
}

/** The check of the commitment that the visitor expects. `titles` as for `search`. */
export function compare(expected, { last_commitment: found }, titles) {
  const code = 'commitment.expected';
  return expected === found ? checkOf(code, 'yes', `the last commitment is the expected one, ${expected}`) : { ...checkOf(code, 'no', titles(code)), expected, found };
}

/** A check as reports have them. */
export const checkOf = (code, status, text) => ({ code, status, at: null, expected: null, found: null, text });

async function search(node, { rollup_address: rollup, last_commitment: commitment, head_level: hint }, titles, onProbe) {
  const head = await node.ask(`${MAIN}/blocks/head/header/shell`, { read: levelOf });
  const savepoint = await node.ask(`${MAIN}/levels/savepoint`, { read: levelOf });
  const from = Math.min(head, Math.max(savepoint, hint));
  const constants = `${MAIN}/blocks/${from}/context/constants`;
  const step = await node.ask(constants, { level: from, read: ({ smart_rollup_challenge_window_in_blocks: window }) => asLevel(window) });
  if (step < 1) throw new NoAnswer('l1.answer', { found: `a challenge window of ${step} blocks in ${constants}` });
  const start = Math.min(head, Math.max(savepoint, from - step));
  const count = Math.ceil((head - start) / step) + 1;
  if (count > MAX_PROBES) throw new NoAnswer('l1.answer', { because: `it would take ${count} requests to search levels ${start} to ${head} in steps of ${step}` });
  let failed = 0;
  let first;
  let gone = 0;
  for (let level = start, done = 0; ; level = Math.min(level + step, head)) {
    try {
      const path = `${MAIN}/blocks/${level}/context/smart_rollups/smart_rollup/${rollup}/commitment/${commitment}`;
      const found = await node.ask(path, { level, read: asCommitment });
      if (found !== UNKNOWN) return { check: checkOf('l1.commitment', 'yes', `layer 1 knows the last commitment, seen at level ${level}`) };
      gone = 0;
    } catch (problem) {
      if (!(problem instanceof NoAnswer)) throw problem;
      failed += 1;
      first ??= problem;
      gone = problem.code === 'l1.unreachable' ? gone + 1 : 0;
      // A node that has gone away is not asked about all levels: each costs time.
      if (gone === 2) throw problem;
    }
    onProbe((done += 1), count);
    if (level >= head) break;
  }
  if (failed === count) throw first;
  if (failed) throw new NoAnswer(first.code, { title: `${failed} of ${count} levels could not be looked at`, because: first.line(titles), advice: first.advice });
  return { check: checkOf('l1.commitment', 'no', `${NOT_PUBLISHED}\nCould not locate commitment ${commitment} for rollup ${rollup} on L1 between levels ${start} and ${head} (step ${step}).`) };
}

async function lastCemented(node, { rollup_address: rollup }) {
  const path = `${MAIN}/blocks/head/context/smart_rollups/smart_rollup/${rollup}/last_cemented_commitment_hash_with_level`;
  return node.ask(path, { read: asMark });
}

// Operations come in a list for each of four passes.
function originationIn(passes, rollup, path) {
  const list = (value) => (Array.isArray(value) ? value : []);
  for (const operation of list(passes).flatMap(list)) {
    const content = list(operation?.contents).find((content) => {
      const { status, address } = content?.metadata?.operation_result ?? {};
      return content?.kind === 'smart_rollup_originate' && status === 'applied' && address === rollup;
    });
    if (!content) continue;
    const { kernel } = content;
    if (typeof kernel !== 'string' || kernel.length % 2 || /[^0-9a-f]/i.test(kernel)) throw new NoAnswer('l1.answer', { found: `a kernel that is no hex text in ${path}` });
    const protocol = typeof operation.protocol === 'string' ? operation.protocol : undefined;
    return { bootSector: Uint8Array.from(kernel.match(/../g) ?? [], (pair) => parseInt(pair, 16)), protocol };
  }
  return { bootSector: undefined, protocol: undefined };
}

// Levels are numbers of 32 bits.
const asLevel = (value) => (Number.isInteger(value) && value === (value | 0) ? value : undefined);
const levelOf = ({ level }) => asLevel(level);

const asMark = ({ hash, level }) => (COMMITMENT.test(hash) && asLevel(level) !== undefined ? { hash, level } : undefined);

function asCommitment({ compressed_state: state, inbox_level: level, predecessor, number_of_ticks: ticks }) {
  const whole = /^srs1\w{50}$/.test(state) && COMMITMENT.test(predecessor) && /^\d{1,20}$/.test(ticks) && asLevel(level) !== undefined;
  return whole || undefined;
}
