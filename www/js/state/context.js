// What the context consists of: its objects by kind, and the subtrees of the head's commit.

import { commandLine } from '../answer/claims.js';
import { h } from '../dom.js';
import { breakable } from '../files/table.js';
import { bytes, count, plural, share, shellFile } from '../format.js';

/** How many subtrees are shown. */
const ROWS = 24;

/** Above this a page does not keep the files of a context, where the browser lends no temporary storage: 64 MiB. */
const MOST_BYTES = 64 * 2 ** 20;

const KINDS = [
  ['commits', 'Commits'],
  ['directories', 'Directories'],
  ['inner', 'Inner parts'],
  ['contents', 'Contents'],
];

/** Draws the panel of `context`, of a report. `size` is that of the files that it was read from. */
export function drawContext(root, context, size, source) {
  root.replaceChildren(
    h('p', { id: 'context-line' }, line(context)),
    kinds(context),
    ...(context.head ? subtrees(context.head) : noHead(size, source)),
  );
}

function line({ commits, objects, head }) {
  const all = `${plural(commits.count, 'commit')} · ${plural(objects.count, 'object')} · ${bytes(objects.bytes)}`;
  return head
    ? `${all} · at the head paths of up to ${plural(head.depth, 'step')} and contents of up to ${bytes(head.largest)}`
    : all;
}

function kinds(context) {
  const row = ([key, name]) => {
    const { count: number, bytes: size } = context[key];
    const figure = (text, title) => h('td', { class: 'number', title }, text);
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, name),
      figure(count(number)),
      figure(bytes(size), plural(size, 'byte')),
      figure(share(size, context.objects.bytes)),
    );
  };
  const heads = ['Kind', 'Number', 'Size', 'Share'].map((label) =>
    h('th', { scope: 'col' }, h('span', { class: 'head' }, label)),
  );
  return h(
    'table',
    { class: 'kinds' },
    h('caption', { class: 'visually-hidden' }, 'Objects of the context by kind'),
    h('thead', {}, h('tr', {}, heads)),
    h('tbody', {}, KINDS.map(row)),
  );
}

function subtrees(head) {
  const bySize = (a, b) => Number(b.objects.bytes) - Number(a.objects.bytes) || Number(a.depth) - Number(b.depth);
  const shown = head.subtrees.toSorted(bySize).slice(0, ROWS);
  // A subtree is never larger than the one that it is in, so that one is there before it.
  const lists = new Map();
  const top = h('ul', { class: 'tree subtrees', 'aria-labelledby': 'subtrees-title' });
  for (const { path, objects } of shown) {
    const cut = path.lastIndexOf('/');
    const parent = lists.get(path.slice(0, Math.max(0, cut)));
    const below = h('ul');
    const name = parent ? path.slice(cut + 1) : path;
    const item = h(
      'li',
      {},
      h(
        'div',
        { class: 'twig' },
        h('span', { class: 'tree-name' }, breakable(`${name}/`)),
        h('span', { class: 'tree-more' }, plural(objects.count, 'object')),
        figures(objects.bytes, head.objects.bytes),
      ),
    );
    lists.set(path, { item, below });
    if (!parent) {
      top.append(item);
      continue;
    }
    parent.item.append(parent.below);
    parent.below.append(item);
  }
  const title = h('h3', { id: 'subtrees-title' }, 'Where the state of the head is');
  const sum = h(
    'p',
    { class: 'hint' },
    `${plural(head.objects.count, 'object')}, ${bytes(head.objects.bytes)}. What several directories share counts in one of them.`,
  );
  if (!shown.length) return [title, sum];
  return [title, sum, top, leftOut(head.subtrees.length - shown.length, head.subtrees_left_out)];
}

function leftOut(number, more) {
  if (!number && !more) return '';
  const which = number
    ? `${more ? 'More than ' : ''}${plural(number, 'smaller subtree is', 'smaller subtrees are')}`
    : 'Smaller subtrees are';
  return h('p', { class: 'hint', id: 'subtrees-left-out' }, `${which} left out.`);
}

function figures(size, all) {
  const bar = h('span', { class: 'tree-bar', 'aria-hidden': 'true' }, h('span'));
  bar.firstChild.style.width = `${Number(all) ? (100 * Number(size)) / Number(all) : 0}%`;
  return [
    bar,
    h('span', { class: 'tree-size', title: plural(size, 'byte') }, bytes(size)),
    h('span', { class: 'tree-share' }, share(size, all)),
  ];
}

function noHead(size, source) {
  const why =
    Number(size) > MOST_BYTES
      ? `Where the state of the head is was not looked at: without temporary storage a page keeps up to ${bytes(MOST_BYTES)} of a context for that, and this one is ${bytes(size)}. The command line has no such limit.`
      : 'Where the state of the head is was not looked at: its commit is not here as a whole, or was not found. The evidence above says more.';
  const command = `rollsnap context stat ${shellFile(source.name)}`;
  return [
    h('p', { class: 'hint', id: 'no-head' }, why),
    ...(Number(size) > MOST_BYTES ? [commandLine(command, 'the command that tells it')] : []),
  ];
}
