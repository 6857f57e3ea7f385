// The panel that compares the snapshot that is shown with another one.

import { $, announce, h, say } from '../dom.js';
import { breakable } from '../files/table.js';
import { bytes, count, plural, sentence } from '../format.js';
import { keep, lastSeen, recall } from '../kept/reports.js';
import { anchoredBy } from '../layer1/anchor.js';
import { Visit } from '../visit.js';
import { compare } from './model.js';
import { readBeside } from './read.js';

/** Rows of a list, at most. */
const SHOWN = 12;

export class ComparePanel {
  #visit;
  #stop;

  constructor() {
    $('compare-choose').addEventListener('click', () => (this.#stop ? this.#stop.abort() : $('compare-file').click()));
    $('compare-file').addEventListener('change', ({ target }) => {
      const [file] = target.files;
      target.value = '';
      if (file) this.#read({ name: file.name, file });
    });
    $('compare-kept').addEventListener('change', ({ target }) => this.#recall(target.value));
  }

  /** Shows the panel for a visit that has a report. */
  async show(visit) {
    this.#stop?.abort();
    this.#visit = visit;
    $('compare').hidden = false;
    $('compare-body').replaceChildren();
    say($('compare-said'), '');
    const kept = (await lastSeen()).filter(({ id }) => id !== visit.id);
    $('compare-with').hidden = !kept.length;
    const option = ({ id, name, look }) =>
      h('option', { value: id }, `${name}${look.header ? `, head level ${count(look.header.head_level)}` : ''}`);
    $('compare-kept').replaceChildren(h('option', { value: '' }, 'choose …'), ...kept.map(option));
  }

  async #recall(id) {
    const kept = id && (await recall(id));
    if (kept) this.#draw(Visit.of(kept));
  }

  async #read(source) {
    const here = this.#visit;
    const stop = new AbortController();
    this.#stop = stop;
    say($('compare-choose'), 'Stop');
    const onProgress = ({ read, total }) =>
      say(
        $('compare-said'),
        `Reading ${source.name}: ${total ? `${Math.floor((100 * read) / total)} %` : bytes(read)}`,
      );
    try {
      const other = await readBeside(source, { signal: AbortSignal.any([stop.signal, here.stop.signal]), onProgress });
      keep(other, anchoredBy(other.anchors));
      if (this.#visit === here) this.#draw(other);
    } catch (failure) {
      const text = failure.kind === 'stopped' ? 'Stopped.' : `${source.name}: ${failure.title ?? failure}.`;
      if (this.#visit === here) say($('compare-said'), text);
    } finally {
      if (this.#stop === stop) {
        this.#stop = undefined;
        say($('compare-choose'), 'Choose the other snapshot');
      }
    }
  }

  #draw(other) {
    const here = this.#visit;
    const found = compare(here, other);
    const apart = found.facts.filter(({ isSame }) => !isSame);
    say(
      $('compare-said'),
      apart.length
        ? `The first difference: ${apart[0].name.toLowerCase()}.`
        : 'What both claim and record is the same.',
    );
    $('compare-body').replaceChildren(
      factTable(found.facts, here.source.name, other.source.name),
      ...(found.levels
        ? [h('h3', {}, 'Levels'), levelStrips(found.levels), h('p', { class: 'hint' }, levelWords(found.levels))]
        : []),
      h('h3', {}, 'Files'),
      ...memberLists(found.members, here, other),
      ...treeList(found.trees),
    );
    announce($('compare-said').textContent);
  }
}

function factTable(facts, a, b) {
  const cell = (value, unit) =>
    value === undefined ? '–' : unit === 'bytes' ? bytes(value) : typeof value === 'string' ? value : count(value);
  const row = ({ name, a, b, unit, isSame }) =>
    h(
      'tr',
      { class: isSame ? undefined : 'differs' },
      h('th', { scope: 'row' }, name),
      h('td', {}, cell(a, unit)),
      h('td', {}, isSame ? h('span', { class: 'muted' }, 'the same') : cell(b, unit)),
    );
  const heads = ['', a, b].map((text) =>
    h('th', { scope: 'col' }, h('span', { class: 'head' }, text || h('span', { class: 'visually-hidden' }, 'What'))),
  );
  return h(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': 'What both claim and record' },
    h('table', { class: 'compared' }, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, facts.map(row))),
  );
}

/** Two bars on one scale of levels. */
function levelStrips({ a, b }) {
  const [from, to] = [Math.min(a[0], b[0]), Math.max(a[1], b[1]) + 1];
  const bar = ([first, last]) => {
    const box = h('div', { class: 'reach' }, h('span'));
    box.firstChild.style.marginLeft = `${(100 * (first - from)) / (to - from)}%`;
    box.firstChild.style.width = `${(100 * (last + 1 - first)) / (to - from)}%`;
    return box;
  };
  return h('div', { class: 'reaches', 'aria-hidden': 'true' }, bar(a), bar(b));
}

function levelWords({ a, b, common }) {
  const range = ([from, to]) => `${count(from)} – ${count(to)}`;
  if (!common) return `No level is in both: ${range(a)} and ${range(b)}.`;
  return `In both: ${range(common)}, ${plural(common[1] - common[0] + 1, 'level')}.`;
}

function memberLists({ same, differ, onlyA, onlyB }, here, other) {
  const list = (title, all, line) =>
    all.length
      ? [
          h('h4', {}, `${title}: ${count(all.length)}`),
          h('ul', { class: 'lines' }, all.slice(0, SHOWN).map(line)),
          all.length > SHOWN ? h('p', { class: 'hint' }, `${count(all.length - SHOWN)} more.`) : '',
        ]
      : [];
  const sized = ({ name, size }) => h('li', {}, h('span', {}, breakable(name)), h('span', {}, bytes(size)));
  const pair = ({ name, a, b }) =>
    h('li', {}, h('span', {}, breakable(name)), h('span', {}, `${bytes(a)} → ${bytes(b)}`));
  return [
    h(
      'p',
      { class: 'hint' },
      `${plural(same, 'file has', 'files have')} the same name and size in both. Contents are not compared here.`,
    ),
    ...list('Other size', differ, pair),
    ...list(`Only in ${here.source.name}`, onlyA, sized),
    ...list(`Only in ${other.source.name}`, onlyB, sized),
  ];
}

function treeList(trees) {
  if (!trees?.length) return [];
  const line = ({ path, a, b }) =>
    h('li', {}, h('span', {}, breakable(`${path}/`)), h('span', {}, `${bytes(a)} → ${bytes(b)}`));
  return [
    h('h3', {}, 'State of the heads'),
    h(
      'p',
      { class: 'hint' },
      `${sentence(plural(trees.length, 'large subtree has', 'large subtrees have'))} another size.`,
    ),
    h('ul', { class: 'lines' }, trees.slice(0, SHOWN).map(line)),
  ];
}
