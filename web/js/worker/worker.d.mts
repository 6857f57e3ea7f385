/**
 * rollsnap/worker: what `rollsnap`, `rollsnap/full` and `rollsnap/machine` do, in a thread of its own, so that no page and no
 * server is held up: in browsers, Node, Bun and Deno.
 *
 * ```js
 * import { SnapshotWorker } from 'rollsnap/worker';
 *
 * const worker = new SnapshotWorker();
 * const report = await worker.inspect(file, { consistent: true, signal, onProgress: ({ read, total }) => {} });
 * ```
 *
 * A thread does one job after another; make several for several at once. What aborts a job is heard within 300 milliseconds
 * whatever it does: a thread that does not listen, in the check of a large store or in a kernel, is ended, and the next job
 * starts another. Nothing has to be loaded before, and a process of Node does not wait for a thread without a job.
 *
 * @packageDocumentation
 */

import type { BlockRun, Levels, ReplayPlan } from '../machine/machine.mjs';
import type {
  HeaderOnly,
  HeaderOptions,
  InspectOptions,
  ListOptions,
  Member,
  MemberContent,
  ReadMemberOptions,
  RemoteFile,
  RemoteIdentity,
  RemoteOptions,
  Report,
  Source,
} from '../rollsnap.mjs';

export { RollsnapError } from '../rollsnap.mjs';

/**
 * What stands for a file. Of a Blob and of an address the thread reads the bytes itself, bytes are copied to it, and the chunks
 * of a stream are handed over one by one.
 */
export type WorkerSource = Exclude<Source, RemoteFile>;

/** What every job takes. */
export interface Opening {
  /** That of an earlier opening of the same address: another file is `remote.changed`. */
  identity?: RemoteIdentity;
}

/**
 * As on one thread, but callbacks are called a little later, several together. `consistent` needs no other import here.
 */
export interface WorkerInspectOptions extends Omit<InspectOptions, 'temporary' | 'inPlace'>, RemoteOptions, Opening {
  /**
   * Whether what does not fit into memory goes to a temporary file, with `consistent`; true if left out. See openTemporary() of
   * `rollsnap/full`.
   */
  temporary?: boolean;
}

export interface WorkerReplayOptions extends Levels, RemoteOptions, Opening {
  /** See ReplayOptions of `rollsnap/machine`. */
  maxMemory?: number;
  /** Pre-images that the snapshot does not have: by their hashes in hexadecimal digits, or by the names of their files. */
  preimages?: ReadonlyMap<string, Uint8Array> | Readonly<Record<string, Uint8Array>>;
  /** Whether what does not fit into memory goes to a temporary file; true if left out. */
  temporary?: boolean;
  /**
   * Longest time that one block may take, in milliseconds; without end if left out. Of a longer one the thread is ended, and
   * `pvm.time` is thrown.
   */
  blockTimeout?: number;
  signal?: AbortSignal;
  onProgress?(progress: { read: number; total: number | undefined }): void;
  onBegin?(plan: ReplayPlan): void;
  onBlock?(block: BlockRun): void;
}

/** A thread that reads snapshots. It is started by its first job. */
export class SnapshotWorker implements Disposable {
  /** As inspect() of `rollsnap/full`. */
  inspect(source: WorkerSource, options: HeaderOptions & RemoteOptions & Opening): Promise<HeaderOnly>;
  inspect(source: WorkerSource, options?: WorkerInspectOptions): Promise<Report>;
  /** As listMembers() of `rollsnap`. */
  listMembers(source: WorkerSource, options?: ListOptions & Opening & { headersOnly?: false }): Promise<Report>;
  listMembers(source: WorkerSource, options: ListOptions & Opening): Promise<Report | undefined>;
  /** As readMember() of `rollsnap`. */
  readMember(
    source: WorkerSource,
    member: string | Pick<Member, 'name' | 'offset'>,
    options?: ReadMemberOptions & Opening,
  ): Promise<MemberContent>;
  /** As replay() of `rollsnap/machine`. A kernel that never ends is stopped by `blockTimeout`, or by aborting `signal`. */
  replay(source: WorkerSource, options?: WorkerReplayOptions): Promise<Report>;
  /** Ends the thread. Jobs that are not done reject with an `AbortError`, and so do later ones. */
  terminate(): void;
  [Symbol.dispose](): void;
}
