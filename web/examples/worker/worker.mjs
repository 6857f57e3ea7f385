// The worker: the page stays quick, whatever the size of the file.
import { RollsnapError, inspectBlob } from '../../pkg/web/rollsnap.mjs';

addEventListener('message', async ({ data }) => {
  try {
    const report = await inspectBlob(data.file, { onProgress: (progress) => postMessage({ progress }) });
    postMessage({ report });
  } catch (error) {
    if (!(error instanceof RollsnapError)) throw error;
    postMessage({ error: RollsnapError.toPlain(error) });
  }
});
