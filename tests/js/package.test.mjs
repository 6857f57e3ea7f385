// What an installed package gives: its types, its examples, every way of loading it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as full from '../../web/pkg/nodejs/full/full.mjs';
import * as nodejs from '../../web/pkg/nodejs/rollsnap.mjs';
import * as worker from '../../web/pkg/nodejs/worker/worker.mjs';
import { ROOT, SNAPSHOTS, canonical, fixture } from './support.mjs';

const PLACE = mkdtempSync(join(tmpdir(), 'rollsnap-'));
mkdirSync(join(PLACE, 'node_modules'));
symlinkSync(join(ROOT, 'web/pkg'), join(PLACE, 'node_modules/rollsnap'));
after(() => rmSync(PLACE, { recursive: true }));

for (const project of ['tests/js/types', 'web/examples']) {
  test(`the types of ${project} agree`, () => {
    const tsc = join(ROOT, 'tests/node_modules/.bin/tsc');
    const { status, stdout, stderr } = spawnSync(tsc, ['--project', join(ROOT, project)], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
}

test('the declarations name what the package exports, and nothing else', () => {
  const declared = (path) => {
    const source = readFileSync(join(ROOT, path), 'utf8');
    const own = [...source.matchAll(/^export (?:function|class|const) (\w+)/gm)].map(([, name]) => name);
    const others = [...source.matchAll(/^export \{ (.*) \} from/gm)].flatMap(([, names]) => names.split(', '));
    return [...own, ...others.filter((name) => !name.startsWith('type '))];
  };
  const small = declared('web/js/rollsnap.d.mts');
  assert.deepEqual([...new Set(small)].sort(), Object.keys(nodejs).sort());
  assert.deepEqual(declared('web/js/worker/worker.d.mts').sort(), Object.keys(worker).sort());
  const all = [...small, ...declared('web/js/full/full.d.mts')];
  assert.deepEqual([...new Set(all)].sort(), Object.keys(full).sort());
});

test('each module is there once', () => {
  const modules = readdirSync(join(ROOT, 'web/pkg'), { recursive: true }).filter((path) => path.endsWith('.wasm'));
  assert.deepEqual(
    modules.sort(),
    ['full', 'machine', ''].map((flavour) => join('web', flavour, 'rollsnap_bg.wasm')),
  );
});

test('every name of the package leads to a file', () => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'web/pkg/package.json'), 'utf8'));
  const files = Object.values(exports).flatMap((to) => (typeof to === 'string' ? [to] : Object.values(to)));
  for (const file of files) assert.ok(existsSync(join(ROOT, 'web/pkg', file)), file);
});

test('publint and attw find nothing', () => {
  const tool = (name, ...args) =>
    spawnSync(join(ROOT, 'tests/node_modules/.bin', name), args, { encoding: 'utf8', cwd: PLACE });
  const packed = spawnSync('npm', ['pack', '--silent', join(ROOT, 'web/pkg')], { encoding: 'utf8', cwd: PLACE });
  assert.equal(packed.status, 0, packed.stderr);
  const file = join(PLACE, packed.stdout.trim());
  for (const found of [tool('publint', '--strict', file), tool('attw', '--profile', 'esm-only', '--no-color', file)])
    assert.equal(found.status, 0, found.stdout + found.stderr);
});

test('the example for Node', () => {
  cpSync(join(ROOT, 'web/examples/node/inspect.mjs'), join(PLACE, 'inspect.mjs'));
  const run = (file) => spawnSync(process.execPath, [join(PLACE, 'inspect.mjs'), file], { encoding: 'utf8' });
  const good = run(join(SNAPSHOTS, 'archive.gz'));
  assert.equal(
    good.stdout,
    'archive snapshot of sr1RfS3sHiBuDXh7zwJsVVeW6zLZu9fRsGWm at level 1023\n38 members; intact: yes\n',
  );
  assert.equal(good.status, 0, good.stderr);
  const cut = join(PLACE, 'cut.gz');
  writeFileSync(cut, fixture('archive.gz').subarray(0, 60000));
  assert.equal(run(cut).status, 1);
  const other = run(join(SNAPSHOTS, 'snapshots.json'));
  assert.match(other.stderr, /^error: this is not a rollup node snapshot.*a JSON text/);
  assert.equal(other.status, 3);
});

test('the example of a replay', () => {
  cpSync(join(ROOT, 'web/examples/node/replay.mjs'), join(PLACE, 'replay.mjs'));
  const file = join(ROOT, 'tests/fixtures/replay/r5-sparse.head.snapshot.gz');
  const run = (...args) => spawnSync(process.execPath, [join(PLACE, 'replay.mjs'), ...args], { encoding: 'utf8' });
  const { blocks } = JSON.parse(readFileSync(join(ROOT, 'tests/fixtures/replay/r5-sparse.expect.json'), 'utf8'));
  const truth = Object.values(blocks)
    .toSorted((a, b) => a.level - b.level)
    .slice(-2);
  const good = run(file, '2');
  const lines = good.stdout.split('\n').filter((line) => truth.some(({ level }) => line.startsWith(`${level}:`)));
  assert.deepEqual(
    lines,
    truth.map(({ level, num_ticks }) => `${level}: ${num_ticks} ticks`),
    good.stderr,
  );
  assert.match(good.stdout, /\nreplayed: yes\n$/);
  assert.equal(good.status, 0);
  assert.equal(run('/nowhere').status, 3);
});

// The other two ways of loading, without a browser: what they need of one is little.
const PROBE = `
  const bytes = new Uint8Array(await (await import('node:fs/promises')).readFile(process.argv[2]));
  console.log(JSON.stringify(await inspectBlob(new Blob([bytes]), { list: true })));`;

test('each way of loading gives the same report', async () => {
  const file = join(SNAPSHOTS, 'archive.gz');
  const expected = canonical(await nodejs.inspectBlob(new Blob([fixture('archive.gz')]), { list: true }));
  const probe = (name, text, ...flags) => {
    const script = join(PLACE, name);
    writeFileSync(script, text + PROBE);
    const out = execFileSync(process.execPath, ['--no-warnings', ...flags, script, file], { encoding: 'utf8' });
    assert.equal(canonical(JSON.parse(out)), expected, name);
  };
  const module = JSON.stringify(join(ROOT, 'web/pkg/web/rollsnap_bg.wasm'));
  probe(
    'web.mjs',
    `
    import { init, inspectBlob } from 'rollsnap/web';
    import { readFileSync } from 'node:fs';
    await init(readFileSync(${module}));`,
  );
  probe('bundler.mjs', `import { inspectBlob } from 'rollsnap/bundler';`, '--experimental-wasm-modules');
  probe('node.mjs', `import { inspectBlob } from 'rollsnap';`);
});
