// The beginning of what is in a file or under a key, as text or in hexadecimal.

import { h } from '../dom.js';
import { bytes } from '../format.js';

/** How much is shown of what is no text. */
const HEX_BYTES = 512;

/** What is drawn of `data`, the beginning of `size` bytes; `what` names them: `the member`. */
export function drawPreview(data, size, what) {
  const text = asText(data);
  const shown = text === undefined ? Math.min(data.length, HEX_BYTES) : data.length;
  const pre = h(
    'pre',
    {
      class: 'preview',
      tabindex: '0',
      role: 'group',
      'aria-label': text === undefined ? 'First bytes, in hexadecimal' : `Text of ${what}`,
    },
    text ?? asHex(data.subarray(0, HEX_BYTES)),
  );
  return [pre, shown < Number(size) ? h('p', { class: 'hint' }, `The first ${bytes(shown)} of ${bytes(size)}.`) : ''];
}

function asText(data) {
  try {
    // A cut may go through a character: what is incomplete at the end is left out.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a text does not have
    return /[\0-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function asHex(data) {
  const lines = [];
  for (let at = 0; at < data.length; at += 16) {
    const row = [...data.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${letters}`);
  }
  return lines.join('\n');
}
