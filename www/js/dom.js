// Making elements without a framework, and without ever parsing text as HTML.

import { shown } from './shown.js';

export const $ = (id) => document.getElementById(id);

/** Foreign text in an element that is there. */
export const say = (element, text) => (element.textContent = shown(text ?? ''));

// What is seen of these properties is their text.
const SEEN = new Set(['title', 'textContent']);

/** An element with properties, `data-*` and `aria-*` attributes, and children. Texts are [shown](shown.js). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.className = value;
    else if (SEEN.has(key)) element[key] = shown(String(value));
    else if (key in element && !key.startsWith('aria')) element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  const there = children.flat().filter((child) => child !== undefined && child !== null && child !== false);
  element.append(...there.map((child) => (typeof child === 'string' ? shown(child) : child)));
  return element;
}

/** One of the symbols drawn in index.html. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button that puts `text` on the clipboard and says so. */
export function copyButton(text, what) {
  const label = h('span', { class: 'copy-word' }, 'Copy');
  const button = h(
    'button',
    { type: 'button', class: 'quiet copy', 'aria-label': `Copy ${what}` },
    icon('copy'),
    label,
  );
  button.addEventListener('click', () => copy(typeof text === 'function' ? text() : text, what, label));
  return button;
}

async function copy(text, what, label) {
  const done = await navigator.clipboard.writeText(text).then(
    () => true,
    () => copyOldWay(text),
  );
  announce(done ? `Copied ${what}` : `The browser does not let this page copy ${what}`);
  label.textContent = done ? 'Copied' : 'Not copied';
  setTimeout(() => (label.textContent = 'Copy'), 1600);
}

// The clipboard API exists in secure contexts only; a page on a plain LAN address is none.
function copyOldWay(text) {
  const area = h('textarea', { value: text, class: 'visually-hidden' });
  const focused = document.activeElement;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  focused?.focus();
  return done;
}

/** Tells screen readers. The same words twice in a row are told once. */
export function announce(text) {
  const region = $('live');
  const seen = shown(text);
  if (region.textContent !== seen) region.textContent = seen;
}

/** Hands a Blob to the user as a download. */
export function download(blob, name) {
  const href = URL.createObjectURL(blob);
  h('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
