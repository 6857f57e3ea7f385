// The page: hands the file to a thread and shows what comes back. The file is not copied, and the page stays quick.
import { RollsnapError, SnapshotWorker } from '../../pkg/web/worker/worker.mjs';

const input = document.querySelector('input');
const bar = document.querySelector('progress');
const output = document.querySelector('pre');
const worker = new SnapshotWorker();
let stop = new AbortController();

input.addEventListener('change', async () => {
  // Another file takes the place of one that is being read.
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  try {
    const report = await worker.inspect(input.files[0], {
      signal,
      onProgress: ({ read, total }) => {
        bar.value = read / (total || 1);
      },
    });
    output.textContent = JSON.stringify(report, null, 2);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof RollsnapError)) throw error;
    output.textContent = `${error.message}\n${error.advice}`;
  }
});
