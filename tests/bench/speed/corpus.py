#!/usr/bin/env python3
"""Makes a directory with the mix of a rollup node's data, always the same for the same size.

  corpus.py DIRECTORY [MIB]       1024 MiB; the directory must not exist

30 % a SQLite store, 55 % pack-like files, 15 % files of 4 KiB, each kind with the repeats and the
noise of the real one: hashes and signatures are random bytes, all around them is structure.
"""
import hashlib, multiprocessing, os, random, sqlite3, sys

MIB = 2**20
PAGE = 4096


def main(target, size):
    os.makedirs(target)
    parts = [(make_store, "store.sqlite", 30), (make_pack, "context", 55), (make_pages, "wasm_2_0_0", 15)]
    with multiprocessing.Pool() as pool:
        jobs = [pool.apply_async(make, (World(), target + "/" + name, size * share // 100))
                for make, name, share in parts]
        for job in jobs:
            job.get()


class World:
    """What comes again and again: addresses, selectors, contract code, kernel snippets."""

    def __init__(self):
        self.rng = rng = random.Random(0x0726C6C)
        self.addresses = [rng.randbytes(20) for _ in range(3000)]
        # Few accounts do most of the work.
        self.weights = [1 / (rank + 8) for rank in range(len(self.addresses))]
        self.selectors = [rng.randbytes(4) for _ in range(120)]
        self.codes = [self.code(rng.randrange(400, 16000)) for _ in range(60)]
        opcodes = [bytes(rng.choices(range(256), zipf(256), k=rng.randrange(2, 9))) for _ in range(700)]
        self.snippets = [b"".join(rng.choices(opcodes, zipf(700), k=rng.randrange(1, 6))) for _ in range(1500)]
        self.snippets += [rng.randbytes(rng.randrange(1, 4)) for _ in range(500)]
        rng.shuffle(self.snippets)
        self.snippet_weights = zipf(len(self.snippets))
        self.steps = [b"balance", b"nonce", b"code.hash", b"storage", b"code", b"blocks", b"receipts", b"objects"]

    def some_addresses(self, count):
        return self.rng.choices(self.addresses, self.weights, k=count)

    def word(self):
        """A 32-byte number: mostly small, an address, or a hash."""
        kind = self.rng.random()
        if kind < 0.6:
            length = self.rng.randrange(1, 12)
            return bytes(32 - length) + self.rng.randbytes(length)
        if kind < 0.85:
            return bytes(12) + self.rng.choice(self.addresses)
        return self.rng.randbytes(32)

    def code(self, length):
        """Contract code: short opcodes in habitual orders, some constants."""
        rng = self.rng
        habits = [bytes(rng.choices(range(0x40, 0xa0), k=rng.randrange(2, 7))) for _ in range(70)]
        out = bytearray()
        while len(out) < length:
            out += rng.choice(habits)
            out += bytes([0x60, rng.randrange(256)]) if rng.random() < 0.8 else b"\x7f" + rng.randbytes(32)
        return bytes(out[:length])


def zipf(count):
    return [1 / (rank + 3) for rank in range(count)]


def make_store(world, path, size):
    rng = world.rng
    db = sqlite3.connect(path)
    db.executescript(
        "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
        "CREATE TABLE messages (inbox_level INTEGER PRIMARY KEY, payload_hash BLOB, message_list BLOB);"
        "CREATE TABLE l2_blocks (block_hash TEXT PRIMARY KEY, level INTEGER, header BLOB, num_ticks BLOB);"
        "CREATE TABLE outbox_messages (outbox_level INTEGER, message_index INTEGER, message TEXT, status TEXT);"
        "CREATE INDEX level ON l2_blocks(level);")
    level, made = 2_000_000, 0
    previous = rng.randbytes(32)
    while made < size:
        level += 1
        batch = b"".join(message(world) for _ in range(rng.randrange(1, 60)))
        db.execute("INSERT INTO messages VALUES (?,?,?)", (level, rng.randbytes(32), batch))
        block = rng.randbytes(32)
        header = b"".join([bytes.fromhex("0000000c01"), previous, level.to_bytes(4, "big"), rng.randbytes(32),
                           bytes(24), rng.randbytes(96), (level // 40).to_bytes(8, "big"), bytes(60)])
        name = "BL" + hashlib.sha256(block).hexdigest()[:49]
        db.execute("INSERT INTO l2_blocks VALUES (?,?,?,?)", (name, level, header, b"\x05" + rng.randbytes(5)))
        if level % 7 == 0:
            sent = '{"type":"withdrawal","receiver":"tz1%s","amount":"%d"}' % (
                hashlib.sha256(header).hexdigest()[:33], rng.randrange(10**9))
            db.execute("INSERT INTO outbox_messages VALUES (?,?,?,?)", (level, level % 100, sent, "executed"))
        previous = block
        made += len(batch) + len(header) + 260
        if level % 2000 == 0:
            db.commit()
    db.commit()
    db.close()


def message(world):
    rng = world.rng
    [sender, target] = world.some_addresses(2)
    words = b"".join(world.word() for _ in range(rng.randrange(5)))
    return b"".join([
        b"\x00\x00\x02\x01\xf8\x6b", rng.randrange(60000).to_bytes(3, "big"), b"\x84\x3b\x9a\xca\x00\x83",
        (21000 * rng.randrange(1, 40)).to_bytes(3, "big"), b"\x94", target, rng.choice(world.selectors), words,
        b"\x83\x01\x4e\x97\xa0", rng.randbytes(32), b"\xa0", rng.randbytes(32), b"\x94", sender])


def make_pack(world, directory, size):
    """Suffix chunks: entries of hash, kind, length and content; hot nodes are written again and again."""
    os.makedirs(directory)
    chunk, number = min(max(size // 6, MIB), 256 * MIB), 0
    nodes = [node(world) for _ in range(400)]
    while size > 0:
        length = min(size, chunk)
        with open("%s/store.0.%d.suffix" % (directory, number), "wb") as file:
            left = length
            while left > 0:
                piece = b"".join(entry(world, nodes) for _ in range(2000))[:left]
                file.write(piece)
                left -= len(piece)
        size -= length
        number += 1


def node(world):
    """Steps, each with the offset of an older entry, as bytes and the places of the offsets."""
    rng = world.rng
    out, places = bytearray(b"\x00\x01"), []
    for _ in range(rng.randrange(3, 24)):
        step = rng.choice(world.addresses).hex().encode() if rng.random() < 0.5 else rng.choice(world.steps)
        out += bytes([len(step)]) + step + b"\x02"
        places.append(len(out))
        out += rng.randrange(2**34).to_bytes(8, "big")
    return out, places


def entry(world, nodes):
    rng = world.rng
    kind = rng.random()
    if kind < 0.40:
        content, mark = world.word(), b"B"
    elif kind < 0.50:
        content, mark = (b"%d" % rng.randrange(10**rng.randrange(1, 20))), b"B"
    elif kind < 0.505:
        content, mark = rng.choice(world.codes), b"B"
    elif kind < 0.508:
        # A page of compressed or random data, as data availability and blueprints bring it.
        content, mark = rng.randbytes(rng.randrange(1000, 16000)), b"B"
    else:
        # The upper nodes change at every block.
        content, places = nodes[int(len(nodes) * rng.random() ** 2.5)]
        place = rng.choice(places)
        content[place + 3:place + 8] = rng.randbytes(5)
        mark = b"R"
    return b"".join([rng.randbytes(32), mark, len(content).to_bytes(2, "big"), content])


def make_pages(world, directory, size):
    """Pre-images: pages of kernels, every thirtieth a page of hashes."""
    rng = world.rng
    os.makedirs(directory)
    for number in range(size // PAGE):
        if number % 30 == 0:
            page = b"\x01" + b"\x00".join(rng.randbytes(32) for _ in range(PAGE // 33 + 1))
        else:
            noise = rng.randbytes(PAGE // 6)
            parts = rng.choices(world.snippets, world.snippet_weights, k=len(noise))
            parts = [part + noise[at:at + part[0] % 3] for at, part in enumerate(parts)]
            page = b"\x00\x00\x00\x0f\xfb" + b"".join(parts)
        page = page[:PAGE]
        with open(directory + "/00" + hashlib.blake2b(page, digest_size=32).hexdigest(), "wb") as file:
            file.write(page)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2] if len(sys.argv) > 2 else 1024) * MIB)
