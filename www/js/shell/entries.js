// What the command palette offers: actions, parts of the page, and what a visit knows by name.

import { $ } from '../dom.js';
import { bytes, count } from '../format.js';
import { go, sectionsThere } from './sections.js';

/** Entries for `text`, of what `screen` shows. They are made as they are asked for: a snapshot may have many files. */
export function* entriesOf(text, screen, actions) {
  const { visit } = screen;
  yield* levelOf(text, screen);
  yield* actions;
  for (const [name, id] of sectionsThere()) yield { kind: 'Go to', name, run: () => go(id) };
  if (!visit?.look?.header) return;
  yield* hashesOf(visit);
  yield* keysOf(visit);
  for (const member of visit.members.list)
    yield { kind: 'File', name: member.name, more: bytes(member.size), run: () => screen.openMember(member) };
}

function* levelOf(text, screen) {
  const digits = text.replace(/[\s,._]/g, '');
  if (!/^\d{1,10}$/.test(digits)) return;
  const level = Number(digits);
  if (screen.hasLevel(level))
    yield { kind: 'Level', name: count(level), isAlways: true, run: () => screen.goToLevel(level) };
}

function* hashesOf({ look: { header }, report }) {
  const to = (name, hash, id) => ({ kind: 'Hash', name: hash, more: name, find: name, run: () => go(id) });
  yield to('rollup', header.rollup_address, 'claims');
  yield to('last commitment', header.last_commitment, 'claims');
  const cemented = report?.store?.last_cemented;
  if (cemented) yield to('last cemented', cemented, 'store');
}

function* keysOf({ report }) {
  for (const { path, objects } of report?.context?.head?.subtrees ?? [])
    yield { kind: 'Key', name: path, more: bytes(objects.bytes), run: () => go('context') };
}

/** An action that presses a button of the page, where that is there and can be pressed. */
export function pressing(name, id, find) {
  const button = $(id);
  if (!button || button.disabled || button.hidden || button.closest('[hidden]')) return [];
  return [{ kind: 'Action', name, find, run: () => button.click() }];
}
