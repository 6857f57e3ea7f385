// The page: from a source to what is known about it.

import { markTab } from './answer/mark.js';
import { $, announce, say } from './dom.js';
import { sentence } from './format.js';
import { run } from './jobs.js';
import { drawLastSeen } from './kept/panel.js';
import { recall } from './kept/reports.js';
import { listenToAnchors } from './layer1/anchor.js';
import { Screen } from './screen.js';
import { entriesOf, pressing } from './shell/entries.js';
import { keepOffline } from './shell/offline.js';
import { listenToPalette } from './shell/palette.js';
import { followSections } from './shell/sections.js';
import { followTheme } from './shell/theme.js';
import { fromHash, listen, placeOf } from './sources.js';
import { Visit } from './visit.js';

let table = new Map(); // rows of the package's table, by code
const row = (code) => table.get(code);
const screen = new Screen((code) => row(code)?.advice ?? '');

/** Opens a source. What was shown before stays one step back. */
function open(source, { isNew = true } = {}) {
  screen.visit?.end();
  const visit = new Visit(source, screen);
  history[isNew ? 'pushState' : 'replaceState']({ visit: visit.id }, '', placeOf(source));
  tellNotice('');
  screen.show(visit);
  drawLastSeen($('seen'), { open: showAgain, current: visit.id });
  return visit.open();
}

/** Shows the kept report of a visit. False if there is none. */
async function restore(id) {
  const kept = await recall(id);
  if (!kept) return false;
  screen.visit?.end();
  const visit = Visit.of(kept, screen);
  screen.showKept(visit, readAgain(visit));
  drawLastSeen($('seen'), { open: showAgain, current: id });
  return true;
}

async function showAgain(id) {
  if (await restore(id)) history.pushState({ visit: id }, '', placeOf(screen.visit.source));
}

/** How the file of a kept report is read anew: from its address, or by the handle that the browser kept. */
function readAgain({ source }) {
  const { url, name, handle } = source;
  if (url) return { label: 'Read it again', read: () => open({ url, name }) };
  if (!handle?.getFile) return undefined;
  return {
    label: 'Read it again',
    async read() {
      try {
        const allowed = await handle.requestPermission?.({ mode: 'read' });
        if (allowed && allowed !== 'granted')
          return tellNotice('The browser does not let this page read the file again. Choose it.');
        const file = await handle.getFile();
        return open({ name: file.name, file, handle });
      } catch {
        return tellNotice('The file is not where it was. Choose it again.');
      }
    },
  };
}

function home() {
  screen.visit?.end();
  screen.home();
  markTab();
  tellNotice('');
  drawLastSeen($('seen-start'), { open: showAgain });
  $('start-title').focus();
}

/** Says what does not touch what is shown: beside the address on the start page, in a line of its own above a result. */
function tellNotice(text) {
  say($('notice'), text);
  $('notice').hidden = !text || $('result').hidden;
  say($('url-error'), $('result').hidden ? text : '');
  if (text) announce(text);
}

function refuse(what) {
  const known = row(what);
  tellNotice(known ? `${sentence(known.title)}: ${known.advice}.` : what);
}

/** The browser went to another entry of its history. */
async function follow() {
  const id = history.state?.visit;
  if (id && (await restore(id))) return;
  const source = fromHash();
  if (source) return open(source, { isNew: false });
  home();
  if (id) tellNotice('This browser has not kept that report. Choose the file again.');
}

async function start() {
  followTheme();
  followSections();
  const leave = (event) => {
    event.preventDefault();
    history.pushState(null, '', placeOf());
    home();
  };
  $('home').addEventListener('click', leave);
  $('again').addEventListener('click', leave);
  listenToAnchors(
    () => screen.visit,
    (visit, said) => screen.anchored(visit, said),
  );
  // Paper cannot be opened.
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('#verdicts details')) details.open = true;
  });
  listenToPalette((text) => entriesOf(text, screen, actions()));
  addEventListener('popstate', follow);
  // What was read so far is gone when the page goes.
  addEventListener(
    'beforeunload',
    (event) => (screen.visit?.isReading || screen.visit?.replaying) && event.preventDefault(),
  );
  listen({ open, refuse });
  const known = run('about').then(({ version, codes }) => {
    table = new Map(codes.map((code) => [code.code, code]));
    $('about').textContent = `rollsnap ${version}`;
  });
  await known.catch((failure) => say($('url-error'), failure.text));
  if (!screen.visit) await begin();
  document.documentElement.dataset.ready = '';
  keepOffline(() => Boolean(screen.visit?.isReading || screen.visit?.replaying));
}

/** What the palette can do now. */
const actions = () => [
  ...pressing('Open another snapshot', 'again', 'new file home'),
  ...pressing('Run blocks again', 'replay-go', 'replay execute'),
  ...pressing('Download the report', 'report-save', 'json save'),
  ...pressing('Compare with another snapshot', 'compare-choose', 'diff'),
  ...pressing('Hash every member', 'hash-all', 'sha-256 checksum'),
  ...pressing('Change the colours', 'theme', 'theme dark light'),
  { kind: 'Action', name: 'Print', find: 'paper pdf', run: () => print() },
];

async function begin() {
  const id = history.state?.visit;
  if (id && (await restore(id))) return;
  const source = fromHash();
  if (source) return void open(source, { isNew: false });
  drawLastSeen($('seen-start'), { open: showAgain });
  if (id) tellNotice('This browser has not kept the report that was shown here. Choose the file again.');
}

start();
