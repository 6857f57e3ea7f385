// Which levels of a strip are in sight: a part of all, that zooms and moves.

const FEWEST = 6;

export class Window {
  /** In sight is what lies in [from, to), in levels; both may be fractions. */
  from;
  to;
  #first;
  #end;

  constructor(first, last) {
    this.#first = first;
    this.#end = last + 1;
    this.all();
  }

  all() {
    this.from = this.#first;
    this.to = this.#end;
  }

  get span() {
    return this.to - this.from;
  }

  get isAll() {
    return this.from === this.#first && this.to === this.#end;
  }

  /** Shows `factor` times as many levels; the one at the place `around`, from 0 to 1, stays where it is. */
  zoom(factor, around = 0.5) {
    const all = this.#end - this.#first;
    const span = Math.min(all, Math.max(Math.min(FEWEST, all), this.span * factor));
    this.#place(this.from + (this.span - span) * around, span);
  }

  /** Moves by a part of what is in sight. */
  move(part) {
    this.#place(this.from + part * this.span, this.span);
  }

  /** Moves as little as it takes to have this level in sight. */
  reveal(level) {
    if (level < this.from) this.#place(level, this.span);
    else if (level + 1 > this.to) this.#place(level + 1 - this.span, this.span);
  }

  #place(from, span) {
    this.from = Math.max(this.#first, Math.min(from, this.#end - span));
    this.to = Math.min(this.#end, this.from + span);
  }
}

/** Round levels for the axis, at most `most` of them in [from, to). */
export function roundLevels(from, to, most) {
  const least = Math.max(1, (to - from) / Math.max(1, most));
  const power = 10 ** Math.floor(Math.log10(least));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least && Number.isInteger(step)) ?? 1;
  const levels = [];
  for (let level = Math.ceil(from / step) * step; level < to; level += step) levels.push(level);
  return levels;
}
