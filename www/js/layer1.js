// Is a commitment published on layer 1? The search of docs/FORMAT.md, at a node that the visitor
// names. Nothing is asked before that.

const NOT_PUBLISHED = 'Commitment of snapshot is not published on L1.';
const MAX_PROBES = 4096;
const MAX_ANSWER = 1 << 20;
const PATIENCE_MS = 30_000;

/** Why there is no answer, in words. `code` is that of the table. */
class NoAnswer extends Error {
  constructor(code, text, found) {
    super(text);
    Object.assign(this, { code, found });
  }
}

/** The address of a node, without what would not be sent or shown; throws a text for people. */
export function endpointOf(text) {
  let url;
  try {
    url = new URL(text.trim());
  } catch {
    throw new Error('This is not an address. Write it as https://node.example or http://127.0.0.1:8732.');
  }
  if (!/^https?:$/.test(url.protocol)) throw new Error('The address must begin with https:// or http://.');
  if (url.username || url.password) throw new Error('A browser sends no user name or password that stands in an address: leave it out.');
  if (url.search || url.hash) throw new Error('The address of a node has no ? and no #.');
  return url.href.replace(/\/+$/, '');
}

/**
 * Looks for the last commitment of `header`. Gives a check as a report has them, so
 * `{code, status: 'yes' | 'no' | 'unknown', text, found?}`. `onProbe(done, of)` is told of each
 * level. Rejects only when `signal` says stop.
 */
export async function search(endpoint, header, { signal, onProbe = () => {} }) {
  const ask = (path, about) => request(endpoint, path, about, signal);
  try {
    return await look(ask, header, onProbe);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NoAnswer)) throw error;
    return { code: error.code, status: 'unknown', at: null, expected: null, found: error.found ?? null, text: `It could not be checked: ${error.message}` };
  }
}

/** The check of the commitment that the visitor expects. */
export function compare(expected, header) {
  const same = expected === header.last_commitment;
  return same
    ? { code: 'commitment.expected', status: 'yes', at: null, expected: null, found: null, text: `the last commitment is the expected one, ${expected}` }
    : { code: 'commitment.expected', status: 'no', at: null, expected, found: header.last_commitment, text: 'the last commitment is not the expected one' };
}

async function look(ask, { rollup_address: rollup, last_commitment: commitment, head_level: hint }, onProbe) {
  const main = '/chains/main';
  const head = whole((await ask(`${main}/blocks/head/header/shell`)).level, 'the level of its head');
  const savepoint = whole((await ask(`${main}/levels/savepoint`)).level, 'its savepoint');
  const from = Math.min(head, Math.max(savepoint, hint));
  const constants = await ask(`${main}/blocks/${from}/context/constants`, from);
  const step = whole(constants.smart_rollup_challenge_window_in_blocks, 'its challenge window');
  if (step < 1) throw new NoAnswer('l1.answer', `the node reports a challenge window of ${step} blocks`);
  const start = Math.min(head, Math.max(savepoint, from - step));
  const count = Math.ceil((head - start) / step) + 1;
  if (count > MAX_PROBES) throw new NoAnswer('l1.answer', `it would take ${count} requests to search levels ${start} to ${head} in steps of ${step}`);
  let failed = 0;
  let first;
  let gone = 0;
  for (let level = start, done = 0; ; level = Math.min(level + step, head)) {
    try {
      const found = await ask(`${main}/blocks/${level}/context/smart_rollups/smart_rollup/${rollup}/commitment/${commitment}`, level);
      if (found && typeof found.inbox_level !== 'number') throw new NoAnswer('l1.answer', 'the answer of the node is no commitment');
      gone = 0;
      if (found) return { code: 'l1.commitment', status: 'yes', at: null, expected: null, found: null, text: `layer 1 knows the last commitment, seen at level ${level}` };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      failed += 1;
      first ??= error;
      gone = error.code === 'l1.unreachable' ? gone + 1 : 0;
      // A node that has gone away is not asked about all levels.
      if (gone === 2) throw error;
    }
    onProbe((done += 1), count);
    if (level >= head) break;
  }
  if (failed === count) throw first;
  if (failed) throw new NoAnswer(first.code, `${failed} of ${count} levels could not be looked at: ${first.message}`, first.found);
  const text = `${NOT_PUBLISHED}\nCould not locate commitment ${commitment} for rollup ${rollup} on L1 between levels ${start} and ${head} (step ${step}).`;
  return { code: 'l1.commitment', status: 'no', at: null, expected: null, found: null, text };
}

