// One member: its facts, its SHA-256 on demand, its first bytes, and saving it. All but the facts
// take a second look at the file: at the member alone where that is possible, else up to its end.

import { $, announce, copyButton, download, h, icon } from '../dom.js';
import { bytes, bytesExact, count, mode, sentence, share, time } from '../format.js';
import { breakable } from './table.js';

/** How much of a member is shown. */
export const PREVIEW_BYTES = 65536;
const HEX_BYTES = 512;
/** How much is saved by way of memory, where the browser cannot write to a chosen file. */
export const BLOB_LIMIT = 2_000_000_000;

export class MemberDialog {
  #dialog = $('member');
  #stop;

  constructor() {
    this.#dialog.addEventListener('close', () => this.#stop?.abort());
    // A click on the backdrop is one on the dialog itself, outside its content.
    this.#dialog.addEventListener('click', (event) => event.target === this.#dialog && this.#dialog.close());
  }

  /** Opens it for `member`. `job(name, details, options)` runs a job on the file. */
  open(member, { members, job, fetches }) {
    this.#stop?.abort();
    this.#stop = new AbortController();
    const tools = {
      member,
      members,
      job: (name, details, on) => job(name, details, { signal: this.#stop.signal, on }),
    };
    this.#dialog.replaceChildren(
      h(
        'div',
        { class: 'member-head' },
        h('h2', { id: 'member-title', tabindex: '-1' }, breakable(member.name)),
        h(
          'button',
          { type: 'button', class: 'quiet', 'aria-label': 'Close', onclick: () => this.#dialog.close() },
          'Close',
        ),
      ),
      facts(member, members),
      ...(fetches ? [h('p', { class: 'hint' }, `What follows fetches ${fetches}.`)] : []),
      digest(tools),
      preview(tools),
      save(tools),
    );
    this.#dialog.showModal();
    $('member-title').focus();
  }

  close() {
    this.#dialog.close();
  }
}

function facts(member, members) {
  const rows = [
    ['Size', `${bytesExact(member.size)}, ${share(member.size, members.root.size)} of all`],
    ['Changed', time(member.mtime)],
    ['Permissions', `${mode(member.mode)} (${member.mode.toString(8).padStart(4, '0')})`],
    ['Content starts', `at byte ${count(member.offset)} of the decompressed stream`],
  ];
  return h(
    'dl',
    { class: 'member-facts' },
    rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

function digest({ member, members, job }) {
  const box = h('div', { class: 'member-part', id: 'member-digest' });
  const show = (hash) =>
    box.replaceChildren(
      h('h3', {}, 'SHA-256'),
      h(
        'p',
        { class: 'digest-line' },
        h('code', { class: 'hash', tabindex: '-1' }, hash),
        copyButton(hash, 'the SHA-256'),
      ),
    );
  const known = members.digests.get(member.name);
  if (known) {
    show(known);
    return box;
  }
  const button = task('Compute', async (on) => {
    const { sha256 } = await job('digest', { member: whereOf(member) }, on);
    members.digests.set(member.name, sha256);
    show(sha256);
    box.querySelector('code').focus();
    announce('SHA-256 computed');
  });
  box.append(h('h3', {}, 'SHA-256'), button);
  return box;
}

function preview({ member, members, job }) {
  const box = h('div', { class: 'member-part', id: 'member-preview' }, h('h3', {}, 'Content'));
  const show = async (blob) => {
    const drawn = await drawPreview(blob, member);
    box.replaceChildren(h('h3', {}, 'Content'), ...drawn);
  };
  const kept = members.texts.get(member.name);
  if (Number(member.size) === 0) box.append(h('p', { class: 'hint' }, 'It is empty.'));
  else if (kept) show(kept);
  else {
    box.append(
      task('Show the beginning', async (on) => {
        const { blob } = await job('preview', { member: whereOf(member), limit: PREVIEW_BYTES }, on);
        await show(blob);
        box.querySelector('pre').focus();
      }),
    );
  }
  return box;
}

async function drawPreview(blob, { size }) {
  const data = new Uint8Array(await blob.arrayBuffer());
  const text = asText(data);
  const shown = text === undefined ? Math.min(data.length, HEX_BYTES) : data.length;
  const pre = h(
    'pre',
    {
      class: 'preview',
      tabindex: '0',
      role: 'group',
      'aria-label': text === undefined ? 'First bytes, in hexadecimal' : 'Text of the member',
    },
    text ?? asHex(data.subarray(0, HEX_BYTES)),
  );
  return [pre, shown < Number(size) ? h('p', { class: 'hint' }, `The first ${bytes(shown)} of ${bytes(size)}.`) : ''];
}

function asText(data) {
  try {
    // A cut may go through a character: what is incomplete at the end is left out.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a text does not have
    return /[\0-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function asHex(data) {
  const lines = [];
  for (let at = 0; at < data.length; at += 16) {
    const row = [...data.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${letters}`);
  }
  return lines.join('\n');
}

function save({ member, job }) {
  const box = h('div', { class: 'member-part', id: 'member-save' }, h('h3', {}, 'Save'));
  const name = member.name.split('/').pop();
  const picks = 'showSaveFilePicker' in globalThis;
  if (!picks && Number(member.size) > BLOB_LIMIT) {
    box.append(
      h(
        'p',
        { class: 'hint' },
        `This browser can save members of up to ${bytes(BLOB_LIMIT)}. On the command line: tar.`,
      ),
    );
    return box;
  }
  box.append(
    task('Save this member', async (on) => {
      const handle = picks ? await globalThis.showSaveFilePicker({ suggestedName: name }) : undefined;
      const { blob, sha256 } = await job('save', { member: whereOf(member), handle, limit: BLOB_LIMIT }, on);
      if (blob) download(blob, name);
      box.querySelector('.task-said').textContent = `Saved. SHA-256 ${sha256}`;
      announce('Saved');
    }),
  );
  if (!picks)
    box.append(h('p', { class: 'hint' }, `Goes through memory in this browser, so up to ${bytes(BLOB_LIMIT)}.`));
  return box;
}

const whereOf = ({ name, offset }) => ({ name, offset });

/** A button with its progress and its failure beside it. */
function task(label, work) {
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
