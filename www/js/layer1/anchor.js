// The two ways to anchor a snapshot: a layer 1 node, and a commitment known from elsewhere.

import { $, announce, say } from '../dom.js';
import { sentence } from '../format.js';
import { NotLoaded, converse, endpointOf, load, together } from './layer1.js';
import { Node } from './rpc.js';

/** A check of the report that only the page can have. */
const checkOf = (code, status, text) => ({ code, status, at: null, expected: null, found: null, text });
const NOT_COMPARED = checkOf(
  'l1.lcc',
  'unknown',
  'not checked: whether the store agrees with what layer 1 cemented last (the file was not read to its end)',
);

/**
 * Listens to both forms. `current()` is the visit, with its header and the signal that ends it;
 * `show(visit, said)` redraws the answers about layer 1 and announces `said`.
 */
export function listenToAnchors(current, show) {
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
    const onProgress = ({ done, of }) => answer(`Asking ${host} … ${done} of ${of}`);
    offerToStop(true);
    answer(`Asking ${host} …`);
    announce(`Asking ${host}.`);
    try {
      const { Layer1 } = await load();
      signal.throwIfAborted();
      const asked = new Layer1(visit.look.header, endpoint);
      const node = new Node(endpoint, signal);
      await converse(asked, node, onProgress);
      const layer1 = told(await judged(visit, asked, node), { asked, node, endpoint });
      signal.throwIfAborted();
      visit.anchors = { ...visit.anchors, layer1 };
      show(visit, layer1.said);
      answer(layer1.short);
    } catch (error) {
      answer('');
      if (error instanceof NotLoaded) return complain('layer1', error.message);
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

  $('expected-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const visit = current();
    if (!visit?.look?.header) return;
    const commitment = $('expected').value.trim();
    let check;
    try {
      const { compareCommitment } = await load();
      check = compareCommitment(visit.look.header.last_commitment, commitment);
    } catch (error) {
      if (error instanceof NotLoaded) return complain('expected', error.message);
      if (error?.code !== 'hash.text') throw error;
      return complain('expected', mistyped(commitment, error));
    }
    if (current() !== visit) return;
    complain('expected', '');
    const said = `The last commitment is ${check.status === 'yes' ? '' : 'not '}the one that you expect.`;
    visit.anchors = { ...visit.anchors, expected: { commitment, said, checks: [check], shown: [{ ...check, said }] } };
    show(visit, said);
  });
}

/** Why a text is no commitment. What was mistyped is not one that differs. */
function mistyped(text, { message, title }) {
  if (!text.startsWith('src1') || text.length !== 54)
    return 'This is not a commitment: one has 54 characters and begins with src1.';
  return `This is mistyped: ${message.slice(title.length).replace(/^: /, '')}.`;
}

/** The file was read to its end after layer 1 was asked: what it has of older times can be compared now. */
export async function completeAnchors(visit) {
  const { layer1 } = visit.anchors;
  if (!layer1) return;
  const { asked, endpoint } = layer1;
  const node = new Node(endpoint, visit.stop.signal);
  // Whoever stops here has the report all the same.
  const found = await judged(visit, asked, node).catch(() => undefined);
  // Somebody may have asked again.
  if (found && visit.anchors.layer1 === layer1)
    visit.anchors = { ...visit.anchors, layer1: told(found, { asked, node: layer1.node, endpoint }) };
}

/** The checks to be drawn, in the order of the command line. */
export const shownOf = ({ expected, layer1 }) => [...(expected?.shown ?? []), ...(layer1?.shown ?? [])];

/** What they say together. */
export const anchoredBy = (anchors) => together(shownOf(anchors));

/** The report of a file together with what was said about its last commitment, as the command line writes it: `anchored`, or `unasked` if nothing was. */
export function withAnchors(report, { expected, layer1 }, unasked, anchored) {
  const found = [...(expected?.checks ?? []), ...(layer1?.checks ?? [])];
  const checks = [...withoutAnswered(report, found).checks, ...(found.length ? found : [unasked])];
  return { ...report, verdicts: { ...report.verdicts, anchored }, checks };
}

/** The report of a file without what it left open and `found`, checks of layer 1, answers: whether the origination gives the genesis state. */
export function withoutAnswered(report, found) {
  const about = ({ code, status }, wanted) => code === 'state.genesis' && status === wanted;
  if (!report || !found.some((check) => about(check, 'yes'))) return report;
  return { ...report, checks: report.checks.filter((check) => !about(check, 'unknown')) };
}

/** Empties what was said about another snapshot. */
export function forgetAnchors() {
  $('expected').value = '';
  answer('');
  for (const name of ['layer1', 'expected']) complain(name, '');
}

/** What the file says to what layer 1 said: asks for the origination on the way. Gives `{published, compared?, originated?}`, each `{check, problem?}`. */
async function judged(visit, asked, node) {
  const { published, cemented } = asked;
  const compared = cemented && (await compareWith(visit, cemented));
  return { published, compared, originated: await originatedAs(visit, asked, node) };
}

async function compareWith({ store }, cemented) {
  if (cemented.check) return cemented;
  if (!store) return { check: NOT_COMPARED };
  const failed = ({ title }) =>
    checkOf('l1.lcc', 'unknown', `not checked: whether the store agrees with what layer 1 cemented last\n${title}`);
  const check = await store.ask('cemented', cemented).catch(failed);
  return check && { check };
}

async function originatedAs({ store }, asked, node) {
  const level = await store?.ask('originationLevel', {});
  if (level === undefined) return undefined;
  asked.askOrigination(level);
  await converse(asked, node);
  const { originated } = asked;
  if (!originated || originated.check) return originated;
  const failed = ({ title }) =>
    checkOf(
      'state.genesis',
      'unknown',
      `not checked: whether the boot sector on layer 1 gives the genesis state\n${title}`,
    );
  return { check: await store.ask('originated', originated).catch(failed) };
}

/** What a node told: the checks for the report, and the same for people. `more` is kept for later. */
function told({ published, compared, originated }, more) {
  const { host } = new URL(more.endpoint);
  const known = { yes: `${host} knows the last commitment.`, no: `${host} does not know the last commitment.` };
  const differs = {
    compared: `The store does not have what ${host} says was cemented last.`,
    originated: `The file does not begin with what ${host} says that the rollup was originated with.`,
  };
  const people = (finding) => finding && forPeople(finding, host, more.node);
  const [first, second, third] = [published, compared, originated].map(people);
  first.said ??= known[published.check.status];
  for (const [part, words] of [
    [second, differs.compared],
    [third, differs.originated],
  ]) {
    if (part) part.said = part.status === 'no' ? words : undefined;
  }
  const older = [second?.said, third?.said];
  const short = [first.short ?? first.said, ...older].filter(Boolean).join(' ');
  const said = [first.said, ...older].filter(Boolean).join(' ');
  const findings = [published, compared, originated].filter(Boolean);
  return {
    ...more,
    said,
    short,
    checks: findings.map(({ check }) => check),
    shown: [first, second, third].filter(Boolean),
  };
}

/** A check to be drawn, and what is said about it where there was no answer. */
function forPeople({ check, problem }, host, node) {
  if (!problem) return { ...check, asked: host };
  const text = [problem.title, problem.cause].filter(Boolean).join(': ');
  // Options of the command line are of no use here.
  const advice = node.adviceFor(problem) ?? problem.advice.replace(/ \(-E[^)]*\)/, '');
  const short = `It could not be checked: ${text}.`;
  return {
    ...check,
    asked: host,
    text,
    found: problem.found,
    advice,
    short,
    said: advice ? `${short} ${sentence(advice)}.` : short,
  };
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
