/**
 * rollsnap/full: all of `rollsnap`, with a larger module that also answers *Consistent* (the option `consistent`), and knows
 * what to ask layer 1 for *Anchored*.
 *
 * The module makes no requests. You make them, with your own `fetch`, proxy, time limits and retries: `Layer1` says which,
 * and what their answers mean. The rules are those of the command line (docs/FORMAT.md, section 7), and so are the texts.
 *
 * @packageDocumentation
 */
import type { Check, Inspector, ReportHeader, Verdict } from './rollsnap.mjs';

export * from './rollsnap.mjs';
export { type OpenTemporaryFile, openTemporary, readInPlace } from './temporary.mjs';

/** A `GET`, answered in JSON. */
export interface Layer1Request {
  /** Where, below the address of the node; it begins with a slash. */
  path: string;
  /** Longest answer that is read, in bytes. Of a longer one call `tooLong()`. */
  maxBytes: number;
  /** What it asks for, in words, such as "block data". */
  about: string;
}

/** Why there was no answer. */
export interface Layer1Hindrance {
  code: string;
  title: string;
  advice: string;
  found: string | null;
  /** In words: what the node says, or what happened. */
  cause: string | null;
}

/** What came of a question. */
export interface Layer1Finding {
  /** As a report has it. */
  check: Check;
  /** What stood in the way of an answer. The check is `unknown` then, never `no`. */
  problem: Layer1Hindrance | null;
}

/**
 * Asks a node of layer 1 whether the last commitment of a snapshot is published, what was cemented last, and, where
 * `askOrigination()` wants it, what the rollup was originated with.
 *
 * ```js
 * const layer1 = new Layer1(report.header, endpoint);
 * for (let request; (request = layer1.nextRequest()); ) {
 *   try {
 *     const response = await fetch(endpoint + request.path, { redirect: 'manual', signal });
 *     layer1.answer(response.status, new Uint8Array(await response.arrayBuffer()));
 *   } catch (error) {
 *     layer1.failed(String(error));
 *   }
 * }
 * layer1.published.check; // { code: 'l1.commitment', status: 'yes', … }
 * ```
 */
export class Layer1 implements Disposable {
  /** `endpoint`: the address of the node as it is to be shown, without a password. Throws `hash.text`. */
  constructor(header: Pick<ReportHeader, 'rollup_address' | 'last_commitment' | 'head_level'>, endpoint: string);
  /** The request to be made next, the same one until its answer is given; undefined when nothing more is to be asked. */
  nextRequest(): Layer1Request | undefined;
  /**
   * What came back, whatever its status; 0 is the one of a redirect that a browser hides. `location` and `asksLogin`:
   * the response header `Location`, and whether there is a `WWW-Authenticate`, where these are known.
   */
  answer(status: number, body: Uint8Array, location?: string, asksLogin?: boolean): void;
  /**
   * Nothing came back. `why`: what happened, in words. `code` and `title` take the place of `l1.unreachable` and its
   * words; a node that is unreachable twice in a row is asked nothing more.
   */
  failed(why?: string, code?: string, title?: string): void;
  /**
   * After how many milliseconds a request that was made `tries` times is worth making again; undefined when it is not.
   * `status`: what came back, 0 for a connection that broke. `retryAfter`: the seconds of the response header
   * `Retry-After`. The command line waits as long.
   */
  retryIn(status: number, tries: number, retryAfter?: number): number | undefined;
  /** More came back than `maxBytes`; the rest need not be read. */
  tooLong(): void;
  /** Asks also for the origination, at `Inspector.originationLevel`. May be called when all else has been asked. */
  askOrigination(level: number): void;
  /** How many levels have been looked at for the commitment; undefined until it is known how many there are. */
  readonly progress: { done: number; of: number } | undefined;
  /** Whether the commitment is published; undefined before the end of the search. */
  readonly published: Layer1Finding | undefined;
  /** What was cemented last, for `Inspector.compareCemented()`, or why that is not known; undefined where it was not asked. */
  readonly cemented: { hash: string; level: number } | Layer1Finding | undefined;
  /**
   * What the rollup was originated with, for `Inspector.compareOrigination()`, or why that is not known; undefined where it
   * was not asked. `bootSector` is undefined where no operation of the level originates the rollup.
   */
  readonly originated:
    | { bootSector: Uint8Array<ArrayBuffer> | undefined; protocol: string | undefined }
    | Layer1Finding
    | undefined;
  /** Gives its memory back. Whatever is called afterwards throws a TypeError, a second free() too. */
  free(): void;
  [Symbol.dispose](): void;
}

