// Compiled, never run: what rollsnap/worker allows and refuses.
import type { Header, Report } from 'rollsnap';
import { RollsnapError, SnapshotWorker } from 'rollsnap/worker';

using worker = new SnapshotWorker();
const { signal } = new AbortController();

const report: Report = await worker.inspect(new Blob(), {
  consistent: true,
  temporary: false,
  signal,
  onProgress: ({ read, total }) => void [read.toFixed(), total?.toFixed()],
  extract: { metadata: (chunk) => void chunk.length },
});
const header: Header = (await worker.inspect('https://example.org/snapshot', { headerOnly: true })).header;
const listed: Report = await worker.listMembers(new Uint8Array(1));
const cheap: Report | undefined = await worker.listMembers('file.snapshot', { headersOnly: true });
const content: Blob = (await worker.readMember(new Blob().stream(), 'metadata', { limit: 10 })).content;
const replayed: Report = await worker.replay(new Blob(), {
  last: 10,
  blockTimeout: 60_000,
  preimages: { '00ab': new Uint8Array(1) },
  onBlock: ({ level, ticks, stateHash }) => void [level.toFixed(), ticks.toString(), stateHash.concat()],
});
// @ts-expect-error a function cannot be called from another thread
await worker.replay(new Blob(), { reveal: {} });
// @ts-expect-error the thread opens it itself
await worker.inspect(new Blob(), { temporary: { read: () => 0, write: () => 0 } });
// @ts-expect-error a file that this thread has opened; its address is a source
await worker.inspect(await (await import('rollsnap')).openUrl('https://example.org/snapshot'));
const error: unknown = undefined;
if (error instanceof RollsnapError) error.code.concat();
worker.terminate();
void [report, header, listed, cheap, content, replayed];
