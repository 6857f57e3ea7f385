import type { TemporaryFile } from './rollsnap.mjs';

/** A temporary file of one's own. */
export interface OpenTemporaryFile extends TemporaryFile {
  /** How far it was written, in bytes. */
  readonly size: number;
  /** Gives the space back. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * A file for the option `temporary`. In the dedicated worker of a browser it is in the storage of the site (OPFS); in Node,
 * Bun and Deno a file without a name in `directory`, or in that of the system. `undefined` where there is none: on the main
 * thread of a page, and where a browser keeps nothing for a site, as in private windows. What a tab has left that was closed
 * is removed by the next call.
 *
 * ```js
 * const temporary = await openTemporary();
 * const report = await inspectBlob(file, { consistent: true, temporary });
 * await temporary?.close();
 * ```
 */
export function openTemporary(options?: { directory?: string }): Promise<OpenTemporaryFile | undefined>;

/**
 * A Blob for the option `inPlace`, in a worker of a browser (`FileReaderSync`); `undefined` elsewhere. `inspectBlob()` does so
 * by itself.
 */
export function readInPlace(blob: Blob): TemporaryFile | undefined;
