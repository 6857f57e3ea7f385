// node inspect.mjs FILE: what a snapshot says about itself, and whether it is intact.
import { openAsBlob } from 'node:fs';
import { RollsnapError, inspectBlob } from 'rollsnap';

const [path] = process.argv.slice(2);
if (!path) {
  console.error('usage: node inspect.mjs FILE');
  process.exit(2);
}

try {
  const file = await openAsBlob(path);
  const { header } = await inspectBlob(file, { headerOnly: true });
  console.log(`${header.history_mode} snapshot of ${header.rollup_address} at level ${header.head_level}`);

  const report = await inspectBlob(file, {
    onProgress: ({ read, total = read }) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${Math.floor((100 * read) / (total || 1))} %`);
    },
  });
  console.log(`${report.members.count} members; intact: ${report.verdicts.intact}`);
  for (const { status, text } of report.checks) if (status === 'no') console.log(`  ${text}`);
  process.exitCode = report.verdicts.intact === 'yes' ? 0 : 1;
} catch (error) {
  if (!(error instanceof RollsnapError)) throw error;
  console.error(`error: ${error.message}\n${error.advice}`);
  process.exitCode = 3;
}
