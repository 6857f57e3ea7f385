// What the store records about itself: which kind it is, and how far it reaches.

import { fact } from '../answer/claims.js';
import { h } from '../dom.js';
import { count, plural } from '../format.js';

/** Draws the panel of `store`, of a report. */
export function drawStore(root, store) {
  const {
    version,
    writers,
    history_mode,
    first_level,
    head_level,
    finalized_level,
    last_cemented,
    last_cemented_level,
  } = store;
  const said = (value, text) => ({ copy: false, text: value === null ? 'not recorded' : text });
  const level = (value, more) => ({ ...said(value, value === null ? '' : count(value)), more });
  root.replaceChildren(
    h(
      'dl',
      { class: 'facts' },
      fact('Version', 'store_version', version, { copy: false, text: String(version), more: writers }),
      fact('Oldest level', 'store_first_level', first_level, level(first_level, reach(first_level, head_level))),
      fact('Newest level', 'store_head_level', head_level, level(head_level, 'its head')),
      fact(
        'Finalized level',
        'store_finalized_level',
        finalized_level,
        level(finalized_level, 'layer 1 does not take it back'),
      ),
      fact('Last cemented', 'store_last_cemented', last_cemented, {
        ...said(last_cemented, last_cemented),
        copy: last_cemented !== null,
        wide: true,
        more:
          last_cemented_level === null
            ? undefined
            : `the last commitment that the node knew to be cemented, for level ${count(last_cemented_level)}`,
      }),
      fact('History mode', 'store_history_mode', history_mode, said(history_mode, history_mode)),
    ),
  );
}

const reach = (first, head) =>
  first === null || head === null || first > head ? undefined : `${plural(head - first + 1, 'level')} up to the head`;
