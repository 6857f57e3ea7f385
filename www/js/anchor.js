// The two ways to anchor a snapshot: a layer 1 node, and a commitment known from elsewhere.

import { $, announce, say } from './dom.js';
import { askAbout, askOrigination, checkOf, compare, endpointOf } from './layer1.js';
import { sentence } from './trouble.js';
import { together } from './verdicts.js';

const NOT_ASKED = checkOf('l1.commitment', 'unknown', 'not checked: whether the last commitment is published on layer 1 (no node was named)');
const NOT_COMPARED = checkOf('l1.lcc', 'unknown', 'not checked: whether the store agrees with what layer 1 cemented last (the file was not read to its end)');

/**
 * Listens to both forms. `current()` is the visit, with its header and the signal that ends it;
 * `show(visit, said)` draws its anchors anew and tells what was `said`; `row(code)` is a row of the table.
 */
export function listenToAnchors(current, show, row) {
  const titles = (code) => row(code)?.title ?? code;
  let asking;

  $('layer1-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const visit = current();
    if (!visit?.look?.header || asking) return;
    let endpoint;
    try {
      endpoint = endpointOf($('layer1').value);
    } catch (error) {
      return complain('layer1', error.message);
    }
    complain('layer1', '');
    const { host } = new URL(endpoint);
    asking = new AbortController();
    const signal = AbortSignal.any([visit.stop.signal, asking.signal]);
    const onProbe = (done, of) => answer(`Asking ${host} … ${done} of ${of}`);
    offerToStop(true);
    answer(`Asking ${host} …`);
    announce(`Asking ${host}.`);
    try {
      const answers = await askAbout(visit.look.header, endpoint, { signal, titles, onProbe });
      const compared = await compareWith(visit, answers);
      const originated = await originatedAs(visit, answers, endpoint, { signal, titles });
      const layer1 = told({ ...answers, endpoint, compared, originated }, titles, row);
      signal.throwIfAborted();
      visit.anchors = { ...visit.anchors, layer1 };
      show(visit, layer1.said);
      answer(layer1.short);
    } catch (error) {
      answer('');
      if (!signal.aborted) throw error;
      if (!visit.stop.signal.aborted) announce('Stopped.');
    } finally {
      asking = undefined;
      offerToStop(false);
    }
  });

  $('layer1-go').addEventListener('click', (event) => {
    if (!asking) return;
    // By the time of the default action the button would ask again.
    event.preventDefault();
    asking.abort();
  });

  $('expected-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const visit = current();
    if (!visit?.look?.header) return;
    const commitment = $('expected').value.trim();
    if (!/^src1[1-9A-HJ-NP-Za-km-z]{50}$/.test(commitment)) return complain('expected', 'This is not a commitment: one has 54 characters and begins with src1.');
    complain('expected', '');
    const check = compare(commitment, visit.look.header, titles);
    const said = `The last commitment is ${check.status === 'yes' ? '' : 'not '}the one that you expect.`;
    visit.anchors = { ...visit.anchors, expected: { commitment, said, checks: [check], shown: [{ ...check, said }] } };
    show(visit, said);
  });
}

/** The file was read to its end after layer 1 was asked: what it has of older times can be compared now. */
export async function completeAnchors(visit, row) {
  const { layer1 } = visit.anchors;
  if (!layer1) return;
  const titles = (code) => row(code)?.title ?? code;
  const { answers, endpoint } = layer1;
  const compared = await compareWith(visit, answers);
  // Who stops here has the report all the same.
  const originated = await originatedAs(visit, answers, endpoint, { signal: visit.stop.signal, titles }).catch(() => undefined);
  // Somebody may have asked again.
  if (visit.anchors.layer1 === layer1) visit.anchors = { ...visit.anchors, layer1: told({ ...answers, endpoint, compared, originated }, titles, row) };
}

/** The checks to be drawn, in the order of the command line. */
export const shownOf = ({ expected, layer1 }) => [...(expected?.shown ?? []), ...(layer1?.shown ?? [])];

