// The Explorer: what an inspection has kept, looked at, and compared with what sqlite3 says of the directory it came from.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Explorer, Inspector, checkProof } from '../../web/pkg/nodejs/full/full.mjs';
import { ROOT } from './support.mjs';

const room = join(ROOT, 'tests/fixtures/data-dir');

/** The rows of a query to the store of the directory, up to the last level of its snapshot. */
function sqlite(query) {
  const place = mkdtempSync(join(tmpdir(), 'rollsnap-'));
  try {
    execFileSync('tar', ['-xf', join(room, 'v5-full.tar'), '-C', place, '--strip-components=1']);
    return JSON.parse(execFileSync('sqlite3', ['-readonly', '-json', join(place, 'store.sqlite'), query]));
  } finally {
    rmSync(place, { recursive: true });
  }
}

const inspector = new Inspector({ consistent: true });
inspector.feed(new Uint8Array(readFileSync(join(room, 'v5-full.finalized.snapshot.gz'))));
assert.throws(() => new Explorer(inspector), TypeError);
inspector.finish();
const explorer = new Explorer(inspector);

test('levels are those of the store', () => {
  const expected = sqlite(
    'SELECT l.level, block_hash AS block, context, num_ticks AS ticks FROM l2_levels l JOIN l2_blocks b USING (block_hash) ORDER BY 1',
  );
  const found = [];
  explorer.levels(undefined, undefined, ({ level, block, context, ticks }) => {
    found.push({ level, block, context, ticks });
  });
  assert.deepEqual(found, expected.slice(0, 18));
  const two = [];
  explorer.levels(2000015, undefined, ({ level }) => two.push(level) < 2);
  assert.deepEqual(two, [2000015, 2000016]);
});

test('a state is that of its commitment, and a proof of it holds', () => {
  const [{ state }] = sqlite('SELECT compressed_state AS state FROM commitments WHERE inbox_level = 2000015');
  assert.equal(explorer.state(2000015).state_hash, state);
  const proof = explorer.prove(2000015, ['/zero', '/nothing']);
  const { keys, ...of } = checkProof(proof, ['/zero', '/nothing', '/state/far']);
  assert.deepEqual(of, { state_hash: state, leads_to: null });
  assert.deepEqual(
    keys.map(({ answer }) => answer),
    ['present', 'absent', 'hidden'],
  );
  proof[100] ^= 1;
  assert.throws(() => checkProof(proof), { name: 'RollsnapError' });
});

test('keys are listed, read and compared', () => {
  const { entries, next } = explorer.list(2000015, '/', 0, 2);
  assert.deepEqual([entries.map(({ name }) => name), next], [['kernel', 'readonly'], 2]);
  const { size, bytes } = explorer.read(2000015, '/kernel/boot.wasm', 4096, 10);
  assert.deepEqual([size, bytes.length], [5000, 10]);
  const same = explorer.diff(2000015, 2000015, '/', 9, assert.fail, explorer.other());
  assert.deepEqual(same, { added: 0, removed: 0, changed: 0, complete: true });
  assert.throws(() => explorer.list(1, '/', 0, 1), { code: 'level.unavailable' });
  assert.throws(() => explorer.read(2000015, '/nope', 0, 1), { code: 'context.path' });
});

test('tables are shown as they are', () => {
  assert.ok(explorer.tables().some(({ name }) => name === 'l2_blocks'));
  const [first] = sqlite('SELECT level, block_hash FROM l2_levels ORDER BY 1 LIMIT 1');
  const { columns, rows, next } = explorer.rows('l2_levels', undefined, 1);
  assert.deepEqual([columns, rows[0]], [Object.keys(first), Object.values(first)]);
  assert.equal(explorer.rows('l2_levels', next, 1).rows[0][0], first.level + 1);
});
