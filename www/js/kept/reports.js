// The reports of snapshots that were read in this browser. They stay here until they are forgotten; nothing is sent.

import { inStore } from './database.js';

/** Older ones make room. */
const MOST_REPORTS = 20;
/** Longer lists of members are kept up to here, and say so. */
const MOST_MEMBERS = 20_000;

/** Those of this tab, also where the browser keeps nothing. */
const ours = new Map();

export const newId = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;

/** Keeps what is known of a visit that has a report, with its answer *Anchored*, in the place of what was kept of it before. */
export async function keep({ id, source, look, report, unasked, done, members, anchors, replayed, when }, anchoredBy) {
  const { name, file, url, example, handle } = source;
  const kept = {
    id,
    when,
    name,
    url,
    example,
    size: file?.size,
    modified: file?.lastModified,
    look,
    report,
    unasked,
    done,
    members: members.list.slice(0, MOST_MEMBERS),
    complete: members.complete && members.list.length <= MOST_MEMBERS,
    texts: [...members.texts],
    digests: [...members.digests],
    anchors: plainAnchors(anchors),
    anchoredBy,
    replayed,
  };
  ours.delete(id);
  ours.set(id, kept);
  for (const old of [...ours.keys()].slice(0, -MOST_REPORTS)) ours.delete(old);
  // A handle that a browser cannot keep must not take the report with it.
  const withHandle = handle && (await put({ ...kept, handle }));
  if (!withHandle) await put(kept);
  const all = (await listed()) ?? [];
  await Promise.all(all.slice(MOST_REPORTS).map(({ id }) => drop(id)));
}

/** The report of this visit, or undefined. */
export const recall = async (id) => (await inStore('readonly', (store) => store.get(id))) ?? ours.get(id);

/** All, the newest first. */
export async function lastSeen() {
  const all = new Map([...ours, ...((await listed()) ?? []).map((kept) => [kept.id, kept])]);
  return [...all.values()].sort((a, b) => b.when - a.when);
}

/** Forgets every report. True if they are gone. */
export async function forgetAll() {
  ours.clear();
  await inStore('readwrite', (store) => store.clear());
  return !(await listed())?.length;
}

const put = async (kept) => (await inStore('readwrite', (store) => store.put(kept))) !== undefined;
const drop = (id) => inStore('readwrite', (store) => store.delete(id));
const listed = async () => (await inStore('readonly', (store) => store.getAll()))?.sort((a, b) => b.when - a.when);

// What was said of the last commitment, without what asked for it.
function plainAnchors({ layer1, expected }) {
  const said = ({ said, short, checks, shown, endpoint, commitment }) => ({
    said,
    short,
    checks,
    shown,
    endpoint,
    commitment,
  });
  return { layer1: layer1 && said(layer1), expected: expected && said(expected) };
}
