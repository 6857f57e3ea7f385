// The members as a tree of directories. A directory is filled when it is opened for the first time.

import { h } from '../dom.js';
import { bytes, plural, share } from '../format.js';
import { entries } from './members.js';

const SOME = 200;

/** Draws the tree of `members` into `root`; `open(member)` is called for a file. */
export function drawTree(root, members, open) {
  const list = h('ul', { class: 'tree' });
  fill(list, members.root, members.root.size, open, 0);
  root.replaceChildren(list);
}

function fill(list, dir, total, open, from) {
  const all = entries(dir);
  list.append(
    ...all
      .slice(from, from + SOME)
      .map((item) => h('li', {}, item.dirs ? branch(item, total, open) : leaf(item, total, open))),
  );
  const left = all.length - from - SOME;
  if (left <= 0) return;
  const more = h('button', { type: 'button', class: 'quiet' }, `Show more (${plural(left, 'entry', 'entries')} left)`);
  const row = h('li', {}, more);
  more.addEventListener('click', () => {
    const at = list.children.length - 1;
    row.remove();
    fill(list, dir, total, open, from + SOME);
    list.children[at]?.querySelector('button, summary')?.focus();
  });
  list.append(row);
}

function branch(dir, total, open) {
  const list = h('ul');
  const details = h(
    'details',
    {},
    h(
      'summary',
      {},
      h('span', { class: 'tree-name' }, `${dir.name}/`),
      h('span', { class: 'tree-more' }, plural(dir.count, 'member')),
      figures(dir, total),
    ),
    list,
  );
  details.addEventListener('toggle', () => {
    if (details.open && !list.children.length) fill(list, dir, total, open, 0);
  });
  return details;
}

function leaf(item, total, open) {
  const button = h(
    'button',
    { type: 'button', class: 'leaf', 'aria-haspopup': 'dialog', onclick: () => open(item.member) },
    h('span', { class: 'tree-name' }, item.name),
    figures(item, total),
  );
  return button;
}

function figures(item, total) {
  const bar = h('span', { class: 'tree-bar', 'aria-hidden': 'true' }, h('span'));
  bar.firstChild.style.width = `${total ? (100 * item.size) / total : 0}%`;
  return [
    bar,
    h('span', { class: 'tree-size' }, bytes(item.size)),
    h('span', { class: 'tree-share' }, share(item.size, total)),
  ];
}
