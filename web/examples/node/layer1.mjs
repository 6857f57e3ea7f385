// node layer1.mjs FILE ENDPOINT: is a snapshot anchored, as a node of layer 1 says? With your own fetch.
import { openAsBlob } from 'node:fs';
import { Inspector, Layer1, anchoredBy } from 'rollsnap/full';

const [path, endpoint] = process.argv.slice(2);
if (!endpoint) {
  console.error('usage: node layer1.mjs FILE ENDPOINT');
  process.exit(2);
}

const inspector = new Inspector({ consistent: true });
for await (const chunk of (await openAsBlob(path)).stream()) inspector.feed(chunk);
const report = inspector.finish();

const layer1 = new Layer1(report.header, endpoint);
if (inspector.originationLevel !== undefined) layer1.askOrigination(inspector.originationLevel);
for (let request = layer1.nextRequest(); request; request = layer1.nextRequest()) await make(request);

// What layer 1 said, held against the store of the snapshot.
const { published, cemented, originated } = layer1;
const checks = [published.check];
if (cemented)
  checks.push('check' in cemented ? cemented.check : inspector.compareCemented(cemented.hash, cemented.level));
if (originated)
  checks.push(
    'check' in originated ? originated.check : inspector.compareOrigination(originated.bootSector, originated.protocol),
  );

const found = checks.filter(Boolean);
console.log(`Anchored: ${anchoredBy(found)}`);
for (const { code, status, text } of found) console.log(`  ${code}: ${status}: ${text.replaceAll('\n', ': ')}`);
process.exitCode = anchoredBy(found) === 'yes' ? 0 : 1;

/** @param {import('rollsnap/full').Layer1Request} request */
async function make({ path, maxBytes }) {
  try {
    const response = await fetch(endpoint + path, { redirect: 'manual', signal: AbortSignal.timeout(30_000) });
    const parts = [];
    let size = 0;
    for await (const part of response.body ?? []) {
      parts.push(part);
      size += part.length;
      if (size > maxBytes) return layer1.tooLong();
    }
    const { status, headers } = response;
    layer1.answer(status, Buffer.concat(parts), headers.get('location') ?? undefined, headers.has('www-authenticate'));
  } catch (error) {
    // What Node says of a connection is the cause of what it says of the request.
    const { message, cause } = /** @type {Error & { cause?: Error }} */ (error);
    layer1.failed(cause?.message || message);
  }
}
