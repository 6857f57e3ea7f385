// The result on the page: draws what a visit knows, part by part.

import { drawAnswer } from './answer/bar.js';
import { drawClaims, offerImport } from './answer/claims.js';
import { WORDS } from './answer/questions.js';
import { headline, kindOf, seenText, summary } from './answer/titles.js';
import { drawVerdicts } from './answer/verdicts.js';
import { isCompact } from './answer/words.js';
import { ComparePanel } from './compare/panel.js';
import { $, announce, h, say } from './dom.js';
import { MemberPanel } from './files/panel.js';
import { bytes, bytesExact, plural, sentence } from './format.js';
import { keep } from './kept/reports.js';
import { anchoredBy, forgetAnchors, shownOf, withAnchors, withoutAnswered } from './layer1/anchor.js';
import { LevelPanel } from './levels/panel.js';
import { Reading } from './reading.js';
import { withReplay } from './replay/report.js';
import { drawReport } from './report.js';
import { drawSections, go } from './shell/sections.js';
import { drawContext } from './state/context.js';
import { StateExplorer } from './state/explorer.js';
import { drawStore } from './state/store.js';
import { Tables } from './state/tables.js';
import { drawTrouble } from './trouble.js';

const PANELS = [
  'trouble',
  'claims',
  'reading',
  'verdicts',
  'store',
  'levels',
  'context',
  'members',
  'compare',
  'report',
];

export class Screen {
  /** What is shown. */
  visit;
  #advice;
  #reading = new Reading();
  #members = new MemberPanel();
  #compare = new ComparePanel();
  #state = new StateExplorer();
  #tables = new Tables();
  #levels = new LevelPanel((visit) => this.#replayed(visit));

  /** `advice(code)` gives the words of the table. */
  constructor(advice) {
    this.#advice = advice;
  }

  isShown(visit) {
    return this.visit === visit;
  }

  /** Takes what was shown away for `visit`. */
  show(visit) {
    this.visit = visit;
    const { source } = visit;
    for (const panel of PANELS) $(panel).hidden = true;
    $('start').hidden = true;
    $('result').hidden = false;
    $('again').hidden = false;
    $('result-kind').textContent = kindOf(source);
    say($('result-title'), source.name);
    say($('result-sub'), source.file ? bytesExact(source.file.size) : source.url);
    forgetAnchors();
    this.#members.show(visit);
    this.verdicts(visit);
    drawSections();
    scrollTo({ top: 0 });
    $('result-title').focus({ preventScroll: true });
  }

  /** Draws a visit that was kept; `again` reads its file anew, where that can be. */
  showKept(visit, again) {
    this.show(visit);
    this.describe(visit);
    this.claims(visit);
    this.#draw(visit);
    this.#reading.ended('Read before', seenText(visit), again?.label ?? '', again?.read);
    this.#reading.mark(visit.report, visit.look.total);
    drawSections();
    announce(`Shown again: ${visit.source.name}.`);
  }

  home() {
    this.visit = undefined;
    $('result').hidden = true;
    $('again').hidden = true;
    $('start').hidden = false;
    drawSections();
  }

  /** Something that does not touch what is shown. */
  notice(visit, text) {
    if (!this.isShown(visit)) return;
    if (!visit.look) say($('result-sub'), `${visit.source.url}: ${text}.`);
    announce(sentence(text));
  }

