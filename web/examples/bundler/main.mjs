// Bundled by: esbuild main.mjs --bundle --format=esm --loader:.wasm=file --outdir=dist
// The bundler copies the module beside the bundle and says here under which name.
import { init, inspectBlob } from 'rollsnap';
import module from 'rollsnap/rollsnap_bg.wasm';

await init(new URL(module, import.meta.url));

const snapshot = await fetch(new URL(location.hash.slice(1), location.href));
const report = await inspectBlob(await snapshot.blob());
document.querySelector('pre').textContent = JSON.stringify(report, null, 2);