/** The report of a file together with what was said about its last commitment, as the command line writes it. */
export function withAnchors(report, { expected, layer1 }) {
  const found = [...(expected?.checks ?? []), ...(layer1?.checks ?? [])];
  const checks = [...report.checks, ...(found.length ? found : [NOT_ASKED])];
  return { ...report, verdicts: { ...report.verdicts, anchored: together(found) }, checks };
}

/** Empties what was said about another snapshot. */
export function forgetAnchors() {
  $('expected').value = '';
  answer('');
  for (const name of ['layer1', 'expected']) complain(name, '');
}

/** What the store says to what layer 1 cemented last: a check, or none where there is nothing to compare. */
async function compareWith({ store }, { cemented }) {
  if (cemented.check) return cemented.check;
  if (!store) return NOT_COMPARED;
  return store.ask('cemented', cemented).catch(({ title }) => checkOf('l1.lcc', 'unknown', `not checked: whether the store agrees with what layer 1 cemented last\n${title}`));
}

/** What the file says to what layer 1 has of the origination: `{check, problem?}`, or none where there is nothing to compare. */
async function originatedAs({ store, look }, { published }, endpoint, { signal, titles }) {
  // Who does not answer is not asked once more.
  if (!store || published.problem?.code === 'l1.unreachable') return undefined;
  const level = await store.ask('originationLevel', {});
  if (level === undefined) return undefined;
  const found = await askOrigination(look.header, level, endpoint, { signal, titles });
  if (found.check) return found;
  const failed = ({ title }) => checkOf('state.genesis', 'unknown', `not checked: whether the boot sector on layer 1 gives the genesis state\n${title}`);
  return { check: await store.ask('originated', found).catch(failed) };
}

/** What a node told: the checks for the report, and the same for people. */
function told({ published, cemented, compared, originated, endpoint }, titles, row) {
  const { host } = new URL(endpoint);
  const words = { yes: `${host} knows the last commitment.`, no: `${host} does not know the last commitment.` };
  const first = forPeople(published, host, titles, row);
  first.said ??= words[published.check.status];
  const second = compared && forPeople({ check: compared, problem: cemented.problem }, host, titles, row);
  if (second) second.said = compared.status === 'no' ? `The store does not have what ${host} says was cemented last.` : undefined;
  const third = originated && forPeople(originated, host, titles, row);
  if (third) third.said = originated.check.status === 'no' ? `The file does not begin with what ${host} says that the rollup was originated with.` : undefined;
  const more = [second?.said, third?.said];
  const short = [first.short ?? first.said, ...more].filter(Boolean).join(' ');
  const said = [first.said, ...more].filter(Boolean).join(' ');
  const checks = [published.check, compared, originated?.check].filter(Boolean);
  return { endpoint, said, short, answers: { published, cemented }, checks, shown: [first, second, third].filter(Boolean) };
}

/** A check to be drawn, and what is said about it where there was no answer. */
function forPeople({ check, problem }, host, titles, row) {
  if (!problem) return { ...check, asked: host };
  const text = [problem.title ?? titles(problem.code), problem.because].filter(Boolean).join(': ');
  // Options of the command line are of no use here.
  const advice = problem.advice ?? row(problem.code)?.advice.replace(/ \(-E[^)]*\)/, '');
  const short = `It could not be checked: ${text}.`;
  return { ...check, asked: host, text, found: problem.found, advice, short, said: advice ? `${short} ${sentence(advice)}.` : short };
}

// The same button: disabling or replacing it would take the focus away.
function offerToStop(stop) {
  const go = $('layer1-go');
  go.type = stop ? 'button' : 'submit';
  go.textContent = stop ? 'Stop' : 'Check on L1';
}

function answer(text) {
  say($('layer1-said'), text);
}

function complain(name, text) {
  say($(`${name}-error`), text);
  $(name).setAttribute('aria-invalid', String(Boolean(text)));
  if (text) $(name).focus();
}
