// The page: hands the file to the worker and shows what comes back. The file is not copied.
const input = document.querySelector('input');
const bar = document.querySelector('progress');
const output = document.querySelector('pre');
const worker = new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' });

input.addEventListener('change', () => worker.postMessage({ file: input.files?.[0] }));

worker.addEventListener('message', ({ data }) => {
  if (data.progress) bar.value = data.progress.read / (data.progress.total || 1);
  if (data.report) output.textContent = JSON.stringify(data.report, null, 2);
  if (data.error) output.textContent = `${data.error.message}\n${data.error.advice}`;
});
