// The members as a table: sortable, filterable, a page of rows at a time.

import { announce, h } from '../dom.js';
import { bytes, count, plural, share, time } from '../format.js';

const ROWS = 100;

const COLUMNS = [
  { key: 'name', label: 'Name', of: (member) => member.name, first: 1 },
  { key: 'size', label: 'Size', of: (member) => Number(member.size), first: -1 },
  { key: 'share', label: 'Share', class: 'wide' },
  { key: 'mtime', label: 'Changed', of: (member) => Number(member.mtime), first: -1, class: 'wide' },
  { key: 'sha256', label: 'SHA-256', class: 'wide' },
];

export class Table {
  #members;
  #sort = { key: 'size', way: -1 };
  #filter = '';
  #made;
  #page = 0;
  #open;
  #body = h('tbody');
  #heads;
  #said = h('p', { class: 'table-count' });
  #pager = h('div', { class: 'pager' });
  #scroll;

  constructor(root, { open, hashAll }) {
    this.#open = open;
    const input = h('input', {
      type: 'search',
      id: 'filter',
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder: 'context/, sqlite, …',
    });
    input.addEventListener('input', () => {
      this.#filter = input.value.trim().toLowerCase();
      this.#page = 0;
      this.draw();
      announce(this.#said.textContent);
    });
    this.#heads = new Map(COLUMNS.map((column) => [column.key, this.#head(column)]));
    const table = h(
      'table',
      {},
      h('caption', { class: 'visually-hidden' }, 'Members of the archive'),
      h('thead', {}, h('tr', {}, [...this.#heads.values()])),
      this.#body,
    );
    this.#scroll = h('div', { class: 'table-scroll' }, table);
    root.replaceChildren(
      h(
        'div',
        { class: 'table-tools' },
        h('div', { class: 'filter' }, h('label', { for: 'filter' }, 'Filter by name'), input),
        this.#said,
        hashAll,
      ),
      this.#scroll,
      this.#pager,
    );
  }

  show(members) {
    this.#members = members;
    this.#page = 0;
    this.draw();
  }

  /** Draws again, but not in the middle of the rows that somebody works in. */
  refresh() {
    if (!this.#scroll.contains(document.activeElement)) this.draw();
  }

  draw() {
    const rows = this.#rows();
    const pages = Math.max(1, Math.ceil(rows.length / ROWS));
    this.#page = Math.min(this.#page, pages - 1);
    const from = this.#page * ROWS;
    this.#body.replaceChildren(...rows.slice(from, from + ROWS).map((member) => this.#row(member)));
    if (!rows.length) {
      const why = this.#filter ? 'No member has this in its name.' : 'No members yet.';
      this.#body.append(h('tr', {}, h('td', { colSpan: COLUMNS.length, class: 'none' }, why)));
    }
    for (const [key, head] of this.#heads)
      head.setAttribute('aria-sort', key !== this.#sort.key ? 'none' : this.#sort.way > 0 ? 'ascending' : 'descending');
    this.#said.textContent = this.#filter
      ? `${count(rows.length)} of ${plural(this.#members.list.length, 'member')}`
      : plural(rows.length, 'member');
    this.#drawPager(from, rows.length, pages);
  }

  /** Filtered and sorted; again only after something has changed. */
  #rows() {
    const { list } = this.#members;
    const { key, way } = this.#sort;
    const asked = [list.length, this.#filter, key, way].join();
    if (this.#made?.list !== list || this.#made.asked !== asked) this.#made = { list, asked, rows: this.#make(list) };
    return this.#made.rows;
  }

  #make(list) {
    const rows = this.#filter
      ? list.filter((member) => member.name.toLowerCase().includes(this.#filter))
      : list.slice();
    const { of } = COLUMNS.find((column) => column.key === this.#sort.key);
    const { way } = this.#sort;
    return rows.sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      return x < y ? -way : x > y ? way : 0;
    });
  }

  #row(member) {
    const digest = this.#members.digests.get(member.name);
    return h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        h(
          'button',
          { type: 'button', class: 'name', 'aria-haspopup': 'dialog', onclick: () => this.#open(member) },
          breakable(member.name),
        ),
      ),
      h('td', { class: 'number', title: plural(member.size, 'byte') }, bytes(member.size)),
      h('td', { class: 'number wide' }, share(member.size, this.#members.root.size)),
      h('td', { class: 'number wide' }, time(member.mtime).slice(0, 10)),
      h(
        'td',
        { class: 'wide' },
        digest ? h('code', { class: 'digest', title: digest }, digest) : h('span', { class: 'muted' }, 'on demand'),
      ),
    );
  }

  #head({ key, label, of, first, class: name }) {
    if (!of) return h('th', { scope: 'col', class: name }, h('span', { class: 'head' }, label));
    const sort = () => {
      this.#sort = { key, way: this.#sort.key === key ? -this.#sort.way : first };
      this.#page = 0;
      this.draw();
      announce(`Sorted by ${label.toLowerCase()}, ${this.#sort.way > 0 ? 'ascending' : 'descending'}`);
    };
    return h('th', { scope: 'col', class: name }, h('button', { type: 'button', class: 'head', onclick: sort }, label));
  }

  #drawPager(from, total, pages) {
    const turn = (by, label) =>
      h(
        'button',
        {
          type: 'button',
          disabled: this.#page + by < 0 || this.#page + by >= pages,
          onclick: (event) => {
            this.#page += by;
            this.draw();
            this.#scroll.scrollIntoView({ block: 'nearest' });
            const [back, on] = this.#pager.querySelectorAll('button');
            const same = by < 0 ? back : on;
            (same.disabled ? (by < 0 ? on : back) : same).focus({ preventScroll: true });
            announce(this.#pager.textContent.replace(label, ''));
            event.preventDefault();
          },
        },
        label,
      );
    this.#pager.hidden = pages < 2;
    this.#pager.replaceChildren(
      turn(-1, 'Previous'),
      h('span', {}, `Rows ${count(from + 1)} to ${count(Math.min(from + ROWS, total))} of ${count(total)}`),
      turn(1, 'Next'),
    );
  }
}

/** A path that may break behind its slashes. */
export function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((part, index) => (index ? [h('wbr'), part] : [part]));
}
