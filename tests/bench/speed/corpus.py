#!/usr/bin/env python3
"""Makes a data directory with the mix of a rollup node's data, always the same for the same size.

  corpus.py DIRECTORY [MIB]       1024 MiB; the directory must not exist

30 % the store, a sound chain; 55 % the context, entries as irmin-pack has them, but no tree: the index lists
the commits, nothing else is true; 15 % pre-images, pages of 4 KiB. Each kind has the repeats and the noise of the real one:
hashes and signatures are random bytes, all around them is structure. Lists of messages are deflated, as the nodes keep them.

So the directory can be exported and imported, but not with the check of its context (`--no-check`).
"""
import hashlib, multiprocessing, os, random, sys, tarfile, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, TESTS + "/bench/chain")
import make_store as chain  # noqa: E402

MIB = 2**20
PAGE = 4096


def main(target, size):
    os.makedirs(target)
    with tarfile.open(TESTS + "/fixtures/data-dir/v5-archive.tar") as archive:
        wanted = ("metadata", "store.sqlite", "context/store.control", "context/store.dict", "context/store.branches")
        for name in wanted:
            member = archive.getmember("v5-archive/" + name)
            member.name = name
            archive.extract(member, target, filter="data")
    parts = [(make_store, "store.sqlite", 30), (make_pack, "context", 55), (make_pages, "wasm_2_0_0", 15)]
    with multiprocessing.Pool() as pool:
        jobs = [pool.apply_async(make, (World(), target + "/" + name, size * share // 100))
                for make, name, share in parts]
        [commits, *_] = [job.get() for job in jobs]
    chain.index(target + "/context", commits)
    for directory, _, names in os.walk(target):
        for name in names:
            os.utime(os.path.join(directory, name), (1_700_000_000, 1_700_000_000))


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
    """The blocks of a chain, each with up to sixty messages. Their contexts."""
    def users(_):
        return [b"\1" + message(world) for _ in range(world.rng.randrange(1, 60))]

    return chain.fill(path, lambda _, made: made >= size, users)


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
    os.makedirs(directory, exist_ok=True)
    chunk, number = min(max(-(-size // 6), MIB), 256 * MIB), 0
    nodes = [node(world) for _ in range(400)]
    while size > 0:
        length = min(size, chunk)
        with open("%s/store.%d.suffix" % (directory, number), "wb") as file:
            left = length
            while left > 0:
                piece = b"".join(entry(world, nodes) for _ in range(2000))[:left]
                file.write(piece)
                left -= len(piece)
        size -= length
        number += 1
    with open(directory + "/store.control", "r+b") as file:
        record = bytearray(file.read())
        # Length of the last chunk, and number of chunks.
        record[16:24], record[34] = length.to_bytes(8, "big"), number
        record[25:33] = bytes(8)
        record[25:33] = zlib.adler32(record[8:]).to_bytes(8, "big")
        file.seek(0)
        file.write(record)


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
    os.makedirs(directory, exist_ok=True)
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
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2] if len(sys.argv) > 2 else 1024) * MIB)
