// The page: from a source to what is known about it.

import {
  anchoredBy,
  completeAnchors,
  forgetAnchors,
  listenToAnchors,
  shownOf,
  withAnchors,
  withoutAnswered,
} from './anchor.js';
import { drawClaims, refuseImport } from './claims.js';
import { drawContext } from './context.js';
import { $, announce, h, say } from './dom.js';
import { bytes, bytesExact, count, plural } from './format.js';
import { run, runAndKeep } from './jobs.js';
import { MemberDialog } from './member.js';
import { Members } from './members.js';
import { keepOffline } from './offline.js';
import { Reading } from './reading.js';
import { drawReport } from './report.js';
import { fromHash, listen, remember } from './sources.js';
import { drawStore } from './store.js';
import { Table } from './table.js';
import { followTheme } from './theme.js';
import { drawTree } from './tree.js';
import { Treemap } from './treemap.js';
import { drawTrouble, restricted, sentence } from './trouble.js';
import { drawVerdicts } from './verdicts.js';

/** What is fetched from an address without being asked for. */
const FETCHED_AT_ONCE = 16_000_000;
const REDRAW_MS = 500;
const PANELS = ['trouble', 'claims', 'reading', 'verdicts', 'store', 'context', 'members', 'report'];

let table = new Map(); // rows of the package's table, by code
const row = (code) => table.get(code);
const advice = (code) => row(code)?.advice ?? '';

/** The visit of one source. A new one takes its place and stops its jobs. */
let visit;

const reading = new Reading();
const dialog = new MemberDialog();
const hashAll = h('button', { type: 'button', class: 'quiet', id: 'hash-all' }, 'Hash every member');
const openMember = (member) => (member ? dialog.open(member, visit.tools) : $('tab-table').focus());
const rows = new Table($('view-table'), { open: openMember, hashAll });
const map = new Treemap($('map'), $('crumbs'), openMember);

async function open(source) {
  const here = begin(source);
  let worker;
  try {
    const { result: look, helper } = await here.job('look', {}, { keep: true });
    worker = helper;
    if (visit !== here) return;
    here.look = look;
    here.wire.identity = look.identity;
    describeFile(here);
    if (look.refused) return refuse(look.refused);
    $('claims').hidden = false;
    drawClaims($('claims-body'), look, source);
    $('verdicts').hidden = false;
    $('members').hidden = false;
    if (source.url && !(look.total <= FETCHED_AT_ONCE)) await offerParts(here, helper);
    else await readWhole(here);
  } catch (failure) {
    if (visit === here && failure.kind !== 'stopped') refuse(failure);
  } finally {
    worker?.end();
  }
}

function begin(source) {
  visit?.stop.abort();
  dialog.close();
  const stop = new AbortController();
  const members = new Members();
  const wire = { file: source.file, url: source.url };
  const fetched = { requests: 0, bytes: 0 };
  const count = ({ requests, bytes }) => {
    fetched.requests += requests;
    fetched.bytes += bytes;
    if (here === visit && here.look) describeFile(here);
  };
  const notice = ({ text }) => {
    if (here !== visit) return;
    if (!here.look) say($('result-sub'), `${source.url}: ${text}.`);
    announce(sentence(text));
  };
  const job = (name, details, { signal = stop.signal, on, keep = false } = {}) =>
    (keep ? runAndKeep : run)(name, { source: wire, ...details }, { signal, on: { ...on, fetched: count, notice } });
  const here = {
    source,
    wire,
    fetched,
    stop,
    members,
    job,
    problems: [],
    anchors: {},
    tools: { members, job, fetches: source.url && 'the file again from its address, up to the end of this member' },
  };
  visit = here;
  for (const panel of PANELS) $(panel).hidden = true;
  $('start').hidden = true;
  $('result').hidden = false;
  $('again').hidden = false;
  $('result-kind').textContent = source.example ? 'Example' : source.url ? 'From an address' : 'On this computer';
  say($('result-title'), source.name);
  say($('result-sub'), source.file ? bytesExact(source.file.size) : source.url);
  document.title = `${source.name} · rollsnap`;
  remember(source);
  forgetAnchors();
  map.show(members);
  rows.show(members);
  showMembers(visit);
  scrollTo({ top: 0 });
  $('result-title').focus({ preventScroll: true });
  return visit;
}

function describeFile({ source, look, fetched }) {
  const size = look.total === undefined ? 'size not known' : bytesExact(look.total);
  const form = look.compression === 'gzip' ? 'gzip' : 'not compressed';
  $('result-sub').replaceChildren(
    `${size} · ${form}`,
    ...(source.url
      ? [
          h('br'),
          h('span', { class: 'address' }, source.url),
          h('br'),
          h('span', { id: 'fetched' }, `${plural(fetched.requests, 'request')}, ${bytes(fetched.bytes)} fetched`),
        ]
      : []),
  );
}

