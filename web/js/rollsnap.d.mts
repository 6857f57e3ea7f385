// Types of the npm package `rollsnap`.
//
// 64-bit numbers (sizes, offsets, times) are a `number` up to Number.MAX_SAFE_INTEGER, where that is
// exact, and a `bigint` above: the type Size. No real snapshot reaches the bigints; a hostile one can.
// `Number(size)` is right for display, `BigInt(size)` for arithmetic that must be exact.
//
// What is wrong with a file is thrown as a RollsnapError, what is wrong with a call as a TypeError.

/** A whole number of 64 bits: bytes, or seconds since 1970. */
export type Size = number | bigint;

/**
 * Loads the module, once; everything below but the functions that return a promise needs it first.
 * `source`: the address or the bytes of `rollsnap_bg.wasm`; beside `rollsnap.mjs` if left out. In
 * Node and from a bundler that loads modules itself, it does nothing.
 */
export function init(source?: string | URL | Request | Response | BufferSource | WebAssembly.Module): Promise<void>;

/** The version of this package. */
export function version(): string;

/** How many bytes the module holds of the memory of the page. */
export function memoryBytes(): number;

/** Everything that rollsnap can find wrong: the same table as on the command line. */
export function codes(): CodeRow[];

export interface CodeRow {
  /** The stable name, such as `tar.checksum`. */
  code: string;
  class: 'answer' | 'usage' | 'damaged' | 'refused' | 'environment' | 'idle' | 'cancelled';
  /** Exit status of the command line. */
  exit_status: number;
  /** What it means. */
  title: string;
  /** What to do about it; may be empty. */
  advice: string;
}

/**
 * Where something was found; bytes are counted from 0. `context_offset`: of an object of the context,
 * which collections do not change.
 */
export type Place =
  | { stream_offset: Size }
  | { file_offset: Size }
  | { context_offset: Size }
  | { level: number }
  | { path: string };

/** Something that is wrong. */
export interface Problem {
  code: string;
  title: string;
  advice: string;
  at: Place | null;
  member: string | null;
  expected: string | null;
  found: string | null;
}

/** Fields of a RollsnapError, as `postMessage` takes them. */
export interface PlainError extends Problem {
  name: 'RollsnapError';
  message: string;
  missing?: string;
  header?: Header;
}

/** An error that is about a file. Its `message` is a whole sentence, its `code` is stable. */
export class RollsnapError extends Error implements Problem {
  constructor(fields: PlainError);
  readonly name: 'RollsnapError';
  readonly code: string;
  readonly title: string;
  readonly advice: string;
  readonly at: Place | null;
  readonly member: string | null;
  readonly expected: string | null;
  readonly found: string | null;
  /** The response header that a server would have to send (`http.cors`). */
  readonly missing?: string;
  /** The header of the snapshot, where it could be read in spite of the error. */
  readonly header?: Header;
  /** The fields as a plain object: an error itself loses them in `postMessage`. */
  static toPlain(error: RollsnapError): PlainError;
}

/** What a snapshot says about itself. */
export interface ReportHeader {
  /** `unversioned`: 57 bytes without the version byte, as only an old design text describes. */
  layout: 'versioned' | 'unversioned';
  version: 0 | null;
  history_mode: 'archive' | 'full';
  /** `sr1…` */
  rollup_address: string;
  /** A name that people know the address by; proof of nothing. */
  known_as: string | null;
  head_level: number;
  /** `src1…` */
  last_commitment: string;
}

export interface Header extends ReportHeader {
  compression: 'gzip' | 'none';
}

export type Verdict = 'yes' | 'no' | 'unknown';

/** Everything that was found out; the same as `rollsnap verify --json` prints. */
export interface Report {
  schema: 'rollsnap.report/1';
  header: ReportHeader | null;
  container: {
    compression: 'gzip' | 'none' | null;
    compressed_bytes: Size | null;
    /** Size of header and archive; null when the file was not read to its end. */
    bytes: Size | null;
    /** SHA-256 of the file in hexadecimal digits, where the command line was asked for it. */
    sha256?: string;
  };
  members: {
    count: Size | null;
    bytes: Size | null;
    /** Whether the end of the archive was seen. */
    complete: boolean;
    /** Only with the option `list`. */
    list?: ListedMember[];
  };
  /** What the context holds, where its objects were read: with the option `consistent`. */
  context?: ContextFacts;
  /** What the store records, where it could be opened: with the option `consistent`. */
  store?: StoreFacts;
  /** None implies another. `unknown`: not checked. */
  verdicts: {
    intact: Verdict;
    consistent: Verdict;
    anchored: Verdict;
    /** Only in reports of the command line, where `--replay` asked for it. */
    replayed?: Verdict;
  };
  /** What was run again; beside `replayed`, where the replay could begin. */
  replay?: ReplayFacts;
  /** Only in reports of the command line, of one of several machines that divide the work. */
  share?: ShareFacts;
  /** What came from where, of a file behind an address. */
  remote?: RemoteFacts;
  checks: Check[];
  /** How many checks are not listed. */
  checks_left_out: Size;
}

