// node replay.mjs FILE [BLOCKS]: runs the newest blocks of a snapshot again, each within a minute.
import { RollsnapError, SnapshotWorker } from 'rollsnap/worker';

const [path, blocks = '100'] = process.argv.slice(2);
if (!path) {
  console.error('usage: node replay.mjs FILE [BLOCKS]');
  process.exit(2);
}

const worker = new SnapshotWorker();
try {
  const report = await worker.replay(path, {
    last: Number(blocks),
    blockTimeout: 60_000,
    onBlock: ({ level, ticks }) => console.log(`${level}: ${ticks} ticks`),
  });
  console.log(`replayed: ${report.verdicts.replayed}`);
  for (const { code, status, text } of report.checks)
    if (status !== 'yes' && code.startsWith('replay.')) console.log(`  ${text}`);
  process.exitCode = report.verdicts.replayed === 'yes' ? 0 : 1;
} catch (error) {
  if (!(error instanceof RollsnapError)) throw error;
  console.error(`error: ${error.message}\n${error.advice}`);
  process.exitCode = 3;
}
