// The ways in: drop, button, paste, address, `#url=`, example. Each ends in `open(source)` with
// `{name, file, index?, handle?}` or `{name, url}`, or in `refuse(text)`, which leaves alone what is shown.

import { $ } from './dom.js';

/** What the name of an index has behind the name of its file. */
const INDEX = '.idx';

/** Listens to all of them. */
export function listen({ open, refuse }) {
  const take = (transfer) => takeTransfer(transfer, open, refuse);
  listenToDrops(take);

  $('file').addEventListener('change', ({ target }) => {
    const source = sourceOf([...target.files]);
    if (source) open(source);
    target.value = '';
  });

  // With a picker that gives handles, a browser can read the file again on a later visit.
  $('file').addEventListener('click', (event) => {
    if (!('showOpenFilePicker' in globalThis)) return;
    event.preventDefault();
    pick(open);
  });

  addEventListener('paste', (event) => {
    const typing = event.target.closest?.('input, textarea');
    if (typing && !event.clipboardData.files.length) return;
    if (take(event.clipboardData)) event.preventDefault();
  });

  $('url-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const url = addressOf($('url').value);
    $('url-error').textContent = url ? '' : 'Enter an address that starts with https:// or http://.';
    $('url').setAttribute('aria-invalid', String(!url));
    if (url) open(fromUrl(url));
    else $('url').focus();
  });

  $('example').addEventListener('click', async () => {
    const name = 'example.snapshot';
    const response = await fetch(new URL(`../${name}`, import.meta.url)).catch(() => undefined);
    if (!response?.ok) return refuse('The example could not be loaded.');
    open({ name, file: new File([await response.blob()], name), example: true });
  });
}

/** The source that `#url=` names, if it does, with the level that a shared link points at. */
export function fromHash() {
  if (!location.hash.startsWith('#url=')) return undefined;
  const text = location.hash.slice('#url='.length);
  const url = addressOf(text);
  // An address that stands there as it is may have any & of its own.
  if (url) return fromUrl(url);
  const [first, ...more] = text.split('&');
  const named = addressOf(decode(first)) ?? addressOf(decode(text));
  const level = more.map((part) => /^level=(\d{1,10})$/.exec(part)?.[1]).find(Boolean);
  return named ? { ...fromUrl(named), level: level && Number(level) } : undefined;
}

/** What the address bar says of a source, so that it can be shared; without one, that of the page alone. */
export function placeOf(source) {
  if (!source?.url) return location.pathname + location.search;
  return `#url=${encodeURIComponent(source.url)}${source.level === undefined ? '' : `&level=${source.level}`}`;
}

const fromUrl = (url) => ({ url, name: decode(new URL(url).pathname.split('/').pop()) || new URL(url).host });

function addressOf(text) {
  try {
    const url = new URL(text.trim());
    return /^https?:$/.test(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function takeTransfer(transfer, open, refuse) {
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  // What the browser gives of a drop is gone after this turn: all is asked for now.
  const handles = items.map((item) => item.getAsFileSystemHandle?.().catch(() => undefined));
  const isDirectory = items.map((item) => item.webkitGetAsEntry?.()?.isDirectory);
  const files = items.filter((_, at) => !isDirectory[at]).map((item) => item.getAsFile());
  if (items.length && !files.length) {
    refuse('io.directory');
    return true;
  }
  const source = sourceOf(files.filter(Boolean));
  if (source) {
    withHandle(source, handles).then(open);
    return true;
  }
  const url = addressOf(transfer.getData('text/uri-list').split('\n')[0] || transfer.getData('text/plain'));
  if (url) open(fromUrl(url));
  return Boolean(url);
}

async function pick(open) {
  // Closing the picker is a decision, not a failure.
  const handles = await globalThis.showOpenFilePicker({ multiple: true }).catch(() => []);
  const files = await Promise.all(handles.map((handle) => handle.getFile()));
  const source = sourceOf(files);
  if (source) open(await withHandle(source, handles));
}

/** The snapshot among these files, with the index that belongs to it by its name, where there is one. */
function sourceOf(files) {
  const file = files.find(({ name }) => !name.endsWith(INDEX)) ?? files[0];
  if (!file) return undefined;
  const index = files.find(({ name }) => name === `${file.name}${INDEX}`);
  return { name: file.name, file, index };
}

/** With what lets a browser read the file again on a later visit. */
async function withHandle(source, handles) {
  const all = await Promise.all(handles);
  return { ...source, handle: all.find((handle) => handle?.kind === 'file' && handle.name === source.name) };
}

function listenToDrops(take) {
  // Elements inside the page get enter and leave events of their own: count them.
  let depth = 0;
  const veil = (on) => $('veil').classList.toggle('veil-on', on);
  const carries = ({ dataTransfer }) =>
    [...dataTransfer.types].some((type) => ['Files', 'text/uri-list'].includes(type));
  addEventListener('dragenter', (event) => {
    if (!carries(event)) return;
    depth += 1;
    veil(true);
    event.preventDefault();
  });
  addEventListener('dragleave', (event) => {
    if (!carries(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) veil(false);
  });
  addEventListener('dragover', (event) => {
    if (!carries(event)) return;
    event.dataTransfer.dropEffect = 'copy';
    event.preventDefault();
  });
  addEventListener('drop', (event) => {
    depth = 0;
    veil(false);
    event.preventDefault();
    take(event.dataTransfer);
  });
}
