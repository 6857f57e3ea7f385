// The ways in: drop, button, paste, address, `#url=`, example. Each ends in `open(source)` with
// `{name, file}` or `{name, url}`, or in `refuse(text)`.

import { $ } from './dom.js';

/** Listens to all of them. */
export function listen({ open, refuse }) {
  const take = (transfer) => takeTransfer(transfer, open, refuse);
  listenToDrops(take);

  $('file').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    if (file) open({ name: file.name, file });
    target.value = '';
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

  addEventListener('hashchange', () => {
    const source = fromHash();
    if (source) open(source);
  });
}

/** The source that `#url=` names, if it does. */
export function fromHash() {
  if (!location.hash.startsWith('#url=')) return undefined;
  const text = location.hash.slice('#url='.length);
  const url = addressOf(text) ?? addressOf(decode(text));
  return url ? fromUrl(url) : undefined;
}

/** Makes the address bar say what is shown, so that it can be shared. */
export function remember(source) {
  const hash = source?.url ? `#url=${encodeURIComponent(source.url)}` : '';
  if (location.hash !== hash) history.replaceState(null, '', hash || location.pathname + location.search);
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
  if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) {
    refuse('io.directory');
    return true;
  }
  const [file] = transfer.files;
  if (file) {
    open({ name: file.name, file });
    return true;
  }
  const url = addressOf(transfer.getData('text/uri-list').split('\n')[0] || transfer.getData('text/plain'));
  if (url) open(fromUrl(url));
  return Boolean(url);
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
