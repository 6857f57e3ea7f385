// The tab of the browser shows the answer too: in its icon and its title.

import { $ } from '../dom.js';
import { shown } from '../shown.js';

const ICONS = { yes: 'icon-yes.svg', no: 'icon-no.svg' };
const MARKS = { no: ' ✗' };

/** Marks the tab of `name` with the answer. */
export function markTab(name, tone) {
  $('icon').setAttribute('href', ICONS[tone] ?? 'icon.svg');
  document.title =
    name === undefined ? 'rollsnap: what is in this snapshot?' : `${shown(name)}${MARKS[tone] ?? ''} · rollsnap`;
}
