#!/usr/bin/env python3
"""What is in a data directory with a store of version 5, read by programs that share nothing with rollsnap.

  scale.py DATA_DIR

Every object of the context that a commit reaches is read and hashed again (irmin.py), and every block followed from the head
down: messages, inboxes, commitments, states (the formulas of bench/chain/make_store.py). What is wrong ends the program with a
message. On standard output: number and bytes of objects by kind, pre-images, first and last level, head, its state and its commit.
"""
import hashlib, json, os, sqlite3, sys, zlib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../bench/chain"]
import irmin, make_store as chain  # noqa: E402

need = irmin.need


def objects(store):
    """Those that the commits of the index reach."""
    counts = {kind: {"count": 0, "bytes": 0} for kind in ("contents", "directories", "inner", "commits", "objects")}
    states = {}
    for key in store.index:
        commit = store.commit(key)
        states[key] = bytes.fromhex(commit["pvm_state"]["hash"])
        add(counts, "commits", commit["length"])
    for place, found in store.known.items():
        kind = "contents" if isinstance(place, int) else "directories" if place[1] else "inner"
        add(counts, kind, found[2])
    return counts, states


def add(counts, kind, length):
    for name in (kind, "objects"):
        counts[name]["count"] += 1
        counts[name]["bytes"] += length


def blocks(path, states):
    """From the head down to the first level. What the store says, in words and hashes."""
    db = sqlite3.connect("file:%s?mode=ro&immutable=1" % path, uri=True)
    db.row_factory = sqlite3.Row
    one = lambda query, value: db.execute(query, (value,)).fetchone()
    (first,) = db.execute("SELECT min(level) FROM l2_levels").fetchone()
    (head,) = db.execute("SELECT value FROM rollup_node_state WHERE name = 'l2_head'").fetchone()
    block = one("SELECT * FROM l2_blocks WHERE block_hash = ?", head)
    told = {"head": head, "head_level": block["level"], "first_level": first, "state": block["state_hash"],
            "commit": block["context"], "commitment": block["commitment_hash"] or block["previous_commitment_hash"]}
    keys = {chain.text(chain.CONTEXT, key): state for key, state in states.items()}
    newer, end = None, None
    while True:
        level = block["level"]
        need(one("SELECT block_hash FROM l2_levels WHERE level = ?", level)[0] == block["block_hash"], level, "its row")
        need(block["state_hash"] == chain.text(chain.SRS, keys[block["context"]]), level, "state")
        packed = one("SELECT message_list FROM messages WHERE payload_hashes_hash = ?", block["inbox_witness"])[0]
        messages = listed(zlib.decompress(packed, -15))
        need(messages[1][10:] == raw(block["predecessor"]), level, "predecessor in the messages")
        witness = chain.witness(messages)
        need(block["inbox_witness"] == chain.text(chain.SRIB2, witness), level, "witness")
        proof = one("SELECT history_proof FROM inboxes WHERE hash = ?", block["inbox_hash"])[0]
        cell = irmin.Bytes(proof)
        index, found, at = cell.varint(), cell.take(32), int.from_bytes(cell.take(4), "big")
        back = cell.take(int.from_bytes(cell.take(4), "big"))
        need((found, at) == (witness, level), level, "content of the inbox")
        own = chain.h(witness + b"%d" % level + back)
        need(block["inbox_hash"] == chain.text(chain.SRIB1, own), level, "inbox")
        back = [back[at : at + 32] for at in range(0, len(back), 32)]
        if newer:
            need(chain.pointers(index + 1, back, own) == newer, level, "inboxes are linked")
        newer = back
        if block["commitment_hash"]:
            row = one("SELECT * FROM commitments WHERE hash = ?", block["commitment_hash"])
            content = raw(row["compressed_state"]) + row["inbox_level"].to_bytes(4, "big") + raw(row["predecessor"])
            made = chain.h(content + row["number_of_ticks"].to_bytes(8, "big"))
            need(row["hash"] == chain.text(chain.SRC, made), level, "commitment")
            need(row["compressed_state"] == block["state_hash"] and row["inbox_level"] == level, level, "its content")
            need(row["predecessor"] == block["previous_commitment_hash"], level, "commitment before")
        need(end in (None, int(block["initial_tick"]) + block["num_ticks"]), level, "ticks")
        end = int(block["initial_tick"])
        if level == first:
            break
        block = one("SELECT * FROM l2_blocks WHERE block_hash = ?", block["predecessor"])
        need(block["level"] == level - 1, level, "predecessor")
    need(len(states) == told["head_level"] - first + 1, "a commit for each block")
    db.close()
    return told


def listed(data):
    """The messages of a list."""
    fields = irmin.Bytes(data)
    take = lambda: fields.take(int.from_bytes(fields.take(4), "big"))
    whole = irmin.Bytes(take())
    fields.end()
    messages = []
    while whole.at < len(whole.data):
        messages.append(whole.take(int.from_bytes(whole.take(4), "big")))
    return messages


def raw(text):
    """The bytes of a hash in Base58Check, which must be right."""
    number = 0
    for char in text:
        number = 58 * number + chain.ALPHABET.index(char)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    check = lambda data: hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    need(check(data[:-4]) == data[-4:], "checksum of", text)
    return data[-36:-4]


def pages(directory):
    count = {"count": 0, "bytes": 0}
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), "rb") as file:
            page = file.read()
        need(name == "00" + chain.h(page).hex() and len(page) <= 4096, name)
        count["count"] += 1
        count["bytes"] += len(page)
    return count


def main(data):
    sys.setrecursionlimit(10000)
    counts, states = objects(irmin.Store(irmin.directory(data + "/context")))
    told = blocks(data + "/store.sqlite", states)
    json.dump({**told, "context": counts, "pages": pages(data + "/wasm_2_0_0")}, sys.stdout)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except irmin.Wrong as wrong:
        raise SystemExit("scale.py: %s" % wrong)
