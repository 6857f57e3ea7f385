// The command palette (Ctrl K or ⌘ K): to a level, a hash, a key, a file, or an action, by typing.

import { $, h } from '../dom.js';
import { matches } from './matches.js';

const isMac = /Mac|iPhone|iPad/.test(navigator.platform ?? '');

/** `entries(text)` gives what can be chosen: `{kind, name, more, run}`, see `matches.js`. */
export function listenToPalette(entries) {
  const dialog = $('palette');
  const input = $('palette-text');
  const list = $('palette-list');
  let found = [];
  let at = 0;

  const mark = () => {
    for (const [index, option] of [...list.children].entries()) {
      option.setAttribute('aria-selected', String(index === at));
      if (index === at) option.scrollIntoView({ block: 'nearest' });
    }
    if (found.length) input.setAttribute('aria-activedescendant', `option-${at}`);
    else input.removeAttribute('aria-activedescendant');
  };
  const draw = () => {
    found = matches(input.value, entries(input.value));
    at = 0;
    list.replaceChildren(...found.map((entry, index) => option(entry, index, () => choose(entry))));
    $('palette-none').hidden = found.length > 0;
    mark();
  };
  const choose = (entry) => {
    dialog.close();
    entry?.run();
  };
  const open = () => {
    if (dialog.open || document.querySelector('dialog[open]')) return;
    input.value = '';
    draw();
    dialog.showModal();
    input.focus();
  };

  $('palette-open').addEventListener('click', open);
  $('palette-keys').textContent = isMac ? '⌘ K' : 'Ctrl K';
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  input.addEventListener('input', draw);
  input.addEventListener('keydown', (event) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: found.length - 1, PageUp: 0 }[event.key];
    if (event.key === 'Enter') choose(found[at]);
    else if (to === undefined) return;
    else {
      at = found.length ? (to + found.length) % found.length : 0;
      mark();
    }
    event.preventDefault();
  });
  addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
}

function option({ kind, name, more }, index, choose) {
  return h(
    'li',
    { role: 'option', id: `option-${index}`, 'aria-selected': 'false', onclick: choose },
    h('span', { class: 'option-kind' }, kind),
    h('span', { class: 'option-name' }, name),
    more && h('span', { class: 'option-more' }, more),
  );
}
