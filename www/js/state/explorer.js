// The state of a level, key by key: what is in it, what a key holds, what has changed since another level, and proofs.

import { $, announce, download, h } from '../dom.js';
import { drawPreview } from '../files/preview.js';
import { bytes, count, plural, sentence } from '../format.js';
import { task } from '../task.js';

/** How many entries or changes are drawn at once. */
const ROWS = 100;
/** How much of a value is shown, and how much is saved by way of memory. */
const PREVIEW_BYTES = 65536;
const MOST_SAVED = 64 * 2 ** 20;

export class StateExplorer {
  #visit;
  #level;
  #path = '/';
  #turn = 0;

  constructor() {
    $('state-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#choose(Number($('state-level').value), this.#path);
    });
    $('diff-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#compare(Number($('diff-level').value));
    });
  }

  /** Shows the state at the head of a visit whose worker has kept its context; hides the explorer where there is none. */
  show(visit) {
    this.#visit = visit;
    const { store, context } = visit.report ?? {};
    const there = Boolean(visit.store && context && store?.head_level != null);
    $('explorer').hidden = !there;
    if (!there) return;
    for (const id of ['state-level', 'diff-level']) {
      $(id).min = store.first_level ?? 0;
      $(id).max = store.head_level;
    }
    $('state-level').value = store.head_level;
    $('diff-level').value = Math.max(store.first_level ?? 0, store.head_level - 1);
    this.#choose(store.head_level, '/');
  }

  /** Brings a key, or the state of a level, to sight. */
  async #choose(level, path) {
    const visit = this.#visit;
    this.#turn += 1;
    const turn = this.#turn;
    $('diff-found').replaceChildren();
    $('state-value').replaceChildren();
    const state = await this.#ask($('state-said'), 'state', level);
    // Whoever has asked for another one meanwhile waits for that.
    if (!state || visit !== this.#visit || turn !== this.#turn) return;
    this.#level = level;
    $('state-said').textContent = `${state.state_hash ?? 'no state'} · commit ${state.context_hash}`;
    await this.#open(path);
  }

  async #open(path) {
    const listed = await this.#ask($('state-said'), 'list', this.#level, path, 0, ROWS);
    if (!listed) return;
    this.#path = path;
    $('state-value').replaceChildren();
    this.#crumbs();
    const list = h('ul', { class: 'tree state-list', 'aria-label': `Keys in ${path}` });
    list.addEventListener('keydown', (event) => this.#key(event, list));
    const hadFocus = $('state-keys').contains(document.activeElement);
    $('state-keys').replaceChildren(list);
    this.#rows(list, listed);
    if (hadFocus) list.querySelector('.state-leaf')?.focus();
  }

  #crumbs() {
    const parts = this.#path.split('/').filter(Boolean);
    const crumb = (name, path) =>
      h(
        'li',
        {},
        path === this.#path
          ? h('span', { 'aria-current': 'true' }, name)
          : h('button', { type: 'button', class: 'quiet', onclick: () => this.#open(path) }, name),
      );
    $('state-crumbs').replaceChildren(
      crumb('durable', '/'),
      ...parts.map((name, at) => crumb(name, `/${parts.slice(0, at + 1).join('/')}`)),
    );
  }

  #rows(list, { entries, next }) {
    const largest = Math.max(1, ...entries.map(({ size }) => Number(size ?? 0)));
    for (const entry of entries) list.append(this.#row(entry, largest));
    if (!list.children.length) list.append(h('li', { class: 'hint' }, 'Nothing is here.'));
    // The keys are one stop; arrows go from one to the next, Backspace goes up.
    const first = list.querySelector('.state-leaf');
    if (first && !list.querySelector('.state-leaf[tabindex="0"]')) first.tabIndex = 0;
    if (next === null) return;
    const more = h('button', { type: 'button', class: 'more' }, 'Show more');
    const item = h('li', {}, more);
    more.addEventListener('click', async () => {
      more.disabled = true;
      const listed = await this.#ask($('state-said'), 'list', this.#level, this.#path, next, ROWS);
      item.remove();
      if (listed) this.#rows(list, listed);
    });
    list.append(item);
  }

  #key(event, list) {
    const leaves = [...list.querySelectorAll('.state-leaf')];
    const at = leaves.indexOf(document.activeElement);
    if (at < 0) return;
    if (event.key === 'Backspace') {
      if (this.#path === '/') return;
      this.#open(this.#path.replace(/\/[^/]*$/, '') || '/');
    } else {
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: leaves.length - 1 }[event.key];
      if (!leaves[to]) return;
      leaves[at].tabIndex = -1;
      leaves[to].tabIndex = 0;
      leaves[to].focus();
    }
    event.preventDefault();
  }

  #row(entry, largest) {
    const { name, kind, size, entries, below } = entry;
    const path = `${this.#path === '/' ? '' : this.#path}/${name}`;
    const holds = size !== null;
    const leads = kind === 'directory' || below;
    const bar = h('span', { class: 'tree-bar', 'aria-hidden': 'true' }, h('span'));
    bar.firstChild.style.width = `${(100 * Number(size ?? 0)) / largest}%`;
    const more = entries === null ? (below ? 'keys below' : '') : plural(entries, 'entry', 'entries');
    const open = (what) => h('button', { type: 'button', class: 'state-leaf', tabindex: '-1', onclick: what });
    const button = open(() => (leads ? this.#open(path) : this.#value(path, size)));
    button.append(
      h('span', { class: 'tree-name' }, leads ? `${name}/` : name),
      h('span', { class: 'tree-more' }, more),
      bar,
      h('span', { class: 'tree-size' }, holds ? bytes(size) : ''),
    );
    const value =
      leads && holds
        ? h('button', { type: 'button', class: 'quiet', onclick: () => this.#value(path, size) }, 'Value')
        : undefined;
    return h('li', { class: 'state-row' }, button, value);
  }

  async #value(path, size) {
    const box = $('state-value');
    const read = await this.#ask($('state-said'), 'read', this.#level, path, 0, PREVIEW_BYTES);
    if (!read) return;
    const name = path.split('/').pop() || 'value';
    const save = task('Save the value', async () => {
      const all = await this.#visit.store.ask('explore', { call: 'read', args: [this.#level, path, 0, MOST_SAVED] });
      download(new Blob([all.bytes]), name);
      announce('Saved');
    });
    const prove = task('Save a proof', async () => {
      const proof = await this.#visit.store.ask('explore', { call: 'prove', args: [this.#level, [path]] });
      download(new Blob([proof]), `${name}.proof`);
      announce('The proof is saved: rollsnap context check-proof checks it');
    });
    box.replaceChildren(
      h('h3', { tabindex: '-1' }, path),
      h('p', { class: 'hint' }, `${plural(read.size ?? size, 'byte')} at level ${count(this.#level)}.`),
      ...drawPreview(read.bytes, read.size, 'the value'),
      h('div', { class: 'row' }, read.size <= MOST_SAVED ? save : undefined, prove),
    );
    box.firstChild.focus();
  }

  async #compare(from) {
    const found = await this.#ask($('state-said'), 'diff', from, this.#level, this.#path, ROWS);
    if (!found) return;
    const { added, removed, changed, complete, changes } = found;
    const sizes = ({ before, after }) =>
      [before, after].map((size) => (size === null ? 'nothing' : bytes(size))).join(' → ');
    const sum = `${count(added)} added, ${count(removed)} removed, ${count(changed)} changed`;
    const cut = complete ? '' : ', and more: the command line has all of them';
    $('diff-found').replaceChildren(
      h(
        'p',
        { id: 'diff-line', tabindex: '-1' },
        `From level ${count(from)} to ${count(this.#level)}, below ${this.#path}: ${added + removed + changed ? sum : 'nothing differs'}${cut}.`,
      ),
      h(
        'ul',
        { class: 'tree' },
        changes.map((change) =>
          h(
            'li',
            { class: 'twig' },
            h('span', { class: 'tree-name' }, change.path),
            h('span', { class: 'tree-more' }, change.change),
            h('span', { class: 'diff-sizes' }, sizes(change)),
          ),
        ),
      ),
    );
    $('diff-line').focus();
  }

  /** What the worker answers; undefined where it cannot, which is said in `line`. */
  async #ask(line, call, ...args) {
    const { store } = this.#visit;
    try {
      return await store.ask('explore', { call, args });
    } catch (failure) {
      if (failure.kind === 'stopped') return undefined;
      const text = [sentence(failure.title), failure.text].filter(Boolean).join('. ');
      line.textContent = text;
      announce(text);
      return undefined;
    }
  }
}
