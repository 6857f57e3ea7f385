// A button that takes its time.

import { h, icon } from './dom.js';
import { bytes, sentence } from './format.js';

/** A button with its progress and its failure beside it. */
export function task(label, work) {
  const said = h('span', { class: 'task-said', role: 'status' });
  const button = h('button', { type: 'button' }, label);
  button.addEventListener('click', async () => {
    button.disabled = true;
    said.textContent = 'Reading …';
    const progress = ({ read, total }) =>
      (said.textContent = total ? `Reading … ${Math.floor((100 * read) / total)} %` : `Reading … ${bytes(read)}`);
    try {
      said.textContent = 'Reading …';
      await work({ progress });
      if (said.textContent.startsWith('Reading')) said.textContent = '';
    } catch (failure) {
      // Closing the picker is a decision, not a failure.
      const quiet = failure?.name === 'AbortError' || failure?.kind === 'stopped';
      said.replaceChildren(
        quiet
          ? ''
          : h(
              'span',
              { class: 'task-failed' },
              icon('no'),
              [sentence(failure.title ?? failure.message), failure.text].filter(Boolean).join(': '),
            ),
      );
    } finally {
      button.disabled = false;
    }
  });
  return h('div', { class: 'task' }, button, said);
}