/** What came from where. */
export interface RemoteFacts {
  /** The address that was given, without user name, password and query. */
  url: string;
  /** The address that redirects led to, in the same form. */
  final_url: string;
  /** Whether the server sends parts of the file. */
  ranges: boolean;
  /** Which version of the file was read; only where the server sends parts. */
  validator?: Validator;
  /** How many bytes of bodies came. */
  bytes_received: number;
  /** How many requests were made. */
  requests: number;
  /** How many of them because another one had failed. */
  retries: number;
  /** Time from the first answer on, in milliseconds. */
  time_ms: number;
  /** What came from which of its addresses: here from one; none where the server does not send parts. */
  sources: RemoteSource[];
  /** Response headers that would be needed for more, and that the server does not send or show. */
  lacks: string[];
}

/** One of the addresses that a file was read from, in the words of RemoteFacts. */
export interface RemoteSource {
  url: string;
  final_url: string;
  bytes_received: number;
  requests: number;
  retries: number;
  /** Why it was not used, or no more from some time on. Only in reports of the command line. */
  dropped?: string;
  /** Which of its bytes are not those of the file. Only in reports of the command line. */
  damaged?: string;
}

/** What tells one version of a file from another, beside its length. Of `modified` two within a second look the same. */
export type Validator = { etag: string } | { generation: string } | { version: string } | { modified: string } | 'none';

/** Which share a report is of. */
export interface ShareFacts {
  number: number;
  of: number;
  /** Whether all holds that this share had to check for *Consistent*. */
  holds: Verdict;
  /** The objects of the context that begin in its bytes, where the context is divided. */
  context?: {
    /** The same for all shares of the same context. */
    files: string;
    /** How many bytes hold objects. */
    bytes: Size;
    first: Size;
    end: Size;
    /** Whether it checked the whole context. */
    whole: boolean;
  };
}

/** What was run again. */
export interface ReplayFacts {
  scope: string;
  first_level: number;
  head_level: number;
  head: string;
  /** How many blocks follow the first context. */
  of: Size;
  planned: Size;
  /** How many were run and agree. */
  blocks: Size;
  /** A decimal number, which can have more digits than a number. */
  ticks: string;
  runs: Size;
  contexts: Size;
  states: Size;
  commitments: Size;
  outboxes: Size;
  outboxes_missing: Size;
  /** Where several machines share the work. */
  share?: { number: number; of: number; first_level: number; last_level: number };
}

/** What a store records about itself; null where it does not, or where that cannot be read. */
export interface StoreFacts {
  /** 5: `store.sqlite`; 2 to 4: the files below `storage/`. */
  version: number;
  /** Which nodes write it. */
  writers: string;
  history_mode: 'archive' | 'full' | null;
  /** The oldest level whose block has a context on disk. */
  first_level: number | null;
  /** Level of the newest block. */
  head_level: number | null;
  /** Level of the newest block that layer 1 will not take back. */
  finalized_level: number | null;
  /** The last cemented commitment that the node knew: `src1…` */
  last_cemented: string | null;
  /** Its inbox level. */
  last_cemented_level: number | null;
}

/** Objects of the context, and the bytes of their entries. */
export interface Tally {
  count: Size;
  bytes: Size;
}

/** What the files of a context hold. */
export interface ContextFacts {
  objects: Tally;
  contents: Tally;
  directories: Tally;
  /** Inner parts of directories. */
  inner: Tally;
  commits: Tally;
  /** Depth of the deepest tree of inner parts. */
  inner_depth: Size;
  /**
   * What the commit of the head consists of. Null on the command line, where its files are larger
   * than 128 MiB, and where the commit is not there as a whole.
   */
  head: ContextHead | null;
}

/** What one commit consists of. */
export interface ContextHead {
  objects: Tally;
  /** Bytes of its contents alone, without the heads of their entries. */
  content_bytes: Size;
  /** Longest path, in steps. */
  depth: Size;
  /** The largest contents, in bytes. */
  largest: Size;
  /** Directories near the root, each with all that is below it, in the order of paths. */
  subtrees: ContextSubtree[];
  /** Whether there are more of them. */
  subtrees_left_out: boolean;
}

