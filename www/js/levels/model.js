// What is known of each level of a snapshot, in arrays that hold a million of them.

/** More are not shown one by one: a store may name any number. */
export const MOST_LEVELS = 4_000_000;

const AGREES = 1;
const DIFFERS = 2;

/** What a store records of a level, as bits. */
export const COMMITMENT = 1;
export const CONTEXT = 2;
export const CEMENTED = 4;
export const FINALIZED = 8;

export class Levels {
  first;
  last;
  /** Levels that are marked: `[level, name]`. */
  marks;
  #ticks;
  #state;
  #bytes;
  #flags;
  #most = 0;
  #mostBytes = 0;

  /** Of the facts of a store, as a report has them; undefined where it has no levels. */
  static of(store) {
    const { first_level: first, head_level: last } = store ?? {};
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || last < first) return undefined;
    return new Levels(Math.max(first, last - MOST_LEVELS + 1), store);
  }

  constructor(first, { head_level, finalized_level, last_cemented_level }) {
    this.first = first;
    this.last = head_level;
    this.#ticks = new Float64Array(this.count).fill(Number.NaN);
    this.#state = new Uint8Array(this.count);
    this.#bytes = new Float64Array(this.count);
    this.#flags = new Uint8Array(this.count);
    const marks = [
      [last_cemented_level, 'last cemented'],
      [finalized_level, 'finalized'],
    ];
    this.marks = marks.filter(([level]) => level !== null && this.has(level));
  }

  get count() {
    return this.last - this.first + 1;
  }

  /** What the store records of the levels from `first` on: `{ticks, bytes, flags}`, arrays of one length. */
  record(first, { ticks, bytes, flags }) {
    for (let at = 0; at < flags.length; at += 1) {
      if (!this.has(first + at)) continue;
      const to = first + at - this.first;
      // What was run again is known better.
      if (!this.#state[to]) this.#ticks[to] = ticks[at];
      this.#bytes[to] = bytes[at];
      this.#flags[to] = flags[at];
      if (this.#ticks[to] > this.#most) this.#most = this.#ticks[to];
      if (bytes[at] > this.#mostBytes) this.#mostBytes = bytes[at];
    }
  }

  /** Most bytes of an inbox that are known. */
  get mostBytes() {
    return this.#mostBytes;
  }

  /** Most ticks of a level that are known. */
  get mostTicks() {
    return this.#most;
  }

  has(level) {
    return level >= this.first && level <= this.last;
  }

  /** A block was run again and agrees. */
  agree(level, ticks) {
    if (!this.has(level)) return;
    const at = level - this.first;
    this.#ticks[at] = Number(ticks);
    this.#state[at] = AGREES;
    this.#most = Math.max(this.#most, Number(ticks));
  }

  /** A block was run again and does not agree. */
  differ(level) {
    if (this.has(level)) this.#state[level - this.first] = DIFFERS;
  }

  /** What is known of one level: `{ticks, agrees, differs, bytes, flags}`. */
  at(level) {
    const at = level - this.first;
    const ticks = this.#ticks[at];
    return {
      ticks: Number.isNaN(ticks) ? undefined : ticks,
      agrees: this.#state[at] === AGREES,
      differs: this.#state[at] === DIFFERS,
      bytes: this.#bytes[at],
      flags: this.#flags[at],
    };
  }

  /** The same for all levels from `from` to `to` together: `agrees` is the share of those that do, from 0 to 1. */
  over(from, to) {
    const start = Math.max(0, from - this.first);
    const end = Math.min(this.count - 1, to - this.first);
    let ticks = 0;
    let agrees = 0;
    let differs = false;
    let bytes = 0;
    let flags = 0;
    for (let at = start; at <= end; at += 1) {
      if (this.#ticks[at] > ticks) ticks = this.#ticks[at];
      if (this.#bytes[at] > bytes) bytes = this.#bytes[at];
      flags |= this.#flags[at];
      if (this.#state[at] === AGREES) agrees += 1;
      else if (this.#state[at] === DIFFERS) differs = true;
    }
    return { ticks, agrees: agrees / Math.max(1, end - start + 1), differs, bytes, flags };
  }
}
