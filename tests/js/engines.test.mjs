// The same program in every engine that is here: Bun and Deno are no part of the set-up (CONTRIBUTING.md has the commands).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './support.mjs';

const ENGINES = {
  node: [process.execPath],
  bun: [process.env.BUN || 'bun'],
  deno: [process.env.DENO || 'deno', 'run', '--allow-all'],
};

for (const [name, [program, ...args]] of Object.entries(ENGINES)) {
  const isHere = spawnSync(program, ['--version']).status === 0;
  test(`${name}: readings, their end, and a worker`, { skip: !isHere && `there is no ${name}` }, () => {
    const script = join(ROOT, 'tests/js/lib/engines.mjs');
    const { status, stdout, stderr } = spawnSync(program, [...args, script], { encoding: 'utf8', timeout: 120_000 });
    assert.deepEqual([status, stdout], [0, 'all of it\n'], stderr);
  });
}
