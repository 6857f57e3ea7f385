// The strip of levels: where the pointer and the keys are, and what is selected. It is a slider for those who do not see it.

import { count } from '../format.js';
import { paint } from './paint.js';
import { Window } from './window.js';

export class Strip {
  #canvas;
  #levels;
  #window;
  #cursor;
  #selected;
  #anchor;
  #isDue = false;
  #on;

  /** `on.cursor(level)`, `on.select(range)`, `on.enter()`. */
  constructor(canvas, on) {
    this.#canvas = canvas;
    this.#on = on;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ['data-theme'] });
    for (const name of ['focus', 'blur']) canvas.addEventListener(name, () => this.draw());
    this.#listenToPointer();
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  show(levels) {
    this.#levels = levels;
    this.#window = new Window(levels.first, levels.last);
    this.#selected = undefined;
    this.#move(levels.last);
  }

  get selected() {
    return this.#selected;
  }

  /** Selects levels, or none. */
  select(range) {
    this.#selected = range;
    if (range) this.#window.reveal(range.from);
    this.#on.select(range);
    this.draw();
  }

  /** Brings a level to sight and selects it. */
  go(level) {
    this.#move(level);
    this.select({ from: level, to: level });
  }

  zoom(factor) {
    const { from, span } = this.#window;
    const around = (this.#cursor + 0.5 - from) / span;
    this.#window.zoom(factor, around >= 0 && around <= 1 ? around : 0.5);
    this.draw();
  }

  all() {
    this.#window.all();
    this.draw();
  }

  /** Draws before the next frame, however often it is called. */
  draw() {
    if (this.#isDue || !this.#levels) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      const hasFocus = document.activeElement === this.#canvas;
      const view = {
        levels: this.#levels,
        window: this.#window,
        selected: this.#selected,
        cursor: this.#cursor,
        hasFocus,
      };
      paint(this.#canvas, view);
    });
  }

  #move(level) {
    this.#cursor = Math.max(this.#levels.first, Math.min(level, this.#levels.last));
    this.#window.reveal(this.#cursor);
    const words = this.#on.cursor(this.#cursor);
    const canvas = this.#canvas;
    canvas.setAttribute('aria-valuemin', this.#levels.first);
    canvas.setAttribute('aria-valuemax', this.#levels.last);
    canvas.setAttribute('aria-valuenow', this.#cursor);
    canvas.setAttribute('aria-valuetext', `level ${count(this.#cursor)}, ${words}`);
    this.draw();
  }

  #levelAt({ clientX }) {
    const { left, width } = this.#canvas.getBoundingClientRect();
    const level = Math.floor(this.#window.from + ((clientX - left) / width) * this.#window.span);
    return Math.max(this.#levels.first, Math.min(level, this.#levels.last));
  }

  #listenToPointer() {
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => {
      if (!this.#levels || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.#anchor = this.#levelAt(event);
      this.go(this.#anchor);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.#anchor === undefined) return;
      this.#extend(this.#levelAt(event));
    });
    for (const name of ['pointerup', 'pointercancel'])
      canvas.addEventListener(name, () => {
        this.#anchor = undefined;
      });
    canvas.addEventListener(
      'wheel',
      (event) => {
        // Without a key the page scrolls.
        if (!this.#levels || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
        const { left, width } = canvas.getBoundingClientRect();
        if (event.shiftKey) this.#window.move((event.deltaX || event.deltaY) / 1000);
        else this.#window.zoom(1.2 ** Math.sign(event.deltaY), (event.clientX - left) / width);
        this.draw();
        event.preventDefault();
      },
      { passive: false },
    );
  }

  #extend(level) {
    const anchor = this.#anchor ?? level;
    this.#move(level);
    this.select({ from: Math.min(anchor, level), to: Math.max(anchor, level) });
  }

  #key(event) {
    if (!this.#levels || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.round(this.#window.span / 10));
    const steps = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageUp: page,
      PageDown: -page,
      Home: this.#levels.first - this.#cursor,
      End: this.#levels.last - this.#cursor,
    };
    const does = {
      '+': () => this.zoom(0.5),
      '-': () => this.zoom(2),
      0: () => this.all(),
      Enter: () => this.#on.enter(),
      Escape: () => this.select(),
    };
    if (event.key in steps) this.#step(steps[event.key], event.shiftKey);
    else if (does[event.key]) does[event.key]();
    else return;
    event.preventDefault();
  }

  #step(by, isExtending) {
    const level = Math.max(this.#levels.first, Math.min(this.#cursor + by, this.#levels.last));
    if (!isExtending) return this.go(level);
    const { from, to } = this.#selected ?? { from: this.#cursor, to: this.#cursor };
    this.#anchor = this.#cursor === from ? to : from;
    this.#extend(level);
    this.#anchor = undefined;
    return undefined;
  }
}
