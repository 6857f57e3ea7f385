/**
 * rollsnap/machine: the WASM PVM (`wasm_2_0_0`) of a smart rollup, hash for hash as the nodes compute it. Kernels run in
 * the `WebAssembly` of the browser or of Node.
 *
 * Nothing can interrupt a kernel but the end of its worker: run the machine in a worker, and call `terminate()` when a level
 * takes longer than you want to wait. A kernel can take 4 GiB of memory.
 *
 * What the engine does not tell is refused, never guessed: an error with a code `pvm.refused.…`. V8 has one text for an
 * indirect call of nothing and of a function of another type, which differ for the nodes; and a recursion that is too deep for
 * the stack of the engine may not be for theirs. A worker can have a larger stack (`resourceLimits.stackSizeMb` in Node).
 *
 * @packageDocumentation
 */

import type { RemoteOptions, Report, Source, TemporaryFile } from './rollsnap.mjs';

export type { CodeRow, Report } from './rollsnap.mjs';
export { RollsnapError, codes, init, memoryBytes, version } from './rollsnap.mjs';
export { openTemporary } from './temporary.mjs';

/** What a rollup is originated with. */
export interface Origin {
  /** Of the machine: `2.0.0`, `2.0.0-r1` … `2.0.0-r6`. */
  version: string;
  /** Ticks of a cycle: 11_000_000_000n before Paris, 50_000_000_000_000n since. */
  maxTicks: bigint | number;
  /** Levels of the outbox window: 80640 before Paris, 241920 since. */
  outboxValidityPeriod: number;
  /** Messages of an outbox: 100. */
  outboxMessageLimit: number;
  /** The address, `sr1…`. */
  rollup: string;
  originationLevel: number;
  /** Whose protocols migrate the machine; Octez's if left out. */
  family?: 'octez' | 'mavkit';
}

/** What kernels ask for. Who answers undefined, or is not there, has it not: the level is refused, `pvm.refused.reveal`. */
export interface Reveal {
  /** The bytes with this Blake2b-256 hash; they are compared with it. */
  preImage?(hash: Uint8Array): Uint8Array | undefined;
  /** Number of slots, attestation lag, slot size, page size. */
  dalParameters?(level: number): [number, number, number, number] | undefined;
  /** A page as seen at a level; an empty one where it cannot be imported there. */
  dalPage?(level: number, publishedLevel: number, slot: number, page: number): Uint8Array | undefined;
}

/** What a level did. */
export interface LevelOutcome {
  initialTick: bigint;
  numTicks: bigint;
  currentTick: bigint;
  phase: 'collect' | 'stuck';
  /** How each run of the kernel ended. A kernel that is no kernel is `recovered`: the one before came back. */
  runs: ('returned' | 'trapped' | 'recovered')[];
  /** The messages in the outbox of the level; null where it has none. */
  outbox: Uint8Array[] | null;
}

/** A kernel in a state: length in bytes, Blake2b-256 in hexadecimal digits. */
export interface KernelView {
  size: number | bigint;
  blake2b: string | null;
}

/** A state for people. */
export interface StateView {
  version: string | null;
  phase: string;
  /** The reason of `stuck`, as bytes in hexadecimal digits. */
  stuck?: string;
  current_tick: string;
  last_top_level_call: string;
  max_nb_ticks: string;
  reboot_counter: number;
  maximum_reboots_per_input: number;
  last_message: { level: number; counter: number } | null;
  waiting_messages: number;
  outbox: { last_level: number | null; validity_period: number; message_limit: number };
  kernel: KernelView | null;
  fallback_kernel: KernelView | null;
  flags: { reboot: boolean; stuck: boolean; upgrade_error: boolean; too_many_reboot: boolean };
}

/** A rollup's machine between two levels. */
export class Machine implements Disposable {
  private constructor();
  /** The machine of a rollup that was originated just now with these bytes, the kernel. */
  static genesis(bootSector: Uint8Array, origin: Origin): Machine;
  /** Goes through a level with all its messages. Who throws leaves the machine as it was. */
  level(level: number, messages: readonly Uint8Array[], reveal?: Reveal): LevelOutcome;
  /** The hash of the state, `srs1…`. Nodes compute it after each level, which can change how kernels see the order of keys. */
  stateHash(): string;
  /** The state was stored, which changes the same order. */
  committed(): void;
  view(): StateView;
  /** Gives its memory back. Whatever is called afterwards throws a TypeError, a second free() too. */
  free(): void;
  [Symbol.dispose](): void;
}

