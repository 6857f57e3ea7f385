// The members seen so far, and the directories that their names make.

/** A directory: `{name, path, size, count, dirs: Map, files: []}`; sizes and counts are of all below. */
const directory = (name, path) => ({ name, path, size: 0, count: 0, dirs: new Map(), files: [] });

export class Members {
  list = [];
  root = directory('', '');
  /** SHA-256 by name, as far as computed. */
  digests = new Map();
  /** Small text members that the first pass kept: Blobs by name. */
  texts = new Map();
  complete = false;

  add(members) {
    for (const member of members) {
      this.list.push(member);
      this.#place(member);
    }
  }

  /** The directory at `path`, or the nearest one above it. */
  at(path) {
    let here = this.root;
    for (const part of path.split('/').filter(Boolean)) here = here.dirs.get(part) ?? here;
    return here;
  }

  #place(member) {
    const size = Number(member.size);
    const parts = member.name.split('/');
    const name = parts.pop();
    let here = this.root;
    grow(here, size);
    for (const part of parts) {
      let next = here.dirs.get(part);
      if (!next) {
        next = directory(part, `${here.path}${part}/`);
        here.dirs.set(part, next);
      }
      grow(next, size);
      here = next;
    }
    here.files.push({ name: name || member.name, size, count: 1, member });
  }
}

function grow(dir, size) {
  dir.size += size;
  dir.count += 1;
}

/** What is in a directory, largest first. Sorted again only after something has come. */
export function entries(dir) {
  if (dir.sorted?.count !== dir.count) {
    const all = [...dir.dirs.values(), ...dir.files].sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
    dir.sorted = { count: dir.count, all };
  }
  return dir.sorted.all;
}
