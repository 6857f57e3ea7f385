#!/usr/bin/env python3
"""A rollup node, as far as an export can meet one: it takes the locks and changes everything.

  node.py grow DATA        makes files too large to be kept in memory, and rows for a collection to remove
  node.py serve DATA       reads turns, a number a line. In each it takes both locks at once and goes on: appends,
                           commits, collects, and says "done"; or it says "locked"
"""
import fcntl, glob, os, sqlite3, struct, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench/chain"))
import make_store as chain  # noqa: E402


def locked(data):
    """Both locks, as a node takes them: at once, or the export still has one."""
    files = [open(os.path.join(data, name), "r+b") for name in ("gc_lock", "processing_lock")]
    for file in files:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return files


def grow(data):
    """What a crash or an unfinished write leaves behind the end: nothing that counts."""
    for name in growing(data):
        stamp = os.stat(name).st_mtime_ns
        with open(name, "ab") as file:
            file.write(os.urandom(1 << 20))
        os.utime(name, ns=(stamp, stamp))
    for name in logs(data):
        # Entries of zeros beyond the length that counts.
        stamp = os.stat(name).st_mtime_ns
        with open(name, "r+b") as file:
            entry = {"index": 45, "irmin_store": 45, "l2_blocks": 268, "messages": 72, "levels_to_hashes": 36}.get(room(data, name), 40)
            file.seek(32 + struct.unpack(">Q", file.read(8))[0])
            file.write(bytes(entry * (100_000 // entry)))
        os.utime(name, ns=(stamp, stamp))
    if os.path.exists(database(data)):
        stamp = os.stat(database(data)).st_mtime_ns
        with sqlite3.connect(database(data)) as db:
            for _ in range(40):
                messages = [os.urandom(3800) for _ in range(13)]
                witness = chain.text(chain.SRIB2, chain.witness(messages))
                db.execute("INSERT INTO messages VALUES (?, 0, ?)", (witness, chain.packed(messages)))
        db.close()
        os.utime(database(data), ns=(stamp, stamp))


def run(data, turn):
    locks = locked(data)
    # A block: objects, then the control file, then the index.
    for name in growing(data):
        with open(name, "ab") as file:
            file.write(b"appended" * 10_000)
    for name in logs(data):
        with open(name, "r+b") as file:
            length = struct.unpack(">Q", file.read(8))[0]
            file.seek(0, 2)
            file.write(bytes(90_000))
            file.seek(0)
            file.write(struct.pack(">Q", length + 90_000))
    for name in replaced(data):
        with open(name + ".next", "wb") as file:
            file.write(b"turn %d" % turn)
        os.rename(name + ".next", name)
    with open(os.path.join(data, "context/store.branches"), "r+b") as file:
        file.write(b"another head")
    open(os.path.join(data, "wasm_2_0_0", "%066x" % turn), "wb").write(b"another pre-image")
    if os.path.exists(database(data)):
        block(data, turn)
    # A collection, and the end of a merge.
    for name in collected(data):
        os.rename(name, name + ".stale") if turn % 2 else os.remove(name)
    for name in logs(data):
        os.rename(name, name.removesuffix("log") + "data")
        with open(name, "wb") as file:
            file.write(struct.pack(">Q8sQQ", 0, b"00000001", 9, 0))
    del locks


def block(data, turn):
    """The head moves, old rows go, and the log is folded into the database as far as readers allow."""
    db = sqlite3.connect(database(data), isolation_level=None)
    db.execute("PRAGMA journal_mode = wal")
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE rollup_node_state SET value = 'moved', level = level + ? WHERE name IN ('l2_head', 'lcc', 'lpc')", [turn])
    db.execute("UPDATE l2_blocks SET context = NULL")
    db.execute("DELETE FROM messages WHERE rowid % 3 = ?", [turn % 3])
    db.execute("DELETE FROM l2_levels WHERE level % 5 = ?", [turn % 5])
    db.execute("INSERT INTO messages VALUES (?, 9, randomblob(3000000))", ["new%d" % turn])
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()


def database(data):
    return os.path.join(data, "store.sqlite")


def room(data, name):
    """The directory that an index is in, below context or storage."""
    return os.path.relpath(name, data).split("/")[1]


def found(data, *patterns):
    return sorted(name for pattern in patterns for name in glob.glob(os.path.join(data, pattern), recursive=True))


def growing(data):
    """Of the chunks, the last one grows."""
    last = found(data, "context/*.suffix")[-1:] + found(data, "storage/irmin_store/*.suffix")[-1:]
    return last + found(data, "context/store.dict", "storage/*/data")


def logs(data):
    return found(data, "context/index/log", "storage/*/index/log", "storage/*/index/index/log")


def replaced(data):
    names = ["l2_head", "lcc", "lpc", "gc_levels", "last_finalized_level", "version", "irmin_store/store.control"]
    return found(data, "context/store.control", "metadata", *("storage/" + name for name in names))


def collected(data):
    return found(data, "context/store.0.suffix", "context/*.prefix", "context/*.mapping", "storage/*/1/**/data", "storage/*.1/index/*")


if __name__ == "__main__":
    command, data = sys.argv[1:]
    if command == "grow":
        grow(data)
    elif command == "serve":
        for line in sys.stdin:
            try:
                run(data, int(line))
                print("done", flush=True)
            except BlockingIOError:
                print("locked", flush=True)
    else:
        raise SystemExit(__doc__)