/** Which blocks are run: all that follow the first context in the snapshot, if nothing is said. */
export interface Levels {
  /** The first level. */
  from?: number;
  /** The last level. */
  to?: number;
  /** The newest blocks, so many: instead of the others. */
  last?: number;
}

/** What a replay is about to do. */
export interface ReplayPlan {
  /** The level of the first context that is there. */
  firstLevel: number;
  headLevel: number;
  /** How many blocks follow the first context. */
  of: number;
  /** How many of them are run, with those that lead from a context to the first one that was asked for. */
  planned: number;
}

/** A block that was run again and agrees with what the store records. */
export interface BlockRun {
  level: number;
  initialTick: bigint;
  ticks: bigint;
  /** How often the kernel was run. */
  runs: number;
  phase: 'collect' | 'stuck';
  /** The hash of the state after it, `srs1…`. */
  stateHash: string;
  /** Whether the store records that hash, which was compared. */
  state: boolean;
  /** Whether the store names a context for it, which was compared. */
  context: boolean;
  /** Whether the store records outboxes of its level, so that this one was compared. */
  outbox: boolean;
  /** Whether a commitment was made at it, which was compared. */
  commitment: boolean;
}

export interface ReplayOptions extends Levels, RemoteOptions {
  /**
   * Most bytes that the snapshot may have when it is unpacked: all of it is kept. Default: 1 GiB; no more than 4 GiB can be
   * had. It may have 65,536 members. More is refused as soon as it comes, `limit.memory`.
   */
  maxMemory?: number;
  /** Where the snapshot is kept beyond 64 MiB, or beyond `maxMemory` where that is less: of any size then. */
  temporary?: TemporaryFile;
  /**
   * Answers what kernels ask for and the snapshot does not tell: other pre-images, pages of the data availability layer, its
   * parameters under protocols that are not known here.
   */
  reveal?: Reveal;
  /** Other pre-images as they are, where `reveal` has none: by their hashes in hexadecimal digits, or by the names of their files. */
  preimages?: ReadonlyMap<string, Uint8Array> | Readonly<Record<string, Uint8Array>>;
  /** Between two blocks; nothing interrupts a kernel but the end of its worker. */
  signal?: AbortSignal;
  onProgress?(progress: { read: number; total: number | undefined }): void;
  onBegin?(plan: ReplayPlan): void;
  onBlock?(block: BlockRun): void;
}

/**
 * Runs the blocks of a snapshot again, full or compact, and compares everything with what its store records: ticks, states,
 * outboxes, commitments, contexts. The report says what came of it: `verdicts.replayed`, and the checks `replay.…`.
 *
 * Throws a `RollsnapError` for a snapshot that is damaged, and for what is refused before anything is run: another kind than
 * `wasm_2_0_0`, protocols that are not known, more memory than allowed.
 */
export function replay(source: Source, options?: ReplayOptions): Promise<Report>;

/** The same step by step, for who reads the file or shares the processor in another way. */
export class Replayer implements Disposable {
  constructor(options?: { maxMemory?: number; temporary?: TemporaryFile });
  /** Takes the next bytes of the file. Throws a `RollsnapError`, `limit.memory`, as soon as there is more than may be kept. */
  feed(chunk: Uint8Array): void;
  /**
   * The file has ended. Throws a `RollsnapError` for a snapshot that is damaged, for levels that it does not have, and for what
   * is refused before anything is run.
   */
  begin(levels?: Levels): ReplayPlan;
  /** Runs the next block; undefined when all were run, or one does not agree, which the report says. */
  step(reveal?: Reveal): BlockRun | undefined;
  /** What came of it by now. */
  report(): Report;
  /** Gives its memory back. Whatever is called afterwards throws a TypeError, a second free() too. */
  free(): void;
  [Symbol.dispose](): void;
}
