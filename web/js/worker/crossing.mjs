// What goes to another thread: sources, and options without their functions.

import { whyUnread } from '../errors.mjs';

const CALLBACKS = ['onProgress', 'onHeader', 'onEvent', 'onNotice', 'onBegin', 'onBlock'];

/**
 * Parts options: `given` is what another thread can be told, with the names of the callbacks in it; `callbacks.call(name,
 * values)` calls one of them. A TypeError for what can only be called on its own thread.
 */
export function detach(name, options) {
  const { extract, reveal, request, ...rest } = options;
  if (reveal)
    throw new TypeError('reveal: a worker cannot call it; give preimages, or call replay() of rollsnap/machine');
  if (typeof rest.temporary === 'object')
    throw new TypeError('temporary: expected true or false; the worker opens it itself');
  if (extract && name !== 'inspect') throw new TypeError('extract: only of inspect()');
  const functions = new Map();
  for (const key of CALLBACKS) {
    if (typeof rest[key] === 'function') functions.set(key, rest[key]);
    delete rest[key];
  }
  for (const [member, callback] of Object.entries(extract ?? {})) functions.set(`extract ${member}`, callback);
  const given = {
    ...rest,
    callbacks: CALLBACKS.filter((key) => functions.has(key)),
    extract: Object.keys(extract ?? {}),
    // Headers are no plain object.
    ...(request ? { request: { ...request, headers: [...new Headers(request.headers)] } } : {}),
  };
  const call = (key, values) => functions.get(key)?.(...values);
  return { given, callbacks: { call, stopped: undefined } };
}

/**
 * A source on its way: `source` is what the other thread opens. What stays here is given from here, a part at each `give()`;
 * `error` is what it failed with.
 */
export function pump(source) {
  if (typeof source === 'string' || source instanceof URL) return sent({ place: placeOf(source) });
  if (source instanceof ArrayBuffer) return sent({ place: source });
  if (ArrayBuffer.isView(source)) {
    return sent({ place: new Uint8Array(source.buffer, source.byteOffset, source.byteLength) });
  }
  if (source instanceof Blob) return globalThis.process?.getBuiltinModule ? served(source) : sent({ place: source });
  const chunks = chunksOf(source);
  if (!chunks) {
    throw new TypeError(
      'source: expected a Blob, bytes, a stream, an iterable of bytes, an address, or in Node a path',
    );
  }
  const give = async () => {
    const { done, value } = await chunks.next();
    return done ? { end: true } : { bytes: value };
  };
  return kept({ pumped: true }, give, () => void chunks.return()?.catch?.(() => {}));
}

const sent = (source) => ({ source, cancel() {} });

/** A Blob of Node, which another thread cannot be given where it is of a file. */
function served(blob) {
  const give = async ({ from, to }) => {
    try {
      return { bytes: new Uint8Array(await blob.slice(from, to).arrayBuffer()) };
    } catch (error) {
      throw await whyUnread(blob, error);
    }
  };
  return kept({ size: blob.size, name: blob.name }, give, () => {});
}

function kept(source, give, cancel) {
  const held = {
    source,
    cancel,
    async give(part) {
      try {
        return await give(part);
      } catch (error) {
        held.error = error;
        return { broken: true };
      }
    },
  };
  return held;
}

/** A page's addresses are told from where it is, not from where this module is. */
function placeOf(source) {
  const { document, location } = globalThis;
  return location ? new URL(source, document?.baseURI ?? location.href).href : String(source);
}

/** The chunks of a stream or of what can be iterated. */
function chunksOf(source) {
  if (typeof source?.getReader === 'function') {
    const reader = source.getReader();
    return { next: () => reader.read(), return: () => reader.cancel() };
  }
  const begin = typeof source === 'object' && (source?.[Symbol.asyncIterator] ?? source?.[Symbol.iterator]);
  if (!begin) return undefined;
  const iterator = begin.call(source);
  return { next: async () => iterator.next(), return: async () => iterator.return?.() };
}
