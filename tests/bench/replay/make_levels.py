#!/usr/bin/env python3
"""Makes a long rollup out of a short one: idle levels behind the first block of a compact import, each with a context.

  make_levels.py DATA_DIR L1_JSON OUT COUNT STATES

DATA_DIR is what `rollsnap import --keep-compact --no-check` makes of a compact snapshot. Its first block stays, and
COUNT levels follow whose messages are layer 1's own: start, information, end. STATES (the program `replay_states`)
computes what comes of them. OUT is the compact snapshot of all that, OUT.l1.json what layer 1 knows of it, for
`tests/fixtures/l1_stub.py`: L1_JSON is what it knows of the first block.
"""
import json, os, shutil, sqlite3, subprocess, sys, tempfile, zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../chain"))
from make_store import ALPHABET, BLOCK, CONTEXT, SRC, SRIB1, SRIB2, SRS, h, natural, packed, pointers, text, witness

PERIOD = 60


def payload(word, prefix):
    """The hash in a word of Base58Check."""
    number = 0
    for letter in word:
        number = number * 58 + ALPHABET.index(letter)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return data[len(prefix):-4]


def parsed(proof):
    """Index and back pointers of a cell."""
    index, at = proof[0] & 127, 1
    while proof[at - 1] > 127:
        index, at = index | (proof[at] & 127) << 7 * at, at + 1
    back = proof[at + 40:]
    return index, [back[at:at + 32] for at in range(0, len(back), 32)]


def member(name, size):
    """A header of the tar dialect, up to the name of a link."""
    header = bytearray(512)
    fields = ((0, name.encode()), (100, b"0000600\0"), (108, b"0000000\0"), (116, b"0000000\0"), (124, b"%011o\0" % size),
              (136, b"14524770400\0"), (148, b" " * 8))
    for at, value in fields:
        header[at:at + len(value)] = value
    header[148:156] = b"%07o\0" % sum(header)
    return bytes(header)


def pack(root, out, level, commitment):
    """The snapshot of a data directory, staged as export does it."""
    with open(root + "/metadata") as file:
        address = payload(json.load(file)["rollup_address"], b"\6\x7c\x75")
    deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
    with open(out, "wb") as file:
        file.write(deflate.compress(b"\0\0" + address + level.to_bytes(4, "big") + commitment))
        for folder in ("context", "wasm_2_0_0", ""):
            for place, _, names in os.walk(os.path.join(root, folder)):
                for name in sorted(names):
                    path = os.path.join(place, name)
                    shown = os.path.relpath(path, root)
                    if shown == "lock" or (folder == "" and "/" in shown):
                        continue
                    file.write(deflate.compress(member(shown, os.path.getsize(path))))
                    with open(path, "rb") as contents:
                        while piece := contents.read(1 << 20):
                            file.write(deflate.compress(piece))
                    file.write(deflate.compress(bytes(-os.path.getsize(path) % 512)))
        file.write(deflate.compress(bytes(1024)) + deflate.flush())


def layer1(path, out, chain, commitments):
    """The view of a node at the level after the last one, which has all commitments, the newest ones published late."""
    with open(path) as file:
        view = json.load(file)
    first, last = chain[0][0], chain[-1][0]
    for (_, before), (level, block) in zip(chain, chain[1:]):
        view["blocks"][str(level)] = {"hash": text(BLOCK, block), "predecessor": text(BLOCK, before),
                                      "timestamp": 1_600_000_000 + 10 * (level - first), "proto": 1}
    view["head"] = {"level": last, "hash": text(BLOCK, chain[-1][1])}
    for hash, state, level, previous, ticks in commitments:
        cemented = level + 2 + view["constants"]["smart_rollup_challenge_window_in_blocks"]
        view["commitments"].append({
            "hash": hash, "published_level": min(level + 2, last), "pruned_level": None,
            "cemented_level": cemented if cemented <= last else None,
            "commitment": {"compressed_state": state, "inbox_level": level, "predecessor": previous,
                           "number_of_ticks": str(ticks)}})
        if cemented <= last:
            view["lcc"].append({"from_level": cemented, "hash": hash, "level": level})
    with open(out, "w") as file:
        json.dump(view, file)


