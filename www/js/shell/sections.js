// The parts of the page: the navigation in the bar, and the way to one of them.

import { $, h } from '../dom.js';

/** Name and panel of each, in the order of the page. */
const SECTIONS = [
  ['Answer', 'answer'],
  ['Levels', 'levels'],
  ['State', 'context'],
  ['Files', 'members'],
  ['Evidence', 'verdicts'],
  ['Compare', 'compare'],
];

const isThere = (id) => $(id) && !$(id).hidden && !$('result').hidden;

/** Those that are there now. */
export const sectionsThere = () => SECTIONS.filter(([, id]) => isThere(id));

/** Draws them. */
export function drawSections() {
  const nav = $('sections');
  nav.hidden = $('result').hidden;
  const there = sectionsThere();
  const drawn = [...nav.children].map(({ dataset }) => dataset.part).join();
  if (drawn !== there.map(([, id]) => id).join())
    nav.replaceChildren(
      ...there.map(([name, id]) =>
        h('button', { type: 'button', class: 'section', 'data-part': id, onclick: () => go(id) }, name),
      ),
    );
  markCurrent();
}

/** Brings a part of the page to sight, and puts the focus there. */
export function go(id) {
  const target = $(id);
  if (!target) return;
  const focus = target.matches('input, button, [tabindex]')
    ? target
    : (target.querySelector('[tabindex="-1"]') ?? target);
  const smooth = !matchMedia('(prefers-reduced-motion: reduce)').matches;
  const place = target.matches('input') ? target.closest('form') : target;
  place.scrollIntoView({ block: target.matches('input') ? 'center' : 'start', behavior: smooth ? 'smooth' : 'auto' });
  focus.focus({ preventScroll: true });
}

function mark(nav, button) {
  if (button.hasAttribute('aria-current')) return;
  button.setAttribute('aria-current', 'true');
  // In a narrow window the parts are wider than the bar.
  nav.scrollLeft = button.offsetLeft - nav.offsetLeft - (nav.clientWidth - button.offsetWidth) / 2;
}

/** Marks the part that is at the top of the window. */
function markCurrent() {
  const line = innerHeight / 3;
  let current;
  for (const button of $('sections').children) {
    if ($(button.dataset.part).getBoundingClientRect().top <= line) current = button;
  }
  const nav = $('sections');
  for (const button of nav.children) {
    if (button === (current ?? $('sections').firstElementChild)) mark(nav, button);
    else button.removeAttribute('aria-current');
  }
}

/** Follows the scrolling. */
export function followSections() {
  let isDue = false;
  const mark = () => {
    isDue = false;
    markCurrent();
  };
  const later = () => {
    if (!isDue) requestAnimationFrame(mark);
    isDue = true;
  };
  addEventListener('scroll', later, { passive: true });
}