/** The JSON of an answer; `undefined` when layer 1 knows no such commitment or rollup. */
async function request(endpoint, path, level, signal) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const init = { signal: AbortSignal.any([signal, patience]), redirect: 'manual', credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' };
  let response;
  let body;
  try {
    response = await fetch(endpoint + path, init);
    body = await readText(response);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoAnswer) throw error;
    throw await whyNot(endpoint + path, signal, patience.aborted);
  }
  if (response.type === 'opaqueredirect') throw new NoAnswer('l1.answer', 'the node sends the browser to another address, which is not followed: give that address');
  const { status } = response;
  const found = `status ${status} for ${path}`;
  if (response.ok) {
    try {
      const value = JSON.parse(body);
      if (value && typeof value === 'object') return value;
    } catch {
      // Said below.
    }
    throw new NoAnswer('l1.answer', 'the answer of the node is not understood: is this a Tezos or Mavryk layer 1 node?', found);
  }
  if (status === 401 || status === 403) {
    const what = path.includes('/smart_rollups/') ? 'smart rollup storage' : path.includes('/levels/') ? 'its savepoint' : 'block data';
    throw new NoAnswer('l1.forbidden', `this node does not serve ${what} (its access list forbids it)`, found);
  }
  const ids = errorIds(body);
  const unknown = ids.some((id) => /(^|\.)smart_rollup_(unknown_commitment|does_not_exist)$/.test(id));
  if (unknown && path.includes('/commitment/')) return undefined;
  if ((status === 404 || status === 410) && level !== undefined) throw new NoAnswer('l1.pruned', `block ${level} is pruned or unknown: use an archive node`, found);
  if (status === 404 || status === 410) throw new NoAnswer('l1.answer', 'a layer 1 node would know what was asked for: is this the address of one?', found);
  throw new NoAnswer('l1.status', `the node reports an error${ids.length ? `: ${ids.join(', ').slice(0, 200)}` : ''}`, found);
}

/** A browser does not say why a request failed; asking without reading the answer tells. */
async function whyNot(address, signal, late) {
  if (late) return new NoAnswer('l1.unreachable', `the node did not answer within ${PATIENCE_MS / 1000} seconds`);
  if (globalThis.location?.protocol === 'https:' && address.startsWith('http:')) {
    return new NoAnswer('l1.unreachable', 'a page that came by https may not ask a node by http: use an https address, or the command line');
  }
  const there = await fetch(address, { method: 'HEAD', mode: 'no-cors', credentials: 'omit', signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]) }).then(() => true, () => false);
  signal.throwIfAborted();
  return there
    ? new NoAnswer('http.cors', 'the node is there, but does not let web pages read its answers (CORS): use another node, or rollsnap verify --endpoint on the command line')
    : new NoAnswer('l1.unreachable', 'the node cannot be reached: is the address right, and is the node running?');
}

async function readText(response) {
  const parts = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MAX_ANSWER) {
      void reader.cancel().catch(() => {});
      throw new NoAnswer('l1.answer', 'the answer of the node is longer than any that it should give');
    }
    parts.push(value);
  }
  return new Blob(parts).text();
}

function errorIds(body) {
  try {
    const list = JSON.parse(body);
    return Array.isArray(list) ? list.map((entry) => String(entry?.id ?? '')).filter(Boolean) : [];
  } catch {
    return [];
  }
}

function whole(number, what) {
  if (!Number.isSafeInteger(number)) throw new NoAnswer('l1.answer', `the answer of the node does not say ${what}`);
  return number;
}