export interface ContextSubtree {
  /** Steps with `/` between them. */
  path: string;
  /** How many steps that are. */
  depth: Size;
  objects: Tally;
}

export interface Member {
  name: string;
  /** Bytes of content. */
  size: Size;
  /** Permission bits. */
  mode: number;
  /** Seconds since 1970. */
  mtime: Size;
  /** Where the content starts in the decompressed stream. */
  offset: Size;
}

export interface ListedMember extends Member {
  /** Hexadecimal; only with the option `digests`. */
  sha256?: string;
}

export interface Check {
  code: string;
  status: 'yes' | 'no' | 'unknown' | 'warning';
  at: Place | null;
  member?: string;
  expected: string | null;
  found: string | null;
  text: string;
}

export type Event =
  | { type: 'header'; header: Header }
  | ({ type: 'member' } & Member)
  | { type: 'member-end'; name: string; size: Size; sha256: string | null }
  /** The archive is complete. */
  | { type: 'end' }
  /** Something is wrong; the inspection goes on as far as it can. */
  | { type: 'problem'; problem: Problem; message: string };

/**
 * A file that is read and written at once: a `FileSystemSyncAccessHandle`, or anything that does the same. It serves one
 * inspection, and stays whoever's it is: close it after `free()`.
 */
export interface TemporaryFile {
  /** Reads from `at` on, and says how many bytes were there. */
  read(into: Uint8Array, options: { at: number }): number;
  /** Writes from `at` on, and says how many bytes. */
  write(bytes: Uint8Array, options: { at: number }): number;
}

export interface InspectorOptions {
  /** Go on after what other tar programs would accept; every such place is still a "no". */
  lenient?: boolean;
  /** SHA-256 of every member, or of those with these names. */
  digests?: boolean | readonly string[];
  /** List the members in the report. */
  list?: boolean;
  /** Most members that are accepted; 4194304 if left out. */
  maxMembers?: number;
  /**
   * Answer *Consistent* as well: finish() reads the store, of version 2 to 5, and checks its chain of
   * blocks. The store is kept until free(), and so is a context of up to 64 MiB; all else still streams by. Only `rollsnap/full` can, the
   * same package with a larger module; elsewhere this is a TypeError.
   */
  consistent?: boolean;
  /**
   * Largest store that is kept for that, in bytes of all its files. Without `temporary` it is kept in memory, and
   * 536870912 (512 MiB) if left out; with it there is no limit if left out. Above it `consistent` stays `unknown`, and a
   * check says why.
   */
  maxStore?: number;
  /**
   * Where store and context go beyond `memory` bytes, and what is known of objects: of any size then. See
   * `openTemporary()`. Space that runs out ends the check, not the inspection: `consistent` stays `unknown`, and a check
   * says why.
   */
  temporary?: TemporaryFile;
  /**
   * The file itself, where it can be read at any offset: of one that is not compressed store and context are read where
   * they stand then, and kept nowhere else. See `readInPlace()`.
   */
  inPlace?: TemporaryFile;
  /** Memory that is taken beside `temporary`, about, in bytes; 67108864 (64 MiB) if left out. */
  memory?: number;
  /** Whether feed() gives events; true if left out. Without them millions of members cost nothing. */
  events?: boolean;
}

/**
 * Takes the content of a member while it is read; `offset` is that of the chunk in the content. The
 * last call has `offset + chunk.length === member.size`; an empty member gives one empty chunk. The
 * checksum of the file comes after its members: content is trusted when the report says Intact.
 */
export type Extract = (chunk: Uint8Array<ArrayBuffer>, member: Member, offset: Size) => void;

