// The panel of files: the map of sizes, the table, the tree, and the dialog of one member.

import { $, announce, h } from '../dom.js';
import { bytes, plural, sentence } from '../format.js';
import { MemberDialog } from './member.js';
import { Table } from './table.js';
import { drawTree } from './tree.js';
import { Treemap } from './treemap.js';

export class MemberPanel {
  #visit;
  #dialog = new MemberDialog();
  #hashAll = h('button', { type: 'button', class: 'quiet', id: 'hash-all' }, 'Hash every member');
  #open = (member) => (member ? this.#dialog.open(member, this.#visit.tools) : $('tab-table').focus());
  #rows = new Table($('view-table'), { open: this.#open, hashAll: this.#hashAll });
  #map = new Treemap($('map'), $('crumbs'), this.#open);

  constructor() {
    listenToTabs(document.querySelector('[role=tablist]'), (tab) => {
      if (tab.id === 'tab-tree' && this.#visit) drawTree($('view-tree'), this.#visit.members, this.#open);
    });
    this.#hashAll.addEventListener('click', () => this.#hash());
  }

  /** Takes another visit, or another list of the same. */
  show(visit) {
    this.#visit = visit;
    this.#dialog.close();
    this.#map.show(visit.members);
    this.#rows.show(visit.members);
    this.draw(visit);
  }

  /** Opens the dialog of a member. */
  open(member) {
    this.#open(member);
  }

  draw({ members, source }) {
    const sum = `${plural(members.list.length, 'member')}, ${bytes(members.root.size)}`;
    $('members-sum').textContent = members.complete
      ? sum
      : members.list.length
        ? `${sum} seen so far`
        : 'They come with the reading.';
    this.#hashAll.disabled = !members.list.length || (source.isKept && !source.url);
    this.#map.draw();
    this.#rows.refresh();
    if (!$('view-tree').hidden) drawTree($('view-tree'), members, this.#open);
  }

  async #hash() {
    const here = this.#visit;
    const label = this.#hashAll.textContent;
    this.#hashAll.disabled = true;
    const on = {
      digests({ digests }) {
        for (const [name, hash] of digests) here.members.digests.set(name, hash);
      },
      progress: ({ read, total }) => {
        this.#hashAll.textContent = `Hashing … ${total ? `${Math.floor((100 * read) / total)} %` : bytes(read)}`;
      },
    };
    const failure = await here.job('digests', {}, { on }).then(
      () => undefined,
      (error) => error,
    );
    this.#hashAll.textContent = label;
    this.#hashAll.disabled = false;
    if (this.#visit !== here) return;
    this.#rows.draw();
    announce(failure ? sentence(failure.title) : `${plural(here.members.digests.size, 'member')} hashed`);
  }
}

function listenToTabs(list, chosen) {
  const all = [...list.querySelectorAll('[role=tab]')];
  const choose = (tab) => {
    for (const other of all) {
      other.setAttribute('aria-selected', String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      $(other.getAttribute('aria-controls')).hidden = other !== tab;
    }
    chosen(tab);
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
