// "Last seen": the reports that this browser keeps, and the way to forget them.

import { standing } from '../answer/questions.js';
import { isCompact } from '../answer/words.js';
import { $, announce, h, icon } from '../dom.js';
import { plural } from '../format.js';
import { withReplay } from '../replay/report.js';
import { forgetAll, lastSeen } from './reports.js';

const SHOWN = 8;

/** Draws them into `root`, which is hidden where there are none but `current`; `open(id)` shows one again. */
export async function drawLastSeen(root, { open, current }) {
  const all = (await lastSeen()).filter(({ id }) => id !== current);
  root.hidden = !all.length;
  if (!all.length) return root.replaceChildren();
  const forget = h('button', { type: 'button', class: 'quiet' }, 'Forget all');
  forget.addEventListener('click', async () => {
    const gone = await forgetAll();
    announce(gone ? 'Forgotten.' : 'The browser did not forget them.');
    await drawLastSeen(root, { open, current });
    $(current ? 'result-title' : 'start-title').focus({ preventScroll: true });
  });
  root.replaceChildren(
    h('div', { class: 'panel-head' }, h('h2', { id: `${root.id}-title` }, 'Last seen'), forget),
    h(
      'ul',
      { class: 'seen' },
      all.slice(0, SHOWN).map((kept) => line(kept, open)),
    ),
    h(
      'p',
      { class: 'hint' },
      `${plural(all.length, 'report is', 'reports are')} kept by this browser, not the files. Nothing is sent.`,
    ),
  );
}

function line(kept, open) {
  const { answers } = standing({ report: withReplay(kept.report, kept.replayed), state: {}, ...anchorsOf(kept) });
  const words = Object.entries(answers).map(
    ([key, answer]) => `${key}: ${answer === 'unknown' ? 'not checked' : answer}`,
  );
  return h(
    'li',
    {},
    h(
      'button',
      { type: 'button', class: 'seen-line', onclick: () => open(kept.id) },
      h(
        'span',
        { class: 'seen-marks', 'aria-hidden': 'true' },
        Object.values(answers).map((answer) => h('span', { class: `seen-${answer}` }, icon(answer))),
      ),
      h('span', { class: 'visually-hidden' }, `${words.join(', ')}. `),
      h('span', { class: 'seen-name' }, kept.name),
      isCompact(kept.report) && h('span', { class: 'tag' }, 'compact'),
      h('span', { class: 'seen-when' }, ago(kept.when)),
    ),
  );
}

/** What the kept report says of layer 1, as `standing` wants it. */
export const anchorsOf = ({ anchors, anchoredBy }) => ({
  anchored: [...(anchors.expected?.shown ?? []), ...(anchors.layer1?.shown ?? [])],
  anchoredBy,
});

function ago(when) {
  const days = Math.floor(Date.now() / 864e5) - Math.floor(when / 864e5);
  if (days < 1) return 'today';
  return days === 1 ? 'yesterday' : new Date(when).toISOString().slice(0, 10);
}
