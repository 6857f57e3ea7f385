// rollsnap/worker in browsers: the thread starts, passes on what the functions say, and ends on request.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as full from '../../web/pkg/nodejs/full/full.mjs';
import { ROOT, canonical, serve } from '../js/support.mjs';
import { ENGINES, engine, where } from './lib/engines.mjs';

const EXAMPLE = 'www/example.snapshot';

let server;
before(async () => {
  server = await serve();
});
after(() => server.close());

/** Runs in the page. */
async function inPage(address) {
  const { RollsnapError, SnapshotWorker } = await import('/web/pkg/web/worker/worker.mjs');
  const { large } = await import('/tests/js/lib/aborts.mjs');
  const worker = new SnapshotWorker();
  const blob = await (await fetch(address)).blob();
  const bytes = await blob.arrayBuffer();
  const heard = [];
  const reports = [];
  const options = { consistent: true, onHeader: (header) => heard.push(header.head_level) };
  for (const source of [blob, new File([blob], 'my.snapshot'), bytes, new Uint8Array(bytes), blob.stream()])
    reports.push(await worker.inspect(source, options));
  const { remote, ...fetched } = await worker.inspect(address, options);
  reports.push(fetched);
  const { content } = await worker.readMember(blob, 'metadata');
  const { members } = await worker.listMembers(blob);
  const stop = new AbortController();
  const reason = new Error('enough');
  const aborted = await worker
    .inspect(large(), { signal: stop.signal, onProgress: () => stop.abort(reason) })
    .catch((error) => error === reason);
  const lost = await worker.inspect('/nowhere').catch((error) => error instanceof RollsnapError && error.code);
  const blocks = [];
  const replayed = await worker.replay(blob, { last: 2, onBlock: ({ level }) => blocks.push(level) });
  const late = await worker.replay(blob, { blockTimeout: 0 }).catch(({ code }) => code);
  worker.terminate();
  return {
    reports: reports.map((report) => JSON.stringify(report)),
    heard,
    metadata: await content.text(),
    members: members.list.length,
    requests: remote.requests,
    aborted,
    lost,
    blocks,
    replayed: replayed.verdicts.replayed,
    late,
  };
}

for (const name of Object.keys(ENGINES)) {
  const browser = engine(name, { before, after });

  test(`${name}: jobs of a worker`, where(name), async () => {
    const page = await browser().newPage();
    await page.goto(`${server.origin}/web/examples/browser/index.html`);
    const found = await page.evaluate(inPage, `/${EXAMPLE}`);
    await page.close();
    const path = join(ROOT, EXAMPLE);
    const expected = canonical(await full.inspect(path, { consistent: true }));
    const { head_level: head } = JSON.parse(expected).header;
    assert.equal(found.reports.length, 6);
    for (const report of found.reports) assert.equal(canonical(JSON.parse(report)), expected);
    assert.deepEqual(found.heard, Array(6).fill(head));
    assert.equal(found.metadata, await (await full.readMember(path, 'metadata')).content.text());
    const { lost, aborted, blocks, replayed, late, members } = found;
    assert.deepEqual(
      [lost, aborted, blocks, replayed, late],
      ['remote.status', true, [head - 1, head], 'yes', 'pvm.time'],
    );
    assert.equal(members, (await full.listMembers(readFileSync(path))).members.list.length);
  });
}
