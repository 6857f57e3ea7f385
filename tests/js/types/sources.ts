// Compiled, never run: what may stand for a file.
import { type Report, type Source, inspect, listMembers, readMember } from 'rollsnap';
import { type BlockRun, replay } from 'rollsnap/machine';

declare const pieces: AsyncGenerator<Uint8Array>;
const all: Source[] = [
  new Blob(),
  new File([], 'rollup.snapshot'),
  new Uint8Array(1),
  new DataView(new ArrayBuffer(1)),
  new ArrayBuffer(1),
  new Blob().stream(),
  pieces,
  [new Uint8Array(1)],
  'https://example.org/rollup.snapshot',
  new URL('https://example.org/rollup.snapshot'),
];
for (const source of all) {
  const report: Report = await inspect(source, { list: true, giveUp: 1000 });
  const size: number | undefined = (await inspect(source, { headerOnly: true })).size;
  const listed: Report = await listMembers(source);
  const sha256: string | null = (await readMember(source, 'metadata')).sha256;
  const blocks: BlockRun[] = [];
  const replayed: Report = await replay(source, {
    last: 1,
    preimages: new Map(),
    onBlock: (block) => blocks.push(block),
  });
  void [report, size, listed, sha256, replayed];
}
// @ts-expect-error texts are no bytes
await inspect(['text']);
// @ts-expect-error a number is no file
await inspect(7);