function refuse(failure) {
  drawTrouble($('trouble'), failure);
  announce(sentence(failure.title));
}

/** What is behind an address: its members too, where they are found without reading all of the file. */
async function offerParts(here, helper) {
  const { look, source } = here;
  if (look.lacks.some((header) => header.endsWith('Content-Range')))
    drawTrouble($('trouble'), restricted(look, source));
  if (!look.ranges) return offerWhole(here, 'Only the header was read');
  offerWhole(here, 'Only the header was read', 'Looking for its members.');
  here.listing = helper;
  const listed = await helper.ask('list', { source: here.wire }).catch((failure) => {
    if (visit === here && failure.kind !== 'stopped' && !here.whole) drawTrouble($('trouble'), failure);
  });
  if (visit !== here || here.whole) return;
  if (!listed) return offerWhole(here, 'Only the header was read', 'Its members come with the reading of the whole.');
  here.members.add(listed.members);
  here.members.complete = listed.complete;
  here.tools.fetches = 'this member alone from its address';
  showMembers(here);
  offerWhole(here, 'Only the header and the list of members were read');
}

function offerWhole(here, read, more) {
  const { look } = here;
  const size = look.total === undefined ? 'its size is not known' : `${bytes(look.total)} to download`;
  const notes = look.notes.map((note) => `${sentence(note)}.`);
  const text = [more, `The rest is fetched when you ask for it: ${size}.`, ...notes].filter(Boolean).join(' ');
  reading.offer(read, text, 'Read the whole file', () => readWhole(here));
  verdicts(here, { intact: 'unknown', text: `Not checked yet: ${read.charAt(0).toLowerCase()}${read.slice(1)}.` });
  announce(headline(here, `${read}.`));
}

async function readWhole(here) {
  here.whole = true;
  here.listing?.end();
  const stop = new AbortController();
  here.stop.signal.addEventListener('abort', () => stop.abort());
  reading.start(() => stop.abort());
  here.members = here.tools.members = new Members();
  here.problems = [];
  here.store?.end();
  here.store = undefined;
  $('store').hidden = true;
  $('context').hidden = true;
  map.show(here.members);
  rows.show(here.members);
  verdicts(here, { intact: 'reading', text: 'The file is being read to its last byte.' });
  announce(headline(here, 'Reading the file.'));
  const { members } = here;
  let timer;
  const on = {
    progress: (figures) => visit === here && reading.progress(figures),
    texts: ({ texts }) => (members.texts = new Map(texts)),
    problem({ problem }) {
      here.problems.push(problem);
      if (visit === here) verdicts(here, { intact: 'reading', text: '' });
    },
    members({ members: more }) {
      const first = !members.list.length;
      members.add(more);
      if (first && visit === here) showMembers(here);
      // Drawing thousands of rows and tiles takes longer than the next message.
      timer ??= setTimeout(() => {
        timer = undefined;
        if (visit === here) showMembers(here);
      }, REDRAW_MS);
    },
  };
  try {
    const { result, helper } = await here.job('inspect', {}, { signal: stop.signal, on, keep: true });
    here.store = helper;
    await completeAnchors(here);
    if (visit === here) finish(here, result);
  } catch (failure) {
    if (visit === here) halt(here, failure);
  } finally {
    clearTimeout(timer);
  }
}

function finish(here, done) {
  const { report } = done;
  here.members.complete = report.members.complete;
  reading.done(done, here.members.list.length);
  verdicts(here, { intact: report.verdicts.intact }, report);
  if (report.verdicts.intact === 'no') refuseImport();
  showStore(report);
  showContext(here, report);
  showMembers(here);
  $('report').hidden = false;
  here.report = report;
  here.unasked = done.unasked;
  takeAlong(here);
  const failed = report.checks.filter(({ status }) => status === 'no').length;
  announce(
    `Read to the end. Intact: ${report.verdicts.intact}${failed ? `, ${plural(failed, 'check does', 'checks do')} not hold` : ''}. Consistent: ${ANSWERS[report.verdicts.consistent]}. Anchored: ${ANSWERS[anchoredBy(here.anchors)]}.`,
  );
}

function halt(here, failure) {
  const stopped = failure.kind === 'stopped';
  const kept = `What was seen until then is below: ${plural(here.members.list.length, 'member')}.`;
  reading.ended(
    stopped ? 'Stopped' : 'Ended early',
    stopped ? kept : `${sentence(failure.title)}. ${kept}`,
    'Read again',
    () => readWhole(here),
  );
  if (!stopped) drawTrouble($('trouble'), failure);
  verdicts(here, {
    intact: 'unknown',
    text: stopped
      ? 'Not checked: the reading was stopped before the end of the file.'
      : 'Not checked: the file could not be read to its end.',
  });
  showMembers(here);
  announce(stopped ? 'Stopped.' : sentence(failure.title));
}

