// Whether this browser lends the room that a check of a large file takes; asked before it is read.

import { bytes } from './format.js';

/** What a page holds in memory of a store, without temporary storage: 512 MiB. */
const IN_MEMORY = 512 * 2 ** 20;

/** A sentence for the visitor where *Consistent* may stay open for lack of room, else undefined. `total` is the size of the file. */
export async function roomNote(total) {
  if (!(total > IN_MEMORY)) return undefined;
  const { storage } = navigator;
  const lends = await storage?.getDirectory?.().then(
    () => true,
    () => false,
  );
  if (!lends)
    return `This browser lends the page no temporary storage, as in a private window, so a store of more than ${bytes(IN_MEMORY)} will not be checked inside. Whether the file is intact is found all the same.`;
  const { quota, usage } = await storage.estimate().catch(() => ({}));
  const free = quota - usage;
  if (!(free < total)) return undefined;
  return `The browser lends this page ${bytes(free)} of temporary storage, which may not hold what a check inside takes. Whether the file is intact is found all the same.`;
}
