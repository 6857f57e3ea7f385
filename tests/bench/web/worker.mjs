// Runs one way over the file and tells how long it took and how many bytes came out.

import * as full from '../../../web/pkg/web/full/rollsnap.mjs';
import { init, inspectBlob } from '../../../web/pkg/web/rollsnap.mjs';
import { Gunzip } from '../../node_modules/fflate/esm/browser.js';
import { Inflate } from '../../node_modules/pako/dist/pako.mjs';

const WAYS = {
  async rollsnap(file) {
    const report = await inspectBlob(file);
    if (report.verdicts.intact !== 'yes') throw new Error(JSON.stringify(report.checks));
    return report.container.bytes;
  },
  async consistent(file) {
    const report = await full.inspectBlob(file, { consistent: true });
    if (report.verdicts.intact !== 'yes' || !report.context) throw new Error(JSON.stringify(report.checks));
    return report.container.bytes;
  },
  DecompressionStream: (file) => drain(file.stream().pipeThrough(new DecompressionStream('gzip'))),
  async fflate(file) {
    let bytes = 0;
    const gunzip = new Gunzip((chunk) => (bytes += chunk.length));
    await drain(file.stream(), (chunk) => gunzip.push(chunk));
    gunzip.push(new Uint8Array(), true);
    return bytes;
  },
  async pako(file) {
    let bytes = 0;
    const inflate = new Inflate();
    inflate.onData = (chunk) => (bytes += chunk.length);
    await drain(file.stream(), (chunk) => inflate.push(chunk));
    if (inflate.err) throw new Error(inflate.msg);
    return bytes;
  },
};

async function drain(stream, each = () => {}) {
  const reader = stream.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes += value.length;
    each(value);
  }
}

addEventListener('message', async ({ data: { way, file } }) => {
  try {
    await Promise.all([init(), full.init()]);
    const start = performance.now();
    const bytes = await WAYS[way](file);
    postMessage({ bytes, seconds: (performance.now() - start) / 1000 });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
