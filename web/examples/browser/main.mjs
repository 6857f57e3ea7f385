// Inspects a chosen file on the main thread: good for a header, and for files of a few hundred MB.
import { RollsnapError, inspectBlob } from '../../pkg/web/rollsnap.mjs';

const input = document.querySelector('input');
const cancel = document.querySelector('button');
const output = document.querySelector('pre');

input.addEventListener('change', async () => {
  const [file] = input.files ?? [];
  if (!file) return;
  const control = new AbortController();
  cancel.onclick = () => control.abort();
  cancel.disabled = false;
  try {
    const report = await inspectBlob(file, {
      signal: control.signal,
      onHeader: (header) => (output.textContent = `${header.history_mode} at level ${header.head_level}`),
      onProgress: ({ read, total }) => (document.title = `${read} of ${total} bytes`),
    });
    output.textContent = JSON.stringify(report, null, 2);
  } catch (error) {
    if (control.signal.aborted) output.textContent = 'cancelled';
    else if (error instanceof RollsnapError) output.textContent = `${error.message}\n${error.advice}`;
    else throw error;
  } finally {
    cancel.disabled = true;
  }
});
