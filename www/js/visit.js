// The visit of one source: what is read of it, in which order, and what is known by then. Drawing is left to the screen.

import { Members } from './files/members.js';
import { bytes, plural, sentence } from './format.js';
import { run, runAndKeep } from './jobs.js';
import { newId } from './kept/reports.js';
import { completeAnchors } from './layer1/anchor.js';
import { roomNote } from './room.js';
import { restricted } from './trouble.js';

/** What is fetched from an address without being asked for. */
const FETCHED_AT_ONCE = 16_000_000;
const REDRAW_MS = 500;

const STATES = {
  reading: { intact: 'reading', text: 'The file is being read to its last byte.' },
  stopped: {
    intact: 'unknown',
    sentence: 'Stopped before the end.',
    text: 'Not checked: the reading was stopped before the end of the file.',
  },
  failed: {
    intact: 'unknown',
    sentence: 'Not read to its end.',
    text: 'Not checked: the file could not be read to its end.',
  },
};

/** The report of a file was kept, not the file. */
const NOT_HERE = {
  kind: 'read',
  title: 'the file itself is not kept by this browser',
  text: 'Choose it again to look inside.',
};

export class Visit {
  id = newId();
  stop = new AbortController();
  members = new Members();
  fetched = { requests: 0, bytes: 0 };
  problems = [];
  anchors = {};
  /** What the first bytes say (the job `look`). */
  look;
  /** What is said while there is no report: `{intact, text, sentence}`. */
  state = { intact: 'unknown', text: 'Only its first bytes were read.' };
  report;
  unasked;
  /** How the reading went, once it has ended. */
  done;
  progress;
  /** The worker that still has the store. */
  store;
  isReading = false;
  /** The report of blocks that were run again, and how far a run is: `{done, planned, of}`. */
  replayed;
  replaying;
  #screen;
  #listing;
  #whole = false;

  /** `screen` draws a visit as long as `screen.isShown(visit)`. */
  constructor(source, screen) {
    this.source = source;
    this.#screen = screen;
    this.wire = { file: source.file, url: source.url, index: source.index };
    this.tools = {
      members: this.members,
      job: (...args) => this.job(...args),
      fetches: source.url && 'the file again from its address, up to the end of this member',
    };
  }

  /** A visit as it was kept: its report without its file. */
  static of(kept, screen) {
    const { name, url, example, handle, size, modified } = kept;
    const visit = new Visit({ name, url, example, handle, size, modified, isKept: true }, screen);
    const { id, look, report, replayed, unasked, done, anchors, when } = kept;
    Object.assign(visit, { id, look, report, replayed, unasked, done, anchors, when, keptAnchoredBy: kept.anchoredBy });
    visit.members.add(kept.members);
    visit.members.complete = kept.complete;
    visit.members.texts = new Map(kept.texts);
    visit.members.digests = new Map(kept.digests);
    visit.state = { intact: report.verdicts.intact };
    return visit;
  }

