#!/usr/bin/env python3
"""Makes a data directory with a long and sound chain, the same bytes of every value at each run.
`fill` and `index` do it for other benchmarks.

  make_store.py DATA_DIR OUT BLOCKS

DATA_DIR gives schema, metadata and recorded state; its rows are replaced. Each block has five
messages, an inbox, a context and, every 30 blocks, a commitment.
"""
import hashlib, itertools, os, shutil, sqlite3, sys, zlib

PERIOD = 30
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
BLOCK, SRC, SRS = bytes([1, 52]), bytes([17, 165, 134, 138]), bytes([17, 165, 235, 240])
SRIB1, SRIB2, CONTEXT = bytes([3, 255, 138, 145, 110]), bytes([3, 255, 138, 145, 140]), bytes([8, 209, 216, 166])


def h(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def text(prefix, payload):
    """Base58Check."""
    data = prefix + payload
    sha256 = hashlib.sha256
    number = int.from_bytes(data + sha256(sha256(data).digest()).digest()[:4], "big")
    parts = []
    while number:
        number, rest = divmod(number, 3364)
        parts.append(PAIRS[rest])
    return "".join(reversed(parts)).lstrip("1")


def natural(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def pointers(index, before, last):
    """Back pointers of the cell with this index, from those and the hash of the cell before."""
    out, power = [], 1
    while power <= index:
        out.append(last if index % power == 0 or len(out) >= len(before) else before[len(out)])
        power *= 4
    return out


def witness(messages):
    cell, back = None, []
    for index, message in enumerate(messages):
        back = pointers(index, back, cell)
        cell = h(h(message) + b"".join(back))
    return cell


def packed(messages):
    body = b"".join(len(message).to_bytes(4, "big") + message for message in messages)
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    return deflate.compress(len(body).to_bytes(4, "big") + body) + deflate.flush()


def two_messages(level):
    return [b"\1" + hashlib.shake_128(b"message %d" % (2 * level + k)).digest(60 + level % 50) for k in (0, 1)]


def rows(origin, users):
    """A block with what hangs on it, level by level, without end."""
    block, cell, back = h(b"before"), None, []
    last, last_tick, tick = bytes(32), 0, 0
    for index in itertools.count():
        level = origin + index
        predecessor, block = block, h(b"block %d" % level)
        info = b"\0\3" + (1_600_000_000 + 10 * index).to_bytes(8, "big") + predecessor
        messages = [b"\0\1", info, *users(level), b"\0\2"]
        witnessed = witness(messages)
        back = pointers(index, back, cell)
        cell = h(witnessed + b"%d" % level + b"".join(back))
        proof = natural(index) + witnessed + level.to_bytes(4, "big") + (32 * len(back)).to_bytes(4, "big") + b"".join(back)
        ticks = 0 if index == 0 else 1_000_000 + level % 997
        start, tick = tick, tick + ticks
        state, previous, commitment = h(b"state %d" % level), last, None
        if index % PERIOD == 0:
            content = (state, level, previous, tick - last_tick)
            last = h(state + level.to_bytes(4, "big") + previous + content[3].to_bytes(8, "big"))
            commitment, last_tick = (last, content), tick
        yield {
            "level": level, "block": block, "predecessor": predecessor, "commitment": commitment,
            "previous": previous, "context": h(b"context %d" % level), "witness": witnessed, "inbox": cell,
            "proof": proof, "messages": packed([] if index == 0 else messages), "start": str(start), "ticks": ticks,
            "state": state,
        }


def fill(path, enough, users=two_messages):
    """Replaces the rows of a store by a chain, until `enough(blocks, bytes of the file)`. The commits of
    the context that its blocks name."""
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000")
    (origin,) = db.execute("SELECT min(level) FROM l2_levels").fetchone()
    (page,) = db.execute("PRAGMA page_size").fetchone()
    for table in ("l2_blocks", "l2_levels", "messages", "inboxes", "commitments", "commitments_published_at_levels"):
        db.execute("DELETE FROM " + table)
    commits, last = [], None
    for row in rows(origin, users):
        level, block, state = row["level"], text(BLOCK, row["block"]), text(SRS, row["state"])
        previous = text(SRC, row["previous"])
        commitment = None
        if row["commitment"]:
            hash, (_, _, _, ticks) = row["commitment"]
            commitment = last = text(SRC, hash)
            db.execute("INSERT INTO commitments VALUES (?, ?, ?, ?, ?)", (commitment, state, level, previous, ticks))
            lcc = (commitment, level)
        inbox_witness, inbox = text(SRIB2, row["witness"]), text(SRIB1, row["inbox"])
        db.execute(
            "INSERT INTO l2_blocks (block_hash, level, predecessor, commitment_hash, previous_commitment_hash, "
            "inbox_witness, inbox_hash, initial_tick, num_ticks, state_hash, pvm_status, context) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (block, level, text(BLOCK, row["predecessor"]), commitment, previous, inbox_witness, inbox, row["start"],
             row["ticks"], state, b"\2", text(CONTEXT, row["context"])))
        db.execute("INSERT INTO l2_levels VALUES (?, ?)", (level, block))
        db.execute("INSERT INTO messages VALUES (?, ?, ?)", (inbox_witness, level, row["messages"]))
        db.execute("INSERT INTO inboxes VALUES (?, ?, ?)", (inbox, level, row["proof"]))
        commits.append(row["context"])
        if enough(len(commits), db.execute("PRAGMA page_count").fetchone()[0] * page):
            break
    mark = "UPDATE rollup_node_state SET value = ?, level = ? WHERE name = ?"
    for name, value in (("l2_head", (block, level)), ("finalized_level", (block, level)), ("lcc", lcc)):
        db.execute(mark, (*value, name))
    db.commit()
    # As the nodes keep it.
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    return commits


def index(context, commits):
    """The index of a context that has these commits."""
    os.makedirs(context + "/index", exist_ok=True)
    body = b"".join(commit + bytes(11) + b";D" for commit in commits)
    with open(context + "/index/log", "wb") as file:
        file.write(len(body).to_bytes(8, "big") + b"00000001" + bytes(16) + body)


def main(template, out, count):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    shutil.copy(template + "/metadata", out)
    shutil.copy(template + "/store.sqlite", out)
    commits = fill(out + "/store.sqlite", lambda blocks, _: blocks == count)
    index(out + "/context", commits)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
