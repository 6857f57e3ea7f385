// The tables of the database of a store, as they are: read-only, a page of rows at a time.

import { $, h, say } from '../dom.js';
import { count, plural, sentence } from '../format.js';

const ROWS = 50;
/** How much of a value is drawn, in characters and in bytes. */
const TEXT = 96;
const BLOB = 24;

export class Tables {
  #visit;
  /** Where each page of the table begins, up to the one that is shown. */
  #pages = [];
  #next;

  constructor() {
    $('table-name').addEventListener('change', () => this.#open());
    $('table-before').addEventListener('click', () => {
      this.#pages.pop();
      this.#draw();
    });
    $('table-next').addEventListener('click', () => {
      this.#pages.push(this.#next);
      this.#draw();
    });
  }

  /** Shows the tables of a visit whose worker has kept its store; hides itself where there are none. */
  async show(visit) {
    this.#visit = visit;
    $('tables').hidden = true;
    if (!visit.store || visit.report?.store?.version !== 5) return;
    const tables = await this.#ask('tables');
    if (!tables?.length || this.#visit !== visit) return;
    $('table-name').replaceChildren(...tables.map(({ name }) => h('option', { value: name }, name)));
    $('tables').hidden = false;
    await this.#open();
  }

  async #open() {
    this.#pages = [undefined];
    await this.#draw();
  }

  async #draw() {
    const visit = this.#visit;
    const name = $('table-name').value;
    const found = await this.#ask('rows', name, this.#pages.at(-1), ROWS);
    // What could not be read leaves the page that is there.
    if (!found && this.#pages.length > 1) this.#pages.pop();
    if (!found || this.#visit !== visit || name !== $('table-name').value) return;
    const { columns, rows, next } = found;
    this.#next = next ?? undefined;
    const heads = columns.map((column) => h('th', { scope: 'col' }, column));
    $('table-rows').replaceChildren(
      h('caption', { class: 'visually-hidden' }, `Rows of ${name}`),
      h('thead', {}, h('tr', {}, heads)),
      h('tbody', {}, ...rows.map((row) => h('tr', {}, row.map(cell)))),
    );
    const before = (this.#pages.length - 1) * ROWS;
    const range = rows.length ? `Rows ${count(before + 1)} to ${count(before + rows.length)}` : 'No rows';
    say($('table-said'), `${range}, ${plural(columns.length, 'column')}.`);
    $('table-before').disabled = this.#pages.length === 1;
    $('table-next').disabled = next === null;
  }

  async #ask(call, ...args) {
    try {
      return await this.#visit.store.ask('explore', { call, args });
    } catch (failure) {
      if (failure.kind !== 'stopped')
        say($('table-said'), [sentence(failure.title), failure.text].filter(Boolean).join('. '));
      return undefined;
    }
  }
}

function cell(value) {
  if (value === null) return h('td', { class: 'null' }, 'null');
  if (value instanceof Uint8Array) {
    const hex = [...value.subarray(0, BLOB)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return h('td', { title: plural(value.length, 'byte') }, value.length > BLOB ? `${hex}…` : hex);
  }
  const text = String(value);
  return typeof value === 'string'
    ? h('td', {}, text.length > TEXT ? `${text.slice(0, TEXT)}…` : text)
    : h('td', { class: 'number' }, text);
}
