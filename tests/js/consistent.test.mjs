// Consistent, in JavaScript: the same report as the command line gives, which reads the database
// with SQLite.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectBlob } from '../../web/pkg/nodejs/full/rollsnap.mjs';
import { ROOT } from './support.mjs';

const files = ['data-dir', 'snapshot'].flatMap((room) => {
  const directory = join(ROOT, 'tests/fixtures', room);
  return readdirSync(directory).filter((name) => /\.(gz|uncompressed)$/.test(name)).map((name) => join(directory, name));
});

/** What the command line says, without what it says of layer 1 and of its own run. */
function commandLine(file) {
  return new Promise((resolve, reject) => {
    execFile(join(ROOT, 'target/debug/rollsnap'), ['verify', '--json', file], (error, stdout) => {
      if (!stdout) return reject(error);
      const { failures, phases, ...report } = JSON.parse(stdout);
      report.checks = report.checks.filter(({ code }) => code !== 'l1.commitment');
      return resolve(report);
    });
  });
}

test('there are snapshots of every kind', () => {
  assert.ok(files.length >= 12);
  assert.ok(files.filter((name) => name.includes('/v5')).length >= 3);
});

for (const file of files) {
  test(file.slice(ROOT.length), async () => {
    const report = await inspectBlob(new Blob([readFileSync(file)]), { consistent: true });
    assert.deepEqual(JSON.parse(JSON.stringify(report)), await commandLine(file));
    if (file.includes('/v5')) assert.equal(report.verdicts.consistent, 'yes');
  });
}

test('a store above the bound is left open, and a check says why', async () => {
  const blob = new Blob([readFileSync(files.find((name) => name.includes('/v5-archive')))]);
  const report = await inspectBlob(blob, { consistent: true, maxStore: 4096 });
  assert.deepEqual(report.verdicts, { intact: 'yes', consistent: 'unknown', anchored: 'unknown' });
  assert.ok(report.checks.some(({ status, text }) => status === 'unknown' && text.includes('at most 4096 are kept in memory')));
  for (const maxStore of [-1, 1.5, '9']) await assert.rejects(inspectBlob(blob, { maxStore }), TypeError);
});
