// Which entries of the palette a text means.

const MOST = 40;
/** So many of a kind, so that thousands of files leave room for the rest. */
const OF_A_KIND = 12;

/** The entries whose words contain every word of `text`, those that begin with it first. `entries` is gone through once. */
export function matches(text, entries) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const begin = words.join(' ');
  const found = [];
  const counts = new Map();
  for (const entry of entries) {
    const name = entry.name.toLowerCase();
    const all = entry.find ? `${name} ${entry.find}`.toLowerCase() : name;
    if (!entry.isAlways && !words.every((word) => all.includes(word))) continue;
    const count = (counts.get(entry.kind) ?? 0) + 1;
    if (count > OF_A_KIND) continue;
    counts.set(entry.kind, count);
    found.push({ entry, rank: entry.isAlways ? 0 : begin && name.startsWith(begin) ? 1 : 2 });
  }
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MOST)
    .map(({ entry }) => entry);
}
