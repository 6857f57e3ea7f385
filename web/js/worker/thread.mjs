// The thread behind rollsnap/worker: does one job at a time, and tells what came of it.

import { RollsnapError, failure } from '../errors.mjs';
import { init } from '../load.mjs';
import { Asking, sourceOf } from './asking.mjs';

/** How long callbacks wait for others at most, and how many go together. */
const GATHER = 50;
const MOST = 1000;

/** A file of fewer bytes is checked in memory alone. */
const FITS_IN_MEMORY = 64 << 20;

const port = globalThis.process?.getBuiltinModule?.('node:worker_threads')?.parentPort;
const post = port
  ? (data, owned) => port.postMessage(data, owned)
  : (data, owned) => globalThis.postMessage(data, owned);

/** What messages of the job that is being done are for. */
let open;

const hear = (data) => (data.name ? perform(data) : data.job === open?.job && open.hear(data));
if (port) port.on('message', hear);
else globalThis.addEventListener('message', ({ data }) => hear(data));

async function perform({ job, name, source, member, options }) {
  const control = new AbortController();
  const asking = new Asking((message) => post({ job, ...message }), control.signal);
  open = { job, hear: (data) => (data.stop ? control.abort() : asking.answer(data)) };
  const calls = new Calls(job);
  try {
    const settings = { ...options, ...functions(options, calls), signal: control.signal };
    const result = await JOBS[name](sourceOf(source, asking), settings, { job, member, calls });
    calls.flush();
    post({ job, type: 'done', result });
  } catch (error) {
    calls.flush();
    tellFailure(job, error);
  } finally {
    open = undefined;
  }
}

const JOBS = {
  inspect: async (source, options) => {
    const { inspect, openTemporary } = await moduleFor(options);
    return withTemporary(openTemporary, source, options.consistent, options, (settings) => inspect(source, settings));
  },

  listMembers: async (source, options) => (await import('../rollsnap.mjs')).listMembers(source, options),

  readMember: async (source, options, { member }) =>
    (await import('../rollsnap.mjs')).readMember(source, member, options),

  replay: async (source, options, { job, calls }) => {
    const { replay, openTemporary } = await import('../machine/machine.mjs');
    const { blockTimeout, onBegin, onBlock } = options;
    if (blockTimeout !== undefined) await init();
    const patience = () => {
      if (blockTimeout === undefined) return;
      calls.flush();
      const error = RollsnapError.toPlain(failure('pvm.time', { expected: `${blockTimeout} milliseconds a block` }));
      post({ job, type: 'limit', milliseconds: blockTimeout, error });
    };
    const told = (tell) => (value) => {
      tell?.(value);
      patience();
    };
    const settings = { ...options, onBegin: told(onBegin), onBlock: told(onBlock) };
    return withTemporary(openTemporary, source, true, settings, (all) => replay(source, all));
  },
};

/** The larger module is loaded for who needs it. */
const moduleFor = ({ consistent }) => (consistent ? import('../full/full.mjs') : import('../rollsnap.mjs'));

async function withTemporary(openTemporary, { size }, isNeeded, { temporary = true, ...options }, work) {
  const isSmall = typeof size === 'number' && size < FITS_IN_MEMORY;
  const file = isNeeded && temporary && !isSmall ? await openTemporary() : undefined;
  try {
    return await work(file ? { ...options, temporary: file } : options);
  } finally {
    await file?.close();
  }
}

/** The callbacks of the other side, as functions here. */
function functions({ callbacks, extract }, calls) {
  const names = Object.fromEntries(callbacks.map((name) => [name, (...values) => calls.add(name, values)]));
  const taken = extract.map((name) => [name, (...values) => calls.add(`extract ${name}`, values, values[0].length)]);
  return { ...names, extract: Object.fromEntries(taken) };
}

/** Callbacks on their way to the other side: together, for each message has its price. */
class Calls {
  #job;
  #waiting = [];
  #bytes = 0;
  #timer;
  #since;

  constructor(job) {
    this.#job = job;
  }

  add(name, values, bytes = 0) {
    if (!this.#waiting.length) {
      this.#since = performance.now();
      this.#timer = setTimeout(() => this.flush(), GATHER);
    }
    this.#waiting.push([name, ...values]);
    this.#bytes += bytes;
    const due = performance.now() - this.#since >= GATHER || this.#waiting.length >= MOST || this.#bytes >= 1 << 20;
    if (due) this.flush();
  }

  flush() {
    clearTimeout(this.#timer);
    if (!this.#waiting.length) return;
    post({ job: this.#job, type: 'calls', calls: this.#waiting });
    this.#waiting = [];
    this.#bytes = 0;
  }
}

function tellFailure(job, error) {
  if (error instanceof RollsnapError) return post({ job, type: 'failed', plain: RollsnapError.toPlain(error) });
  try {
    post({ job, type: 'failed', error });
  } catch {
    post({ job, type: 'failed', error: new Error(String(error)) });
  }
}
