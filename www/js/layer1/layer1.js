// What the module knows about layer 1, in the page: the rules and texts of the command line, with the browser's `fetch`.
// Nothing is asked before the visitor names a node.

let loading;
let full;

/** Says so to the visitor. */
export class NotLoaded extends Error {}

/** The larger module; it is loaded when somebody asks about layer 1, as most visitors do not. */
export function load() {
  loading ??= import('../../pkg/full/full.mjs')
    .then(async (module) => {
      await module.init();
      full = module;
      return module;
    })
    .catch((error) => {
      // The next click may try again, for instance when the network is back.
      loading = undefined;
      throw new NotLoaded(`The part of this page that knows layer 1 could not be loaded: ${error?.message ?? error}`);
    });
  return loading;
}

/** The answer *Anchored* that these checks give together. Whoever has a check has loaded the module. */
export const together = (checks) => (full && checks.length ? full.anchoredBy(checks) : 'unknown');

/** The address of a node, without what would not be sent or shown; throws a text for people. */
export function endpointOf(text) {
  let url;
  try {
    url = new URL(text.trim());
  } catch {
    throw new Error('This is not an address. Write it as https://node.example or http://127.0.0.1:8732.');
  }
  if (!/^https?:$/.test(url.protocol)) throw new Error('The address must begin with https:// or http://.');
  if (url.username || url.password)
    throw new Error('A browser sends no user name or password that stands in an address: leave it out.');
  if (url.search || url.hash) throw new Error('The address of a node has no ? and no #.');
  return url.href.replace(/\/+$/, '');
}

/** Makes what requests `layer1` has, one after the other. Rejects only when the signal of `node` says stop. */
export async function converse(layer1, node, onProgress = () => {}) {
  for (let request = layer1.nextRequest(); request; request = layer1.nextRequest()) {
    await node.make(request, layer1);
    if (layer1.progress) onProgress(layer1.progress);
  }
}
