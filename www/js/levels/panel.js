// The panel of levels: the strip, what is known of the level under the cursor, and blocks run again.

import { questionOf } from '../answer/questions.js';
import { details } from '../answer/verdicts.js';
import { $, announce, h, say } from '../dom.js';
import { bytes, count, plural, sentence } from '../format.js';
import { LIMIT_S, runAgain } from '../replay/replay.js';
import { placeOf } from '../sources.js';
import { CEMENTED, COMMITMENT, CONTEXT, Levels, MOST_LEVELS } from './model.js';
import { Strip } from './strip.js';

/** How many levels are asked for at once: others have their turn in between. */
const AT_ONCE = 10_000;

export class LevelPanel {
  #visit;
  #levels;
  #stop;
  #blocks = new Map();
  #strip = new Strip($('strip'), {
    cursor: (level) => this.#describe(level),
    select: (range) => {
      this.#drawButton(range);
      this.#share(range);
    },
    enter: () => this.#run(),
  });
  #replayed;

  /** `replayed(visit)` is called when `visit.replaying` or `visit.replayed` has changed. */
  constructor(replayed) {
    this.#replayed = replayed;
    $('replay-go').addEventListener('click', () => (this.#stop ? this.#stop.abort() : this.#run()));
    $('zoom-in').addEventListener('click', () => this.#strip.zoom(0.5));
    $('zoom-out').addEventListener('click', () => this.#strip.zoom(2));
    $('zoom-all').addEventListener('click', () => this.#strip.all());
    say($('replay-limit'), `A level that takes longer than ${LIMIT_S} s is stopped.`);
  }

  /** Shows the levels of a visit that has a report; hides the panel where there are none. */
  show(visit) {
    if (this.#visit !== visit) this.#stop?.abort();
    this.#visit = visit;
    const store = visit.report?.store;
    this.#levels = Levels.of(store);
    this.#blocks.clear();
    $('levels').hidden = !this.#levels;
    if (!this.#levels) return;
    const { first, last, marks } = this.#levels;
    say($('levels-title'), `Levels ${count(first)} – ${count(last)}`);
    const cut = first > store.first_level ? ` The newest ${count(MOST_LEVELS)} are shown.` : '';
    const named = marks.map(([level, name]) => `${name} ${count(level)}`).join(', ');
    say($('levels-hint'), `${plural(this.#levels.count, 'block')}.${named && ` ◆ ${sentence(named)}.`}${cut}`);
    say($('replay-said'), '');
    $('replay-found').replaceChildren();
    this.#strip.show(this.#levels);
    this.#drawButton();
    this.#fill(visit, this.#levels);
    const { level } = visit.source;
    if (level !== undefined) this.go(level);
  }

  /** Draws what the store records of each level; of a report that was kept alone there is no store. */
  async #fill(visit, levels) {
    const isShown = () => this.#levels === levels && visit.store;
    for (let to = levels.last; to >= levels.first && isShown(); to -= AT_ONCE) {
      const from = Math.max(levels.first, to - AT_ONCE + 1);
      const recorded = await visit.store.ask('recorded', { from, to }).catch(() => undefined);
      if (!recorded) return;
      levels.record(from, recorded);
      if (!isShown()) return;
      this.#strip.draw();
      if (to === levels.last) this.#describe(this.#strip.selected?.to ?? levels.last);
    }
  }

  has(level) {
    return Boolean(this.#levels?.has(level)) && !$('levels').hidden;
  }

  /** Brings a level to sight. False if it is not one of these. */
  go(level) {
    if (!this.#levels?.has(level)) return false;
    this.#strip.go(level);
    return true;
  }

  /** The address bar of a snapshot behind an address points at the level, so that it can be shared. */
  #share(range) {
    const { source } = this.#visit;
    if (!source.url) return;
    source.level = range && range.from === range.to ? range.from : undefined;
    try {
      history.replaceState(history.state, '', placeOf(source));
    } catch {
      // Some browsers refuse when it comes too often; the next level makes good for it.
    }
  }

  #describe(level) {
    const { ticks, agrees, differs, bytes: inbox, flags } = this.#levels.at(level);
    const block = this.#blocks.get(level);
    const marks = this.#levels.marks.filter(([at]) => at === level).map(([, name]) => name);
    const recorded = [
      inbox ? `messages of ${bytes(inbox)}` : undefined,
      flags & COMMITMENT && `commitment${flags & CEMENTED ? ', cemented' : ''}`,
      flags & CONTEXT && 'context',
    ];
    const known = agrees
      ? [
          `${count(ticks)} ticks`,
          block && plural(block.runs, 'run'),
          ...recorded,
          block?.phase === 'stuck' && 'the machine is stuck',
          `${compared(block).join(', ')} agree`,
          block?.stateHash && `state ${block.stateHash}`,
        ]
      : [
          differs ? 'does not agree with what is recorded' : undefined,
          ticks !== undefined && `${count(ticks)} ticks recorded`,
          ...recorded,
          differs ? undefined : 'not run again yet',
        ];
    const words = [...marks, ...known].filter(Boolean).join(' · ');
    say($('level-line'), `Level ${count(level)}: ${words}`);
    return words;
  }

  #drawButton(range) {
    const { isKept, url } = this.#visit.source;
    const all = this.#levels.count;
    const chosen = range && range.to - range.from + 1 < all ? range : undefined;
    $('replay-go').disabled = Boolean(isKept && !url);
    say(
      $('replay-go'),
      this.#stop
        ? 'Stop'
        : chosen
          ? `Run ${chosen.from === chosen.to ? `level ${count(chosen.from)}` : `${count(chosen.from)} – ${count(chosen.to)}`} again`
          : 'Run all blocks again',
    );
  }

  async #run() {
    const visit = this.#visit;
    if (this.#stop || !visit || $('replay-go').disabled) return;
    const stop = new AbortController();
    this.#stop = stop;
    const range = this.#strip.selected;
    // The first level has no block before it: its context is where everything begins.
    const whole = !range || range.to - range.from + 1 >= this.#levels.count;
    const levels = whole
      ? {}
      : { from: Math.max(range.from, this.#levels.first + 1), to: Math.max(range.to, this.#levels.first + 1) };
    $('replay-found').replaceChildren();
    this.#drawButton(range);
    announce('Running blocks again.');
    const signal = AbortSignal.any([stop.signal, visit.stop.signal]);
    const on = this.#listen(visit);
    try {
      visit.replayed = await runAgain(visit.wire, levels, { signal, on });
      if (this.#visit === visit) this.#finish(visit.replayed);
    } catch (failure) {
      if (this.#visit === visit) this.#fail(failure);
    } finally {
      visit.replaying = undefined;
      this.#stop = undefined;
      if (this.#visit === visit) this.#drawButton(this.#strip.selected);
      this.#replayed(visit);
    }
  }

  #listen(visit) {
    const begin = performance.now();
    let shown = 0;
    let done = 0;
    const isShown = () => this.#visit === visit;
    const tell = (text) => isShown() && say($('replay-said'), text);
    return {
      read: ({ read, total }) => tell(`Unpacking: ${bytes(read)}${total ? ` of ${bytes(total)}` : ''}`),
      plan: ({ planned, of }) => {
        visit.replaying = { done: 0, planned, of };
        this.#replayed(visit);
      },
      block: (block) => {
        done += 1;
        if (!isShown()) return;
        this.#levels.agree(block.level, block.ticks);
        if (this.#blocks.size < MOST_LEVELS) this.#blocks.set(block.level, block);
        const now = performance.now();
        if (now - shown < 100) return;
        shown = now;
        visit.replaying = { ...visit.replaying, done };
        tell(
          `${count(done)} of ${plural(visit.replaying.planned, 'block')} · ${count(Math.round((1000 * done) / (now - begin)))} a second`,
        );
        this.#replayed(visit);
        this.#strip.draw();
      },
    };
  }

  #finish({ verdicts, replay, checks }) {
    const first = checks.find(({ code, status }) => status === 'no' && questionOf(code) === 'replayed');
    if (first?.at?.level !== undefined) {
      this.#levels.differ(first.at.level);
      this.#strip.go(first.at.level);
    } else this.#describe(this.#strip.selected?.to ?? this.#levels.last);
    const words = { yes: 'agree', no: 'do not all agree', unknown: 'could not all be compared' };
    say(
      $('replay-said'),
      `${count(replay.blocks)} of ${plural(replay.of, 'block')} run again: they ${words[verdicts.replayed] ?? 'were run'}.`,
    );
    if (first)
      $('replay-found').replaceChildren(
        h('h3', {}, 'The first difference'),
        h('p', {}, first.text),
        details(first) ?? '',
      );
    this.#strip.draw();
    announce($('replay-said').textContent);
  }

  #fail(failure) {
    const stopped = failure.kind === 'stopped';
    say($('replay-said'), stopped ? 'Stopped. What was run until then stands.' : '');
    if (!stopped)
      $('replay-found').replaceChildren(
        h(
          'p',
          {},
          `Not checked: ${failure.title}.${failure.text ? ` ${failure.text}` : ''} `,
          failure.code && h('code', { class: 'code' }, failure.code),
        ),
        details(failure, failure.advice) ?? '',
      );
    this.#strip.draw();
    announce(stopped ? 'Stopped.' : sentence(failure.title));
  }
}

/** What of a block was compared with what the store records of it. */
function compared(block) {
  const { state, context, outbox } = block ?? {};
  return ['ticks', state && 'state', context && 'context', outbox && 'outbox'].filter(Boolean);
}
