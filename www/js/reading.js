// The strip that says how the reading goes, and offers the one thing to do about it.

import { $, announce } from './dom.js';
import { bytes, duration, plural } from './format.js';

const QUARTER = 0.25;
const TRAILER = 8;

export class Reading {
  #action = () => {};
  #told = 0;

  constructor() {
    $('reading-action').addEventListener('click', () => this.#action());
  }

  /** Only a part was read, which `title` names; the rest is for the visitor to decide. */
  offer(title, text, label, action) {
    this.#show(title, '', text, label, action);
    this.#bar(0);
  }

  start(cancel) {
    this.#told = 0;
    this.#show('Reading', '0 %', 'Starting …', 'Cancel', cancel);
    this.#bar(0);
  }

  progress({ read, total, seconds }) {
    const part = total ? Math.min(1, read / total) : undefined;
    const rate = seconds > 0.2 ? read / seconds : undefined;
    const figures = [
      total ? `${bytes(read)} of ${bytes(total)}` : bytes(read),
      rate && `${bytes(rate)} per second`,
      rate && total && seconds > 1 && `${duration((total - read) / rate)} left`,
    ];
    $('reading-figures').textContent = figures.filter(Boolean).join(' · ');
    $('reading-percent').textContent = part === undefined ? '' : `${Math.floor(100 * part)} %`;
    this.#bar(part);
    if (part !== undefined && part < 1 && part - this.#told >= QUARTER) {
      this.#told = Math.floor(part / QUARTER) * QUARTER;
      announce(`${Math.round(100 * this.#told)} % read`);
    }
  }

  done({ read, total, seconds, memory }, members, report) {
    const rate = seconds > 0.05 ? ` · ${bytes(read / seconds)} per second` : '';
    const room = memory ? ` · ${bytes(memory)} of memory` : '';
    const title = whole(report, total) ? 'Read to the end' : 'Read as far as it can be read';
    this.#show(title, '', `${bytes(read)}, ${plural(members, 'member')}${rate}${room}`, '');
    $('reading').dataset.memory = memory ?? '';
    this.mark(report, total);
  }

  /** The bar ends where the reading ended, in the colour of what it found. */
  mark(report, total) {
    const { intact, consistent } = report.verdicts;
    $('reading').dataset.tone = [intact, consistent].includes('no') ? 'no' : intact;
    const part = whole(report, total) ? 1 : Math.min(1, reached(report, total) / total);
    $('reading-percent').textContent = `${part < 1 ? Math.floor(100 * part) : 100} %`;
    this.#bar(part);
  }

  /** Ended before the end: stopped or failed. */
  ended(title, text, label, action) {
    this.#show(title, $('reading-percent').textContent, text, label, action);
  }

  #show(title, percent, figures, label, action) {
    $('reading').hidden = false;
    delete $('reading').dataset.tone;
    $('reading-title').textContent = title;
    $('reading-percent').textContent = percent;
    $('reading-figures').textContent = figures;
    const button = $('reading-action');
    const focused = document.activeElement === button;
    button.textContent = label || 'Cancel';
    button.classList.toggle('gone', !label);
    button.disabled = !label;
    this.#action = action ?? (() => {});
    if (focused && !label) $('reading-title').closest('section').querySelector('h2').focus();
  }

  #bar(part) {
    if (part === undefined) $('reading-bar').removeAttribute('value');
    else $('reading-bar').value = part;
  }
}

// A file is damaged at a place; what follows it was not understood, though it was read.
function reached({ checks, container }, total) {
  const failed = checks.find(
    ({ status, code, at }) => status === 'no' && /^(gzip|tar|header|file|snapshot)\./.test(code) && at,
  );
  const { file_offset, stream_offset } = failed?.at ?? {};
  const plain = container.compression === 'none' ? stream_offset : undefined;
  return Number(file_offset ?? plain ?? container.compressed_bytes ?? total);
}

// The trailer of gzip says of all before it whether it is right.
const whole = (report, total) =>
  !total || report.verdicts.intact === 'yes' || reached(report, total) >= total - TRAILER;