def main(source, view, out, count, program):
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copytree(source, tmp + "/data")
        chain, commitments, last = extend(tmp + "/data", count, program)
        pack(tmp + "/data", out, chain[-1][0], last)
        layer1(view, out + ".l1.json", chain, commitments)


def extend(out, count, program):
    """Replaces the blocks of a directory behind the first. Levels and hashes, rows of commitments, the last commitment."""
    db = sqlite3.connect(out + "/store.sqlite")
    db.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF")
    first, block, inbox, commitment, context = db.execute(
        "SELECT level, block_hash, inbox_hash, commitment_hash, context FROM l2_blocks ORDER BY level LIMIT 1").fetchone()
    for table, column in (("l2_blocks", "level"), ("l2_levels", "level"), ("messages", "inbox_level"),
                          ("inboxes", "inbox_level"), ("commitments", "inbox_level"), ("protocols", "first_level")):
        db.execute("DELETE FROM %s WHERE %s > ?" % (table, column), (first,))
    db.execute("DELETE FROM outbox_messages")
    db.execute("DELETE FROM commitments_published_at_levels")

    block = payload(block, BLOCK)
    chain = [(first, block)]
    for level in range(first + 1, first + count + 1):
        chain.append((level, h(b"block %d" % level)))

    def messages(index):
        info = b"\0\3" + (1_600_000_000 + 10 * index).to_bytes(8, "big") + chain[index - 1][1]
        return [b"\0\1", info, b"\0\2"]

    lines = "".join("%d %s\n" % (chain[index][0], " ".join(message.hex() for message in messages(index)))
                    for index in range(1, count + 1))
    states = subprocess.run([program, out, context], input=lines, capture_output=True, text=True, check=True).stdout
    tick, last_tick, last, commitments = 0, 0, payload(commitment, SRC), []
    cell = payload(inbox, SRIB1)
    (proof,) = db.execute("SELECT history_proof FROM inboxes WHERE inbox_level = ?", (first,)).fetchone()
    origin, back = parsed(proof)
    for index, line in enumerate(states.splitlines(), 1):
        level, ticks, state, context = line.split()
        level, ticks, state = int(level), int(ticks), bytes.fromhex(state)
        listed = messages(index)
        witnessed = witness(listed)
        back = pointers(origin + index, back, cell)
        cell = h(witnessed + b"%d" % level + b"".join(back))
        proof = (natural(origin + index) + witnessed + level.to_bytes(4, "big") + (32 * len(back)).to_bytes(4, "big")
                 + b"".join(back))
        start, tick = tick, tick + ticks
        previous, made = text(SRC, last), None
        if index % PERIOD == 0:
            number = tick - last_tick
            last = h(state + level.to_bytes(4, "big") + last + number.to_bytes(8, "big"))
            made, last_tick = text(SRC, last), tick
            commitments.append((made, text(SRS, state), level, previous, number))
            db.execute("INSERT INTO commitments VALUES (?, ?, ?, ?, ?)", commitments[-1])
        hash, inbox = text(BLOCK, chain[index][1]), text(SRIB1, cell)
        db.execute(
            "INSERT INTO l2_blocks (block_hash, level, predecessor, commitment_hash, previous_commitment_hash, "
            "inbox_witness, inbox_hash, initial_tick, num_ticks, state_hash, pvm_status, context) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (hash, level, text(BLOCK, chain[index - 1][1]), made, previous, text(SRIB2, witnessed), inbox, str(start),
             ticks, text(SRS, state), b"\2", text(CONTEXT, bytes.fromhex(context))))
        db.execute("INSERT INTO l2_levels VALUES (?, ?)", (level, hash))
        db.execute("INSERT INTO messages VALUES (?, ?, ?)", (text(SRIB2, witnessed), level, packed(listed)))
        db.execute("INSERT INTO inboxes VALUES (?, ?, ?)", (inbox, level, proof))
    mark = "UPDATE rollup_node_state SET value = ?, level = ? WHERE name = ?"
    for name, value in (("l2_head", hash), ("finalized_level", hash), ("lcc", commitment)):
        db.execute(mark, (value, first if name == "lcc" else level, name))
    db.execute("DELETE FROM rollup_node_state WHERE name = 'lpc'")
    db.commit()
    db.close()
    return chain, commitments, last


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