/** The check of a commitment that you know from elsewhere against the last one of a snapshot. Throws `hash.text`. */
export function compareCommitment(found: string, expected: string): Check;

/** The check that a report has when layer 1 was not asked, and why not. */
export function notAsked(why: string): Check;

/** *Anchored*, as these checks give it together: one "no" outweighs every "yes". */
export function anchoredBy(checks: readonly Pick<Check, 'code' | 'status'>[]): Verdict;

/** What the store has at a level, as `rollsnap levels --json` has it. */
export interface Level {
  level: number;
  block: string | null;
  predecessor: string | null;
  /** The commit of its context; null: none was written to disk. */
  context: string | null;
  first_context: boolean;
  state_hash: string | null;
  /** In decimal digits. */
  initial_tick: string | null;
  ticks: number | bigint | null;
  inbox: string | null;
  inbox_level: number | null;
  messages: number | null;
  message_bytes: number | null;
  commitment: string | null;
  cemented: boolean;
  finalized: boolean;
  /** What of it is missing or cannot be read. */
  problem: string | null;
}

/** An entry of a directory, or a key. */
export interface StateEntry {
  name: string;
  kind: 'directory' | 'contents' | 'key';
  /** Of contents, and of the value of a key; null where there is none. */
  size: number | null;
  /** Of a directory: how many entries it has. */
  entries: number | null;
  /** Of a key: whether there are keys below it. */
  below: boolean | null;
  hash: string | null;
}

/** A key, or contents, in which two states differ. */
export interface StateChange {
  path: string;
  change: 'added' | 'removed' | 'changed';
  /** Bytes. */
  before: number | null;
  after: number | null;
}

/** What a proof says of a key, or of contents. */
export interface ProofAnswer {
  path: string;
  /** `hidden`: the proof leaves it out; `malformed`: there is something, but no value as a kernel writes one. */
  answer: 'present' | 'absent' | 'hidden' | 'directory' | 'malformed';
  bytes: Uint8Array | null;
}

/** A level whose block has a context, or the hash of a context, `SRCo…`. */
export type At = number | string;

/** The other side of a comparison, from `Explorer.other()`. It is used up by the call that takes it. */
export interface Other extends Disposable {
  free(): void;
}

/**
 * Looks at what an Inspector with the option `consistent` has kept, after its finish(). A path that begins with a slash is a
 * key of the durable storage. Throws a RollsnapError (`level.unavailable`, `context.path`, …) for what is not there.
 */
export class Explorer implements Disposable {
  constructor(inspector: Inspector);
  /** Gives the levels, lowest first, until `onLevel` returns false. Without bounds, all up to the head. */
  levels(from: number | undefined, to: number | undefined, onLevel: (level: Level) => unknown): void;
  /** The commit of a level, and the hash of its state. */
  state(at: At): { context_hash: string; state_hash: string | null };
  /** At most `limit` entries from number `cursor` on; `next` is the cursor of the following ones. */
  list(
    at: At,
    path: string,
    cursor: number,
    limit: number,
  ): { path: string; entries: StateEntry[]; next: number | null };
  /** At most 64 MiB of contents, or of the value of a key. */
  read(at: At, path: string, offset: number, length: number): { size: number; bytes: Uint8Array };
  /**
   * Gives what differs below `path`, at most `limit` changes, until `onChange` returns false. With `other`, `to` is looked up
   * there. `complete`: that is all of it.
   */
  diff(
    from: At,
    to: At,
    path: string,
    limit: number,
    onChange: (change: StateChange) => unknown,
    other?: Other,
  ): { added: number; removed: number; changed: number; complete: boolean };
  other(): Other;
  /** A proof of keys, and of contents such as `pvm_state/tag`, in the state of a level: for checkProof(). */
  prove(at: At, keys: string[]): Uint8Array;
  /** The tables of `store.sqlite`. Stores before version 5 have none, which is `store.missing`. */
  tables(): { name: string; columns: string[] }[];
  /** At most `limit` rows; `next` is the cursor of the following ones. */
  rows(
    table: string,
    cursor: bigint | number | undefined,
    limit: number,
  ): { columns: string[]; rows: (null | number | bigint | string | Uint8Array)[][]; next: bigint | null };
  free(): void;
  [Symbol.dispose](): void;
}

/** Checks a proof against the state hash in it, and says what it shows: these keys, or everything. */
export function checkProof(
  bytes: Uint8Array,
  keys?: string[],
): { state_hash: string; leads_to: string | null; keys: ProofAnswer[] };