/** Reads a snapshot that is pushed in. Its memory does not grow with the file, but see `consistent`. */
export class Inspector implements Disposable {
  constructor(options?: InspectorOptions);
  /** Hands the content of this member to `callback`; to be called before the member comes. */
  extract(name: string, callback: Extract): void;
  /** Takes the next bytes, all of them, of any length. Throws what an Extract throws. */
  feed(bytes: Uint8Array): Event[];
  /** The file has ended. */
  finish(): Report;
  /**
   * What the report would say if layer 1 had cemented this commitment last, with this inbox level:
   * a check of *Anchored*, or undefined if there is nothing to compare. Only after finish(), with
   * `consistent`, whose store stays until free(); else a TypeError.
   */
  compareCemented(hash: string, level: number): Check | undefined;
  /**
   * The level of the origination, whose boot sector can be compared: of a rollup of the kind wasm_2_0_0, after
   * finish(), with `consistent`.
   */
  readonly originationLevel: number | undefined;
  /**
   * What the report would say if layer 1 had this boot sector in the operation that originated the rollup (field
   * `kernel`, as bytes; undefined where no operation of that level originates it), under this protocol: a check of
   * *Anchored*. When, as compareCemented().
   */
  compareOrigination(bootSector: Uint8Array | undefined, protocol?: string): Check;
  /** Events that nobody has taken yet: after finish(), what the end of the file told. */
  events(): Event[];
  /** As soon as it was read. */
  header(): Header | undefined;
  /** The first bytes show that the file is no snapshot: reading on is in vain. */
  readonly isForeign: boolean;
  /** Gives its memory back. Whatever is called afterwards throws a TypeError, a second free() too. */
  free(): void;
  [Symbol.dispose](): void;
}

/** The header, from the first bytes of a file, compressed or not: 64 KiB are plenty. */
export function readHeader(bytes: Uint8Array): Header;

export interface Progress {
  /** Bytes of the file that were read. */
  read: number;
  /** Size of the file, where it is known. */
  total: number | undefined;
}

export interface InspectOptions extends Omit<InspectorOptions, 'events'> {
  /**
   * Aborting rejects with the reason of the signal. The thread is left to others every 50 milliseconds, so that a timer or a
   * button on it can do that. Only the end of an inspection with `consistent`, the check of the store, is one piece.
   */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onHeader?: (header: Header) => void;
  onEvent?: (event: Event) => void;
  /** Members whose content is wanted, by name. */
  extract?: Record<string, Extract>;
  headerOnly?: false;
}

export interface HeaderOptions {
  headerOnly: true;
  signal?: AbortSignal;
}

export interface HeaderOnly {
  header: Header;
  /** Size of the file, where it is known. */
  size: number | undefined;
  /** Only of a file behind an address. */
  remote?: RemoteFacts;
}

export interface RemoteOptions {
  /** What `fetch` is given with every request: `credentials`, `headers`, `referrerPolicy` and so on. */
  request?: Omit<RequestInit, 'method' | 'body' | 'signal' | 'cache'>;
  /** How long a server may bring nothing before it is given up, in milliseconds; 120000 if left out. */
  giveUp?: number;
  /** Hears sentences for people: that a request failed and is made again, what the server leaves out. */
  onNotice?: (text: string, kind: 'retrying' | 'lacking') => void;
}

/** What tells a file from another one behind the same address. */
export interface RemoteIdentity {
  size: number;
  validator: Validator;
}

/**
 * A file behind an address, as its first answer has pinned it. Whatever takes an address takes this as well, and then
 * makes no first request. Every answer is compared with the first: a file that was replaced meanwhile is
 * `remote.changed`, and nothing is mixed.
 */
export interface RemoteFile {
  /** Undefined where it is not known. */
  readonly size: number | undefined;
  /** The first bytes, at most 65536. */
  readonly first: Uint8Array;
  /** Whether it can be read here and there. */
  readonly ranges: boolean;
  /** Undefined where the server does not send parts. A plain object: another thread can open the same file with it. */
  readonly identity: RemoteIdentity | undefined;
  /** What came from where until now. */
  readonly remote: RemoteFacts;
  /** As that of a Blob. The bytes are fetched when they are asked for; up to 16 MiB of them are kept. */
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> };
  /** All of it. Where the server sends parts, a connection that breaks loses nothing. */
  stream(): ReadableStream<Uint8Array>;
  /** The same file, for a reader who stops with this signal. */
  under(signal: AbortSignal | undefined): RemoteFile;
}

/**
 * Opens the file behind an address: one request for its first 64 KiB, with the rules of docs/REMOTE.md. `identity`: that
 * of an earlier opening; another file is `remote.changed`. Codes: any `remote.*`, and `http.cors`, whose `missing` names
 * the response header that the server would have to send. A TypeError for what is no address.
 *
 * A request is made again when a connection breaks or is silent for 30 seconds, and when the server is busy (status 408,
 * 425, 429, 5xx), after 0.5 seconds, doubling up to 30, or as long as `Retry-After` says.
 */
export function openUrl(
  url: string | URL,
  options?: RemoteOptions & { signal?: AbortSignal; identity?: RemoteIdentity | undefined },
): Promise<RemoteFile>;

