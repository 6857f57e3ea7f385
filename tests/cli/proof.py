"""Reads a proof of the nodes' context library (version 2, two entries a directory), knowing nothing of rollsnap.

Written after `merkle_proof_encoding.ml` of Octez. Prints JSON: the hash that the tree has, the one that the proof names,
and every value that it shows, by its path.
"""

import hashlib
import json
import sys


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def varint(number):
    out = b""
    while True:
        out += bytes([number & 0x7F | (0x80 if number > 0x7F else 0)])
        number >>= 7
        if number == 0:
            return out


def u64(number):
    return number.to_bytes(8, "big")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at : self.at + count]
        assert len(part) == count, "it ends too early"
        self.at += count
        return part

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def length(self, code):
        return self.number((1, 2, 4, 8)[code])

    def name(self):
        return self.take(self.number(1))


values = {}


def entries(reader, count, path):
    return [(name := reader.name(), *tree(reader, path + [name])) for _ in range(count)]


def root_hash(found):
    image = u64(len(found))
    for name, kind, child in found:
        image += (b"\xff" if kind == "contents" else b"\0") + bytes(7) + varint(len(name)) + name + u64(32) + child
    return blake(image)


def values_hash(found):
    image = b"\0" + varint(len(found))
    for name, kind, child in found:
        image += varint(len(name)) + name + (b"\1" if kind == "contents" else b"\0") + child
    return blake(image)


def tree_hash(depth, length, parts):
    image = b"\1" + varint(depth) + varint(length) + varint(len(parts))
    return blake(image + b"".join(varint(index) + part for index, part in parts))


def parts(reader, code, depth, path):
    length = reader.length(code)
    found = [(index, inode(reader, depth + 1, path)) for index in (0, 1)]
    return tree_hash(depth, length, [(index, part) for index, part in found if part is not None])


def extender(reader, code, depth, path):
    length = reader.length(code)
    bits = "".join(f"{byte:08b}" for byte in reader.name()).rstrip("0")[:-1]
    part = inode(reader, depth + len(bits), path)
    for at in range(len(bits) - 1, -1, -1):
        part = tree_hash(depth + at, length, [(int(bits[at]), part)])
    return part


def tree(reader, path):
    tag = reader.number(1)
    if tag < 0x80:
        return "node", parts(reader, tag, 0, path)
    if tag < 0xC0:
        return "node", root_hash(entries(reader, tag & 3, path))
    if tag == 0xC8:
        return "contents", reader.take(32)
    if tag == 0xD0:
        return "node", reader.take(32)
    if tag & 0xF8 == 0xD8:
        return "node", extender(reader, tag & 3, 0, path)
    assert tag & 0xF8 == 0xC0, hex(tag)
    value = reader.take(reader.number({0: 1, 1: 2, 3: 4}[tag & 3]))
    values["/".join(step.decode("latin-1") for step in path)] = value.hex()
    return "contents", blake(u64(len(value)) + value)


def inode(reader, depth, path):
    tag = reader.number(1)
    if tag == 0xE0:
        return None
    if tag == 0xC0:
        return reader.take(32)
    if tag < 0x80:
        return parts(reader, tag, depth, path)
    if tag < 0xC0:
        return values_hash(entries(reader, tag & 3, path))
    assert tag & 0xFC == 0xD0, hex(tag)
    return extender(reader, tag & 3, depth, path)


data = Reader(sys.stdin.buffer.read())
assert data.take(3) == b"\3\0\2", "no proof of a tree with two entries a directory"
before, after = data.take(32), data.take(32)
kind, found = tree(data, [])
assert kind == "node" and data.at == len(data.data), "bytes follow"
print(json.dumps({"found": found.hex(), "before": before.hex(), "after": after.hex(), "values": values}))