  describe({ source, look, fetched, report }) {
    const size = look.total === undefined ? 'size not known' : bytesExact(look.total);
    const form = look.compression === 'gzip' ? 'gzip' : 'not compressed';
    const compact = isCompact(report) ? h('span', { class: 'tag' }, 'compact') : '';
    $('result-sub').replaceChildren(
      `${size} · ${form} `,
      compact,
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

  claims(visit) {
    for (const panel of ['claims', 'verdicts', 'members']) $(panel).hidden = false;
    drawClaims($('claims-body'), visit.look, visit.source);
    drawSections();
  }

  /** The source is no snapshot, or cannot be read. */
  refuse(visit, failure) {
    drawTrouble($('trouble'), failure);
    visit.state = {
      intact: 'unknown',
      sentence: failure.kind === 'input' ? 'This is not a snapshot that can be read.' : 'It could not be read.',
      text: `${sentence(failure.title)}.`,
    };
    this.verdicts(visit);
    announce(sentence(failure.title));
  }

  trouble(failure) {
    drawTrouble($('trouble'), failure);
  }

  offer(visit, read, text) {
    this.#reading.offer(read, text, 'Read the whole file', () => visit.readWhole());
    this.verdicts(visit);
    announce(headline(visit, `${read}.`));
  }

  reading(visit, cancel) {
    this.#reading.start(cancel);
    $('trouble').hidden = true;
    for (const panel of ['store', 'levels', 'context', 'compare', 'report']) $(panel).hidden = true;
    this.#members.show(visit);
    offerImport(visit.source);
    this.verdicts(visit);
    announce(headline(visit, 'Reading the file.'));
  }

  progress(visit, figures) {
    this.#reading.progress(figures);
    this.#answer(visit);
  }

  members(visit) {
    this.#members.draw(visit);
  }

  verdicts(visit) {
    drawVerdicts($('verdicts-body'), this.#view(visit));
    this.#answer(visit);
  }

  finished(visit) {
    if (this.isShown(visit)) {
      this.#reading.done(visit.done, visit.members.list.length, visit.report);
      this.describe(visit);
      this.#draw(visit);
      announce(summary(visit, anchoredBy(visit.anchors)));
    }
    keep(visit, verdictOfAnchors(visit));
  }

  halted(visit, failure, text) {
    const stopped = failure.kind === 'stopped';
    this.#reading.ended(stopped ? 'Stopped' : 'Ended early', text, 'Read again', () => visit.readWhole());
    if (!stopped) drawTrouble($('trouble'), failure);
    this.verdicts(visit);
    this.#members.draw(visit);
    announce(stopped ? 'Stopped.' : sentence(failure.title));
  }

  ended(visit) {
    if (this.isShown(visit)) drawSections();
  }

  /** Layer 1 or the visitor `said` something about the last commitment. */
  anchored(visit, said) {
    // There is a newer answer than the one that was kept.
    visit.keptAnchoredBy = undefined;
    this.verdicts(visit);
    if (visit.report) {
      this.#takeAlong(visit);
      offerImport(visit.source, verdictsOf(visit));
      keep(visit, verdictOfAnchors(visit));
    }
    announce(`Anchored: ${WORDS[anchoredBy(visit.anchors)]}. ${said}`);
  }

  hasLevel(level) {
    return this.#levels.has(level);
  }

  openMember(member) {
    this.#members.open(member);
  }

  /** Brings a level to sight. False if it is not there. */
  goToLevel(level) {
    if (!this.#levels.go(level)) return false;
    go('levels');
    return true;
  }

  #replayed(visit) {
    const isOver = !visit.replaying;
    if (isOver && visit.report) keep(visit, verdictOfAnchors(visit));
    if (!this.isShown(visit)) return;
    if (!isOver) return this.#answer(visit);
    this.verdicts(visit);
    offerImport(visit.source, verdictsOf(visit));
    this.#takeAlong(visit);
  }

  #draw(visit) {
    this.verdicts(visit);
    this.#levels.show(visit);
    this.#compare.show(visit);
    offerImport(visit.source, verdictsOf(visit));
    const { store, context } = visit.report;
    $('store').hidden = !store;
    if (store) drawStore($('store-body'), store);
    $('context').hidden = !context;
    if (context) drawContext($('context-body'), context, contextSize(visit), visit.source);
    this.#state.show(visit);
    this.#tables.show(visit);
    this.#members.draw(visit);
    $('report').hidden = false;
    this.#takeAlong(visit);
  }

  #answer(visit) {
    drawAnswer(this.#view(visit), { name: visit.source.name, go });
  }

  #view(visit) {
    const { report, state, problems, anchors, progress, replayed, replaying } = visit;
    return {
      report: withReplay(withoutAnswered(report, shownOf(anchors)), replayed),
      replaying,
      state,
      problems,
      anchored: shownOf(anchors),
      anchoredBy: verdictOfAnchors(visit),
      progress,
      advice: this.#advice,
    };
  }

  #takeAlong(visit) {
    const { report, replayed, anchors, unasked, source } = visit;
    drawReport(
      $('report-body'),
      withAnchors(withReplay(report, replayed), anchors, unasked, verdictOfAnchors(visit)),
      source,
      anchors,
    );
  }
}

// What was kept has its answer with it: the module that gives one may not be loaded.
const verdictOfAnchors = ({ anchors, keptAnchoredBy }) =>
  anchoredBy(anchors) === 'unknown' && keptAnchoredBy ? keptAnchoredBy : anchoredBy(anchors);

const verdictsOf = (visit) => ({
  ...withReplay(visit.report, visit.replayed).verdicts,
  anchored: verdictOfAnchors(visit),
});

const contextSize = ({ members }) =>
  members.list.reduce((sum, { name, size }) => (name.startsWith('context/') ? sum + Number(size) : sum), 0);
