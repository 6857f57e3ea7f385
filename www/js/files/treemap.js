// The map of sizes: one rectangle for each directory and file of a directory. One tab stop, arrow
// keys from tile to tile; the table says the same in rows.

import { h } from '../dom.js';
import { bytes, plural, share } from '../format.js';
import { entries } from './members.js';
import { squarify } from './squarify.js';

const SMALLEST = 26; // pixels: what is smaller cannot be hit and joins the rest
const MOST = 48;
const HEAD = 26; // pixels of a directory's label above its content

export class Treemap {
  #box;
  #crumbs;
  #members;
  #path = '';
  #open;

  /** `open(member)` is called for a file, `open(undefined)` for the rest. */
  constructor(box, crumbs, open) {
    this.#box = box;
    this.#crumbs = crumbs;
    this.#open = open;
    box.addEventListener('keydown', (event) => this.#key(event));
    let width = 0;
    new ResizeObserver(([{ contentRect }]) => {
      if (Math.abs(contentRect.width - width) < 1) return;
      width = contentRect.width;
      this.draw();
    }).observe(box);
  }

  show(members) {
    this.#members = members;
    this.#path = '';
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.#box;
    if (!this.#members || width === 0) return;
    const focused = this.#box.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    const dir = this.#members.at(this.#path);
    const tiles = squarify(visible(dir, width * height), { x: 0, y: 0, width, height });
    this.#box.replaceChildren(...tiles.map((tile, index) => this.#tile(tile, index === 0)));
    if (!tiles.length)
      this.#box.append(
        h('p', { class: 'map-empty' }, this.#members.list.length ? 'Only empty members.' : 'No members yet.'),
      );
    if (focused !== undefined)
      this.#focus([...this.#box.children].find((tile) => tile.dataset.key === focused) ?? this.#box.firstElementChild);
    this.#drawCrumbs(dir);
  }

  #go(path) {
    this.#path = path;
    this.draw();
    this.#focus(this.#box.querySelector('button'));
  }

  #tile({ item, ...rect }, first) {
    const total = this.#members.root.size;
    const words = `${bytes(item.size)}, ${share(item.size, total)}`;
    const kind = item.dirs ? `directory, ${plural(item.count, 'member')}, ` : '';
    const name = item.member?.name ?? item.path ?? item.name;
    const tile = h(
      'button',
      {
        type: 'button',
        class: `tile ${item.dirs ? 'tile-dir' : item.rest ? 'tile-rest' : 'tile-file'}`,
        tabindex: first ? '0' : '-1',
        'data-key': name,
        title: `${name}\n${words}`,
        onclick: () => (item.dirs ? this.#go(item.path) : this.#open(item.member)),
      },
      h('span', { class: 'visually-hidden' }, `${name}, ${kind}${words} of all`),
      h('span', { class: 'tile-name', 'aria-hidden': 'true' }, item.name),
      h('span', { class: 'tile-size', 'aria-hidden': 'true' }, bytes(item.size)),
    );
    place(tile, rect);
    tile.classList.toggle('tile-bare', rect.width < 64 || rect.height < 30);
    tile.classList.toggle('tile-line', rect.height < 46);
    tile.classList.toggle('tile-large', rect.width > 190 && rect.height > 110);
    if (item.dirs && rect.width > 70 && rect.height > 60) tile.append(...inner(item, rect));
    return tile;
  }

  #drawCrumbs(dir) {
    const steps = dir.path.split('/').filter(Boolean);
    const crumb = (name, path) =>
      path === dir.path
        ? h('span', { 'aria-current': 'true' }, name)
        : h('button', { type: 'button', class: 'quiet', onclick: () => this.#go(path) }, name);
    this.#crumbs.replaceChildren(
      h(
        'ol',
        {},
        h('li', {}, crumb('All members', '')),
        steps.map((name, index) => h('li', {}, crumb(name, `${steps.slice(0, index + 1).join('/')}/`))),
      ),
    );
  }

  #key(event) {
    const tiles = [...this.#box.querySelectorAll('.tile')];
    const at = tiles.indexOf(document.activeElement);
    const to = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: tiles.length - 1,
    }[event.key];
    if (event.key === 'Backspace' || event.key === 'Escape') {
      if (!this.#path) return;
      this.#go(this.#path.replace(/[^/]*\/$/, ''));
    } else if (to === undefined || !tiles[to]) return;
    else this.#focus(tiles[to]);
    event.preventDefault();
  }

  #focus(tile) {
    if (!tile) return;
    for (const other of this.#box.querySelectorAll('.tile[tabindex="0"]')) other.tabIndex = -1;
    tile.tabIndex = 0;
    tile.focus({ preventScroll: true });
  }
}

// What is large enough to be seen; the rest is one tile.
function visible(dir, area) {
  const all = entries(dir).filter((item) => item.size > 0);
  const least = (SMALLEST * SMALLEST * dir.size) / area;
  let cut = all.findIndex((item, index) => item.size < least || index >= MOST);
  if (cut < 0) return all;
  // One tile of the rest instead of one item says less, and it must be large enough itself.
  if (cut === all.length - 1) cut = all.length;
  const rest = all.slice(cut);
  if (!rest.length) return all;
  const size = rest.reduce((sum, item) => sum + item.size, 0);
  const count = rest.reduce((sum, item) => sum + item.count, 0);
  return [
    ...all.slice(0, cut),
    { name: `${plural(count, 'smaller member')}`, size: Math.max(size, least), count, rest: true },
  ].sort((a, b) => b.size - a.size);
}

// The content of a directory, as a hint of what is below; the tile itself says it in words.
function inner(dir, { width, height }) {
  const room = { x: 5, y: HEAD, width: width - 12, height: height - HEAD - 7 };
  return squarify(visible(dir, room.width * room.height), room).map((tile) => {
    const label = tile.width > 74 && tile.height > 20 ? tile.item.name : '';
    const box = h('span', { class: 'tile-inner', 'aria-hidden': 'true' }, label);
    place(box, tile);
    return box;
  });
}

function place(element, { x, y, width, height }) {
  Object.assign(element.style, {
    left: `${x}px`,
    top: `${y}px`,
    width: `${Math.max(0, width - 2)}px`,
    height: `${Math.max(0, height - 2)}px`,
  });
}
