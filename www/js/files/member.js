// One member: its facts, its SHA-256 on demand, its first bytes, and saving it. All but the facts
// take a second look at the file: at the member alone where that is possible, else up to its end.

import { $, announce, copyButton, download, h } from '../dom.js';
import { bytes, bytesExact, count, mode, share, time } from '../format.js';
import { task } from '../task.js';
import { drawPreview } from './preview.js';
import { breakable } from './table.js';

/** How much of a member is shown. */
export const PREVIEW_BYTES = 65536;
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
    const drawn = drawPreview(new Uint8Array(await blob.arrayBuffer()), member.size, 'the member');
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
