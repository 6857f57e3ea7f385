// Draws a strip of levels on a canvas: a bar each where there is room, else one for all levels of a pixel.

import { count } from '../format.js';
import { COMMITMENT } from './model.js';
import { roundLevels } from './window.js';

const TOP = 18;
const AXIS = 22;
/** Room below the bars for the bytes of the inboxes. */
const INBOX = 26;
const LABEL = 92;
/** Height of a level of which no ticks are known. */
const UNKNOWN = 0.22;

/** `{levels, window, selected, cursor, hasFocus}` on `canvas`, in the colours of the page. */
export function paint(canvas, view) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return;
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext('2d');
  pen.scale(scale, scale);
  const colours = coloursOf(canvas);
  const below = view.levels.mostBytes ? INBOX : 0;
  const floor = height - AXIS - below;
  const room = { width, floor, tall: floor - TOP, below };
  const x = (level) => ((level - view.window.from) / view.window.span) * width;
  shade(pen, view, x, room, colours);
  const each = width / view.window.span;
  if (each >= 3) bars(pen, view, x, each, room, colours);
  else columns(pen, view, room, colours);
  axis(pen, view, x, room, colours);
}

function coloursOf(canvas) {
  const style = getComputedStyle(canvas);
  const of = (name) => style.getPropertyValue(name).trim();
  // What is light-dark() in the style sheet is resolved by `color` alone.
  const resolved = (name) => {
    canvas.style.color = `var(${name})`;
    const { color } = getComputedStyle(canvas);
    canvas.style.color = '';
    return color;
  };
  const names = { solid: '--accent', empty: '--edge', red: '--red', mark: '--amber', soft: '--soft', line: '--line' };
  const all = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, resolved(name)]));
  return { ...all, font: `11px ${of('--sans') || 'sans-serif'}` };
}

function shade(pen, { selected, cursor, hasFocus }, x, { floor, tall }, colours) {
  if (selected) {
    pen.globalAlpha = 0.16;
    pen.fillStyle = colours.mark;
    pen.fillRect(x(selected.from), 0, Math.max(2, x(selected.to + 1) - x(selected.from)), floor + 4);
    pen.globalAlpha = 1;
  }
  if (hasFocus && cursor !== undefined) {
    pen.strokeStyle = colours.solid;
    pen.lineWidth = 2;
    pen.strokeRect(x(cursor) + 1, TOP - 8, Math.max(3, x(cursor + 1) - x(cursor) - 2), tall + 12);
  }
}

const heightOf = (ticks, levels) =>
  ticks === undefined || !levels.mostTicks ? UNKNOWN : Math.max(0.03, Math.sqrt(ticks / levels.mostTicks));

function bars(pen, { levels, window }, x, each, { floor, tall, below }, colours) {
  const thick = Math.min(48, each * 0.78);
  for (
    let level = Math.max(levels.first, Math.floor(window.from));
    level <= levels.last && level < window.to;
    level += 1
  ) {
    const { ticks, agrees, differs, bytes, flags } = levels.at(level);
    const tallness = tall * heightOf(ticks, levels);
    const left = x(level) + (each - thick) / 2;
    pen.beginPath();
    pen.roundRect(left, floor - tallness, thick, tallness, Math.min(3, thick / 2));
    if (agrees || differs) {
      pen.fillStyle = differs ? colours.red : colours.solid;
      pen.fill();
    } else {
      pen.strokeStyle = colours.empty;
      pen.lineWidth = 1;
      pen.stroke();
    }
    inbox(pen, left, thick, bytes, levels, { floor, below }, colours);
    if (flags & COMMITMENT) diamond(pen, left + thick / 2, Math.max(6, floor - tallness - 7), 4, colours);
  }
}

/** The bytes of the inbox, downwards. */
function inbox(pen, left, thick, bytes, { mostBytes }, { floor, below }, colours) {
  if (!bytes || !below) return;
  pen.fillStyle = colours.soft;
  pen.globalAlpha = 0.45;
  pen.fillRect(left, floor + 3, thick, Math.max(1, (below - 6) * Math.sqrt(bytes / mostBytes)));
  pen.globalAlpha = 1;
}

function diamond(pen, x, y, size, colours) {
  pen.fillStyle = colours.mark;
  pen.beginPath();
  pen.moveTo(x, y - size);
  pen.lineTo(x + size * 0.75, y);
  pen.lineTo(x, y + size);
  pen.lineTo(x - size * 0.75, y);
  pen.fill();
}

function columns(pen, { levels, window }, { width, floor, tall, below }, colours) {
  const each = window.span / width;
  for (let pixel = 0; pixel < width; pixel += 1) {
    const from = Math.floor(window.from + pixel * each);
    const to = Math.max(from, Math.ceil(window.from + (pixel + 1) * each) - 1);
    if (from > levels.last) break;
    const { ticks, agrees, differs, bytes } = levels.over(from, to);
    const tallness = tall * heightOf(agrees || ticks ? ticks : undefined, levels);
    pen.globalAlpha = differs ? 1 : agrees ? 0.35 + 0.65 * agrees : 0.3;
    pen.fillStyle = differs ? colours.red : agrees ? colours.solid : colours.empty;
    pen.fillRect(pixel, floor - tallness, 1, tallness);
    inbox(pen, pixel, 1, bytes, levels, { floor, below }, colours);
  }
  pen.globalAlpha = 1;
}

function axis(pen, { levels, window }, x, { width, floor, below }, colours) {
  pen.fillStyle = colours.line;
  pen.fillRect(0, floor, width, 1);
  pen.font = colours.font;
  pen.fillStyle = colours.soft;
  pen.textBaseline = 'top';
  for (const level of roundLevels(window.from, window.to, width / LABEL)) {
    const text = count(level);
    const left = Math.min(x(level + 0.5) - pen.measureText(text).width / 2, width - pen.measureText(text).width);
    pen.fillText(text, Math.max(0, left), floor + below + 7);
  }
  for (const [level] of levels.marks) {
    const at = x(level + 0.5);
    if (at < 0 || at > width) continue;
    diamond(pen, at, 9, 7, colours);
  }
}