/**
 * What stands for a file, wherever one is read:
 *
 * - a Blob or a File, bytes, or a RemoteFile: read here and there where that is possible;
 * - an address: a URL, or a string with its protocol, in a page also a relative one;
 * - a stream of bytes, of the web or of Node, or anything that iterates over bytes: read once, from front to end. It is ended
 *   when no more of it is wanted;
 * - in Node, Bun and Deno the path of a file, or a `file:` address.
 */
export type Source =
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | string
  | URL
  | RemoteFile;

/**
 * Inspects a file. With `headerOnly` no more than 64 KiB of it are read; without, all of it, and behind an address it goes on
 * where a connection broke if the server sends parts.
 *
 * Codes of reading: `io.not-found`, `source.changed`, `io.permission`, `io.other`; of an address those of openUrl(). What a
 * stream throws is thrown as it is.
 */
export function inspect(source: Source, options: HeaderOptions & RemoteOptions): Promise<HeaderOnly>;
export function inspect(source: Source, options?: InspectOptions & RemoteOptions): Promise<Report>;

/** Another name of inspect(). */
export const inspectBlob: typeof inspect;
/** Another name of inspect(). */
export const inspectStream: typeof inspect;

/** inspect() for addresses alone: also in Node no path and no `file:` address is read, whoever has chosen the address. */
export function inspectUrl(url: string | URL | RemoteFile, options: HeaderOptions & RemoteOptions): Promise<HeaderOnly>;
export function inspectUrl(url: string | URL | RemoteFile, options?: InspectOptions & RemoteOptions): Promise<Report>;

export interface ListOptions extends RemoteOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  lenient?: boolean;
  maxMembers?: number;
  /** Rather than read all of a file, give undefined. */
  headersOnly?: boolean;
}

/**
 * Lists the members of a file, or of what is behind an address: a Report with `members.list`. Of a file that is not
 * compressed, or that has the index that `rollsnap export` writes, only the headers of members are read; then
 * `verdicts.intact` of a compressed one is `unknown`, and a check says why. The same holds behind an address where
 * ADDRESS.idx, which `rollsnap index` makes, is beside the file. Any other file is read to its end.
 *
 * A span of a file behind an address whose checksum is wrong is fetched again, twice; `gzip.index` then says whether the
 * connection or the file at the provider is damaged.
 */
export function listMembers(source: Source, options?: ListOptions & { headersOnly?: false }): Promise<Report>;
export function listMembers(source: Source, options: ListOptions): Promise<Report | undefined>;

export interface ReadMemberOptions extends RemoteOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  lenient?: boolean;
  /** Read at most so many bytes of the content, for a preview. */
  limit?: number;
}

/**
 * Reads one member of a file and stops there. `sha256` is null with `limit`. Throws `member.unknown`,
 * or `tar.truncated` when the file breaks off in the member.
 *
 * A file is read from its beginning to the end of the member. With a Member instead of a name, from an
 * earlier reading of the same file, only what is needed is read, if the file is not compressed or has
 * the index that `rollsnap export` writes. That index is not believed: what it leads to is proved by
 * checksums, and where that fails the file is read from its beginning.
 *
 * Behind an address that is also done with a name alone, and with an index beside the file. A span whose checksum is wrong
 * ends it there, as listMembers says.
 */
export function readMember(
  source: Source,
  member: string | Pick<Member, 'name' | 'offset'>,
  options?: ReadMemberOptions,
): Promise<MemberContent>;

/** A member that was read. */
export interface MemberContent {
  member: Member;
  content: Blob;
  /** Null where less than all of it was wanted. */
  sha256: string | null;
  /** Only of a file behind an address. */
  remote?: RemoteFacts;
}

export type HashKind =
  | 'rollup'
  | 'commitment'
  | 'state'
  | 'inbox'
  | 'witness'
  | 'message'
  | 'context'
  | 'block'
  | 'protocol'
  | 'slot'
  | 'reveal';

export type HashPrefix = 'sr1' | 'src1' | 'srs1' | 'srib1' | 'srib2' | 'srib3' | 'SRCo' | 'B' | 'P' | 'sh' | 'scrrh1';

/** Hashes and their Base58Check text. Both throw `hash.text`. */
export const hash: {
  decode(text: string): { kind: HashKind; prefix: HashPrefix; hex: string; bytes: Uint8Array<ArrayBuffer> };
  /** 20 bytes for `sr1`, 48 for `sh`, 32 for all others. */
  encode(kind: HashKind | HashPrefix, bytes: Uint8Array): string;
};
