// The header card: what the file says about itself.

import { copyButton, h, icon } from '../dom.js';
import { bytes, count, shellFile, shellWord } from '../format.js';
import { lookups } from './explorers.js';

const MODES = {
  full: 'what follows the last cemented commitment',
  archive: 'everything since the rollup began',
};

/** Draws the card. `look` is the result of the job of that name. */
export function drawClaims(root, { header, compression, total }, source) {
  root.replaceChildren(
    h(
      'dl',
      { class: 'facts' },
      fact('Rollup', 'rollup_address', header.rollup_address, {
        wide: true,
        more: header.known_as ? [h('strong', {}, `known as ${header.known_as}`), ', a name, not a proof'] : undefined,
      }),
      fact('History mode', 'history_mode', header.history_mode, { copy: false, more: MODES[header.history_mode] }),
      fact('Last commitment', 'last_commitment', header.last_commitment, {
        wide: true,
        more: 'the most recent one at the head',
      }),
      fact('Head level', 'head_level', header.head_level, {
        text: count(header.head_level),
        more: 'newest block in it',
      }),
      fact('Compression', 'compression', compression, {
        copy: false,
        text: compression === 'gzip' ? 'gzip' : 'none',
        more: compression === 'gzip' ? 'one compressed stream' : 'header and archive as they are',
      }),
      fact('Size', 'size', total, {
        copy: false,
        text: total === undefined ? 'not known' : bytes(total),
        more: total >= 1000 ? `${count(total)} bytes` : undefined,
      }),
      h(
        'div',
        { class: 'fact fact-note' },
        h('dt', {}, 'Chain'),
        h(
          'dd',
          { class: 'more' },
          'Cannot be known from a file: addresses and hashes look alike on Tezos and Mavryk. A link says on which chain it looks; TzKT is a third party that is asked nothing before you follow one.',
        ),
      ),
    ),
    ...(header.layout === 'unversioned'
      ? [h('p', { class: 'remark' }, icon('warning'), 'The header has no version byte. See the evidence below.')]
      : []),
    h('div', { id: 'import' }),
  );
  offerImport(source);
}

/** Says how to import `source`, once `verdicts` are there and none of them is "no". */
export function offerImport(source, verdicts) {
  const command = `rollsnap import ${source.url ? shellWord(source.url) : shellFile(source.name)} --data-dir DIR`;
  const no = verdicts && Object.keys(verdicts).find((key) => verdicts[key] === 'no');
  const none = (text) => h('p', { class: 'command command-none' }, text);
  document
    .getElementById('import')
    ?.replaceChildren(
      h('h3', {}, 'To import it'),
      !verdicts
        ? none('The command comes with the verdicts.')
        : no
          ? none(`${REFUSED[no]} rollsnap refuses to import it.`)
          : commandLine(command, 'the command to import this'),
    );
}

const REFUSED = {
  intact: 'This file is not intact:',
  consistent: 'What is inside does not agree:',
  replayed: 'Its states do not follow from its messages:',
  anchored: 'It is not anchored. Told the same node or commitment,',
};

/** A command to be copied. */
export function commandLine(command, what) {
  return h(
    'div',
    { class: 'command' },
    h('pre', { tabindex: '0', role: 'group', 'aria-label': what }, h('code', {}, command)),
    copyButton(command, what),
  );
}

/** One fact with its `label`; `key` tells which links it has. */
export function fact(label, key, value, { text, more, wide, copy = true }) {
  const links = value === undefined ? [] : (lookups[key]?.(value) ?? []);
  return h(
    'div',
    { class: wide ? 'fact fact-wide' : 'fact', 'data-fact': key },
    h('dt', {}, label),
    h(
      'dd',
      {},
      h('span', { class: wide ? 'value hash' : 'value' }, text ?? String(value)),
      more && h('span', { class: 'more' }, more),
      copy &&
        h(
          'span',
          { class: 'fact-tools' },
          copyButton(String(value), label.toLowerCase()),
          links.map((link) => lookup(link, label)),
        ),
    ),
  );
}

const lookup = ({ label, href }, what) =>
  h(
    'a',
    {
      class: 'quiet',
      href,
      target: '_blank',
      rel: 'noopener noreferrer',
      'aria-label': `Look up the ${what.toLowerCase()} at ${label} (opens a new tab)`,
    },
    icon('out'),
    label,
  );