function verdicts(here, state, report) {
  here.drawn = [state, report];
  drawVerdicts($('verdicts-body'), {
    report: withoutAnswered(report, shownOf(here.anchors)),
    state,
    problems: here.problems,
    anchored: shownOf(here.anchors),
    anchoredBy: anchoredBy(here.anchors),
    advice,
  });
}

/** Layer 1 or the visitor `said` something about the last commitment. */
function anchored(here, said) {
  verdicts(here, ...here.drawn);
  if (here.report) takeAlong(here);
  announce(`Anchored: ${ANSWERS[anchoredBy(here.anchors)]}. ${said}`);
}

const takeAlong = ({ report, anchors, unasked, source }) =>
  drawReport($('report-body'), withAnchors(report, anchors, unasked), source, anchors);

const ANSWERS = { yes: 'yes', no: 'no', unknown: 'not checked' };

const headline = ({ look: { header } }, more) =>
  `A ${header.history_mode} snapshot of rollup ${header.known_as ?? header.rollup_address}, head level ${count(header.head_level)}. ${more}`;

function showStore({ store }) {
  $('store').hidden = !store;
  if (store) drawStore($('store-body'), store);
}

function showContext({ members, source }, { context }) {
  $('context').hidden = !context;
  if (!context) return;
  const size = members.list.reduce(
    (sum, member) => (member.name.startsWith('context/') ? sum + Number(member.size) : sum),
    0,
  );
  drawContext($('context-body'), context, size, source);
}

function showMembers({ members }) {
  const sum = `${plural(members.list.length, 'member')}, ${bytes(members.root.size)}`;
  $('members-sum').textContent = members.complete
    ? sum
    : members.list.length
      ? `${sum} seen so far`
      : 'They come with the reading.';
  hashAll.disabled = !members.list.length;
  map.draw();
  rows.refresh();
  if (!$('view-tree').hidden) drawTree($('view-tree'), members, openMember);
}

hashAll.addEventListener('click', async () => {
  const here = visit;
  const label = hashAll.textContent;
  hashAll.disabled = true;
  const on = {
    digests({ digests }) {
      for (const [name, hash] of digests) here.members.digests.set(name, hash);
    },
    progress: ({ read, total }) =>
      (hashAll.textContent = `Hashing … ${total ? `${Math.floor((100 * read) / total)} %` : bytes(read)}`),
  };
  const failure = await here.job('digests', {}, { on }).then(
    () => undefined,
    (error) => error,
  );
  hashAll.textContent = label;
  hashAll.disabled = false;
  if (visit !== here) return;
  rows.draw();
  announce(failure ? sentence(failure.title) : `${plural(here.members.digests.size, 'member')} hashed`);
});

function tabs(list) {
  const all = [...list.querySelectorAll('[role=tab]')];
  const choose = (tab) => {
    for (const other of all) {
      other.setAttribute('aria-selected', String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      $(other.getAttribute('aria-controls')).hidden = other !== tab;
    }
    if (tab.id === 'tab-tree' && visit) drawTree($('view-tree'), visit.members, openMember);
    tab.focus();
  };
  list.addEventListener('click', ({ target }) => target.role === 'tab' && choose(target));
  list.addEventListener('keydown', (event) => {
    const to = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!to) return;
    choose(all[(all.indexOf(event.target) + to + all.length) % all.length]);
    event.preventDefault();
  });
}

function home(event) {
  event?.preventDefault();
  visit?.stop.abort();
  visit = undefined;
  $('result').hidden = true;
  $('again').hidden = true;
  $('start').hidden = false;
  document.title = 'rollsnap: what is in this snapshot?';
  remember();
  $('start-title').focus();
}

async function start() {
  followTheme();
  tabs(document.querySelector('[role=tablist]'));
  $('home').addEventListener('click', home);
  $('again').addEventListener('click', home);
  listenToAnchors(() => visit, anchored);
  // Paper cannot be opened.
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('#verdicts details')) details.open = true;
  });
  listen({
    open,
    refuse(what) {
      if (visit) home();
      say($('url-error'), row(what) ? `${sentence(row(what).title)}: ${row(what).advice}.` : what);
    },
  });
  const known = run('about').then(({ version, codes }) => {
    table = new Map(codes.map((code) => [code.code, code]));
    $('about').textContent = `rollsnap ${version}`;
  });
  await known.catch((failure) => say($('url-error'), failure.text));
  const source = fromHash();
  if (source && !visit) open(source);
  document.documentElement.dataset.ready = '';
  keepOffline();
}

start();
