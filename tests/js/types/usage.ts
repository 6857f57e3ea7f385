// Compiled, never run: the declarations allow what the package does, and refuse what it does not.
import {
  type Check,
  type Event,
  type Header,
  Inspector,
  type Report,
  RollsnapError,
  type Size,
  codes,
  hash,
  init,
  inspectBlob,
  inspectStream,
  inspectUrl,
  listMembers,
  memoryBytes,
  openUrl,
  readHeader,
  readMember,
  version,
} from 'rollsnap';
import { Layer1, anchoredBy, notAsked } from 'rollsnap/full';
import { type LevelOutcome, Machine, type Origin } from 'rollsnap/machine';

await init();
await init(new URL('rollsnap_bg.wasm', import.meta.url));
const text: string = version() + codes()[0]?.title;
const held: number = memoryBytes();

const header: Header = readHeader(new Uint8Array(65536));
const compression: 'gzip' | 'none' = header.compression;
// @ts-expect-error a header cannot be read from a text
readHeader('text');

{
  using inspector = new Inspector({ lenient: true, digests: ['metadata'], list: true, maxMembers: 10, events: true });
  inspector.extract('metadata', (chunk, member, offset) => void [chunk.length, member.size, offset]);
  const events: Event[] = inspector.feed(new Uint8Array(1));
  for (const event of events) {
    if (event.type === 'member') text.concat(event.name);
    if (event.type === 'problem') text.concat(event.problem.code, event.message);
    // @ts-expect-error not every event has a name
    event.name;
  }
  const report: Report = inspector.finish();
  if (report.header) {
    const compared: Check | undefined = inspector.compareCemented('src1', report.header.head_level);
    // @ts-expect-error there may be nothing to compare
    compared.status;
  }
  const subtrees: Size[] | undefined = report.context?.head?.subtrees.map(({ objects }) => objects.bytes);
  // @ts-expect-error the context may not have been read
  report.context.head;
  const bytes: Size | null = report.container.bytes;
  // @ts-expect-error it may be a bigint
  const wrong: number | null = report.container.bytes;
  void [subtrees, bytes, wrong];
}

{
  const origin: Origin = {
    version: '2.0.0-r5',
    maxTicks: 50_000_000_000_000n,
    outboxValidityPeriod: 241_920,
    outboxMessageLimit: 100,
    rollup: 'sr1',
    originationLevel: 1,
  };
  using machine = Machine.genesis(new Uint8Array(8), origin);
  const outcome: LevelOutcome = machine.level(2, [new Uint8Array(2)], { preImage: () => undefined });
  const ticks: bigint = outcome.numTicks;
  // @ts-expect-error a level may have no outbox
  outcome.outbox.length;
  // @ts-expect-error a machine begins with an origination
  new Machine();
  // @ts-expect-error the window has a length
  Machine.genesis(new Uint8Array(8), { version: '2.0.0' });
  const compared: Check = new Inspector().compareOrigination(undefined, 'Ps');
  void [ticks, compared, machine.view().kernel?.blake2b];
}

{
  using layer1 = new Layer1(header, 'https://node.example');
  const path: string | undefined = layer1.nextRequest()?.path;
  layer1.answer(200, new Uint8Array(1), undefined, true);
  layer1.failed('no network', 'http.cors', 'title');
  layer1.askOrigination(7);
  const { published, cemented, originated, progress } = layer1;
  if (published) anchoredBy([published.check, notAsked('not yet')]);
  if (cemented && 'hash' in cemented) cemented.hash.concat(String(cemented.level));
  if (originated && 'bootSector' in originated) void originated.bootSector?.length;
  // @ts-expect-error it may not be known yet
  progress.done;
  // @ts-expect-error a body is no text
  layer1.answer(200, 'text');
  void path;
}

const blob = new Blob();
const { signal } = new AbortController();
const report: Report = await inspectBlob(blob, {
  signal,
  list: true,
  onProgress: ({ read, total }) => void [read.toFixed(), total?.toFixed()],
  extract: { metadata: (chunk) => void chunk },
});
const { size } = await inspectBlob(blob, { headerOnly: true, signal });
const streamed: Report = await inspectStream(blob.stream());
const fetched: Report = await inspectUrl('https://example.org/snapshot', { signal });
const first: Header = (await inspectUrl(new URL('https://example.org/snapshot'), { headerOnly: true })).header;
const content: Blob = (await readMember(blob, 'metadata', { limit: 10 })).content;
const listed: number | undefined = (await listMembers(blob, { lenient: true })).members.list?.length;
await readMember(blob, { name: 'metadata', offset: 570 });
{
  const file = await openUrl('https://example.org/snapshot', {
    request: { credentials: 'omit' },
    giveUp: 1000,
    signal,
  });
  const cheap: Report | undefined = await listMembers(file, { headersOnly: true, onNotice: (text) => text.concat() });
  // @ts-expect-error it may be there only at the price of the whole file
  cheap.members.list;
  const { content, remote } = await readMember(file.under(signal), 'metadata');
  const requests: number | undefined = remote?.requests;
  await openUrl('https://example.org/snapshot', { identity: file.identity });
  // @ts-expect-error every request is a GET or HEAD
  await openUrl('https://example.org/snapshot', { request: { method: 'POST' } });
  void [content, requests];
}
// @ts-expect-error events are chosen by onEvent here
await inspectBlob(blob, { events: true });

const bytes: Uint8Array = hash.decode('sr1').bytes;
hash.encode('sr1', bytes);
// @ts-expect-error there is no such kind
hash.encode('sr2', bytes);

const error: unknown = undefined;
if (error instanceof RollsnapError) {
  const plain = RollsnapError.toPlain(error);
  throw new RollsnapError(plain);
}
void [listed, held, compression, size, streamed, fetched, first, content, report];