  get #isShown() {
    return this.#screen.isShown(this);
  }

  /** Looks at the first bytes, and reads the whole where nothing speaks against it. */
  async open() {
    let worker;
    try {
      const { result: look, helper } = await this.job('look', {}, { keep: true });
      worker = helper;
      if (!this.#isShown) return;
      this.look = look;
      this.wire.identity = look.identity;
      this.#screen.describe(this);
      if (look.refused) return this.#screen.refuse(this, look.refused);
      this.#screen.claims(this);
      if (this.source.url && !(look.total <= FETCHED_AT_ONCE)) await this.#offerParts(helper);
      else await this.readWhole();
    } catch (failure) {
      if (this.#isShown && failure.kind !== 'stopped') this.#screen.refuse(this, failure);
    } finally {
      worker?.end();
    }
  }

  /** Runs a job on the source. `keep` leaves the worker to the caller. */
  job(name, details, { signal = this.stop.signal, on, keep = false } = {}) {
    if (this.source.isKept && !this.source.url) return Promise.reject(NOT_HERE);
    const all = { ...on, fetched: (more) => this.#count(more), notice: ({ text }) => this.#screen.notice(this, text) };
    return (keep ? runAndKeep : run)(name, { source: this.wire, ...details }, { signal, on: all });
  }

  end() {
    this.stop.abort();
  }

  #count({ requests, bytes }) {
    this.fetched.requests += requests;
    this.fetched.bytes += bytes;
    if (this.#isShown && this.look) this.#screen.describe(this);
  }

  /** What is behind an address: its members too, where they are found without reading all of the file. */
  async #offerParts(helper) {
    const { look, source } = this;
    if (look.lacks.some((header) => header.endsWith('Content-Range'))) this.#screen.trouble(restricted(look, source));
    if (!look.ranges) return this.#offerWhole('Only the header was read');
    this.#offerWhole('Only the header was read', 'Looking for its members.');
    this.#listing = helper;
    const listed = await helper.ask('list', { source: this.wire }).catch((failure) => {
      if (this.#isShown && failure.kind !== 'stopped' && !this.#whole) this.#screen.trouble(failure);
    });
    if (!this.#isShown || this.#whole) return;
    if (!listed) return this.#offerWhole('Only the header was read', 'Its members come with the reading of the whole.');
    this.members.add(listed.members);
    this.members.complete = listed.complete;
    this.tools.fetches = 'this member alone from its address';
    this.#screen.members(this);
    this.#offerWhole('Only the header and the list of members were read');
  }

  #offerWhole(read, more) {
    const { look } = this;
    const size = look.total === undefined ? 'its size is not known' : `${bytes(look.total)} to download`;
    const notes = look.notes.map((note) => `${sentence(note)}.`);
    const text = [more, `The rest is fetched when you ask for it: ${size}.`, ...notes].filter(Boolean).join(' ');
    const known = `${read.charAt(0).toLowerCase()}${read.slice(1)}`;
    this.state = { intact: 'unknown', sentence: 'Not checked yet.', text: `Not checked yet: ${known}.` };
    this.#screen.offer(this, read, text);
  }

  async readWhole() {
    this.#whole = true;
    this.#listing?.end();
    const stop = new AbortController();
    this.stop.signal.addEventListener('abort', () => stop.abort());
    this.members = this.tools.members = new Members();
    this.problems = [];
    this.report = undefined;
    this.replayed = undefined;
    this.progress = undefined;
    this.store?.end();
    this.store = undefined;
    this.state = STATES.reading;
    this.isReading = true;
    this.#screen.reading(this, () => stop.abort());
    this.#sayRoom();
    const messages = this.#listen();
    try {
      const { result, helper } = await this.job('inspect', {}, { signal: stop.signal, on: messages.on, keep: true });
      this.store = helper;
      await completeAnchors(this);
      this.#finish(result);
    } catch (failure) {
      this.#halt(failure);
    } finally {
      this.isReading = false;
      messages.end();
      this.#screen.ended(this);
    }
  }

  /** Says before it comes out that something will stay open for lack of room. */
  async #sayRoom() {
    const note = await roomNote(this.look.total);
    if (!note || !this.isReading) return;
    this.state = { ...this.state, note };
    if (this.#isShown) this.#screen.verdicts(this);
  }

  #listen() {
    const { members } = this;
    let timer;
    const on = {
      progress: (figures) => {
        this.progress = figures;
        if (this.#isShown) this.#screen.progress(this, figures);
      },
      texts: ({ texts }) => (members.texts = new Map(texts)),
      problem: ({ problem }) => {
        this.problems.push(problem);
        if (this.#isShown) this.#screen.verdicts(this);
      },
      members: ({ members: more }) => {
        const first = !members.list.length;
        members.add(more);
        if (first && this.#isShown) this.#screen.members(this);
        // Drawing thousands of rows and tiles takes longer than the next message.
        timer ??= setTimeout(() => {
          timer = undefined;
          if (this.#isShown) this.#screen.members(this);
        }, REDRAW_MS);
      },
    };
    return { on, end: () => clearTimeout(timer) };
  }

  #finish(result) {
    const { report, unasked, ...done } = result;
    Object.assign(this, { report, unasked, done, when: Date.now() });
    this.members.complete = report.members.complete;
    this.state = { intact: report.verdicts.intact };
    this.#screen.finished(this);
  }

  #halt(failure) {
    const stopped = failure.kind === 'stopped';
    this.state = stopped ? STATES.stopped : STATES.failed;
    // What was read of a file that somebody wrote to says nothing about it.
    if (failure.code === 'source.changed') this.problems = [];
    if (!this.#isShown) return;
    const kept = `What was seen until then is below: ${plural(this.members.list.length, 'member')}.`;
    this.#screen.halted(this, failure, stopped ? kept : `${sentence(failure.title)}. ${kept}`);
  }
}
