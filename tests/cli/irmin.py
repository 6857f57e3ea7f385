#!/usr/bin/env python3
"""Reads irmin-pack stores as layer 2 writes them; the judge of what rollsnap reads and writes.

  irmin.py dump CONTEXT_DIR...    what is in them, one JSON value on standard output
  irmin.py built DIR...           whether DIR/context holds one commit of the tree in DIR/tree.json
  irmin.py judge ARCHIVE          this reader against the stores and dumps in ARCHIVE (NAME/..., NAME.json)

Shares no code with rollsnap. Everything reachable is read; every hash is made again and every shape is
checked. What is wrong ends the program with a message. The output has the form of the dumps of the real
library: control, index, commits, and for each commit every path with kind, hash, offset, length and size or
number of children. A step is a string with one code point a byte.
"""
import hashlib, json, os, struct, sys, tarfile

blake2b = lambda data: hashlib.blake2b(data, digest_size=32).digest()
u64 = lambda number: struct.pack(">Q", number)


class Wrong(Exception):
    pass


def need(holds, *what):
    if not holds:
        raise Wrong(" ".join(map(str, what)))


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


string = lambda data: varint(len(data)) + data


class Bytes:
    """Takes fields from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "a field goes beyond the end")
        self.at += count
        return self.data[self.at - count : self.at]

    byte = lambda self: self.take(1)[0]
    u64 = lambda self: struct.unpack(">Q", self.take(8))[0]
    string = lambda self: self.take(self.varint())

    def varint(self):
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def end(self):
        need(self.at == len(self.data), len(self.data) - self.at, "bytes are left")


def read_control(data):
    need(data[:8] == b"00000005", "version of the control file")
    fields = Bytes(data[8:])
    control = {"dict_end_poff": fields.u64(), "appendable_chunk_poff": fields.u64()}
    if fields.byte():
        control["upgraded_from"] = fields.varint()
    place = fields.at
    control["checksum"] = fields.u64()
    for name in ("chunk_start_idx", "chunk_num", "volume_num"):
        control[name] = fields.varint()
    tag = fields.varint()
    if tag == 3:
        gced = {"suffix_start_offset": fields.u64(), "generation": fields.varint(),
                "latest_gc_target_offset": fields.u64(), "suffix_dead_bytes": fields.u64()}
        if fields.byte():
            gced["mapping_end_poff"] = fields.u64()
        control["status"] = {"Gced": gced}
    else:
        control["status"] = {1: "No_gc_yet", 2: "Used_non_minimal_indexing_strategy"}[tag]
    fields.end()
    record, low, high = bytearray(data[8:]), 1, 0
    record[place : place + 8] = bytes(8)
    for byte in record:
        low = (low + byte) % 65521
        high = (high + low) % 65521
    need(high << 16 | low == control["checksum"], "checksum of the control file")
    return control


class Store:
    def __init__(self, files):
        """`files`: name below the directory -> bytes."""
        self.files = files
        self.control = read_control(self.file("store.control"))
        self.gced = self.control["status"].get("Gced") if isinstance(self.control["status"], dict) else None
        names = self.file("store.dict")
        need(len(names) >= self.control["dict_end_poff"], "the dictionary is short")
        self.names, at = [], 0
        names = names[: self.control["dict_end_poff"]]
        while at < len(names):
            (length,) = struct.unpack_from(">I", names, at)
            need(at + 4 + length <= len(names), "a name is cut")
            self.names.append(names[at + 4 : at + 4 + length])
            at += 4 + length
        need(len(set(self.names)) == len(self.names), "a name stands twice in the dictionary")
        branches = self.file("store.branches")
        need(branches == bytes(8) + b"00000001", "branches", branches)
        self.pieces = []  # (global offset, bytes)
        start = 0
        if self.gced:
            self.read_prefix()
            start = self.gced["suffix_start_offset"]
        first, count = self.control["chunk_start_idx"], self.control["chunk_num"]
        chunks = [self.file("store.%d.suffix" % number) for number in range(first, first + count)]
        end = self.control["appendable_chunk_poff"]
        need(len(chunks[-1]) >= end, "the last chunk is short")
        chunks[-1] = chunks[-1][:end]
        dead = self.gced["suffix_dead_bytes"] if self.gced else 0
        need(dead <= len(chunks[0]), "more dead bytes than the first chunk has")
        self.pieces.append((start, b"".join(chunks)[dead:]))
        self.end = start + len(self.pieces[-1][1])
        self.index = self.read_index()
        self.known = {}

    def file(self, name):
        need(name in self.files, "no file", name)
        return self.files[name]

    def read_prefix(self):
        number = self.gced["generation"]
        mapping = self.file("store.%d.mapping" % number)
        prefix = self.file("store.%d.prefix" % number)
        mapping = mapping[: self.gced.get("mapping_end_poff", len(mapping))]
        need(len(mapping) % 24 == 0, "length of the mapping")
        position, free = 0, -1
        for offset, place, length in struct.iter_unpack("<QQQ", mapping):
            need(place == position and offset > free and length > 0, "mapping at", offset)
            self.pieces.append((offset, prefix[place : place + length]))
            position, free = place + length, offset + length
        need(position == len(prefix), "length of the prefix")
        need(free <= self.gced["suffix_start_offset"], "the mapping goes beyond the suffix")
        target = self.gced["latest_gc_target_offset"]
        kind, _, length = self.entry(target)[1:]
        need(kind == "D" and target + length == self.gced["suffix_start_offset"], "target of the collection")

    def read_index(self):
        found = {}
        for name in ("index/data", "index/log", "index/log_async"):
            if name not in self.files:
                continue
            data = self.files[name]
            length, version, _, fan = struct.unpack_from(">Q8sQQ", data)
            need(version == b"00000001" and length % 45 == 0, name)
            entries = data[32 + fan : 32 + fan + length]
            need(len(entries) == length, name, "is short")
            for key, offset, size, kind in struct.iter_unpack(">32sQI1s", entries):
                found[key] = (offset, size, kind.decode())
        return found

    def entry(self, offset):
        """(hash, kind, body, length)"""
        low, high = 0, len(self.pieces)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.pieces[middle][0] <= offset else (low, middle)
        start, piece = self.pieces[low]
        # An empty suffix begins where the prefix ends; the last one counts.
        at = offset - start
        need(0 <= at < len(piece), "nothing at", offset)
        kind = chr(piece[at + 32])
        length = shift = 0
        position = at + 33
        while True:
            byte = piece[position]
            position += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        body = piece[position : position + length]
        need(len(body) == length, "cut at", offset)
        return piece[at : at + 32], kind, body, position + length - at

    def value(self, fields):
        tag = fields.varint()
        need(tag in (0, 2, 6, 8), "tag", tag)
        if tag < 6:
            number = fields.varint()
            need(number < len(self.names), "name", number)
            name = self.names[number]
        else:
            name = fields.string()
        need(name, "an empty name")
        return name, tag in (2, 8), fields.u64()

    def node(self, offset, root, depth=0, bits=""):
        """Directory or part of one: hash, [(name, is a directory, offset, hash)], length. Checks all below."""
        known = self.known.get((offset, root, bits))
        if known:
            return known
        stored, kind, body, length = self.entry(offset)
        need(kind == ("R" if root else "O"), "kind", kind, "at", offset)
        fields = Bytes(body)
        if fields.byte() == 0:
            values = [self.value(fields) for _ in range(fields.varint())]
            need(1 <= len(values) <= 2, len(values), "values at", offset)
            need(values == sorted(values, key=lambda value: value[0]), "order at", offset)
            children = []
            for name, is_node, child in values:
                need(child < offset, "forward offset at", offset)
                place = "".join("{:08b}".format(byte) for byte in blake2b(name)[:8])
                need(place.startswith(bits), "place of", name, "at", offset)
                hash = self.node(child, True)[0] if is_node else self.contents(child)[0]
                children.append((name, is_node, child, hash))
            if root:
                image = u64(len(children))
                for name, is_node, _, hash in children:
                    image += (b"\0" if is_node else b"\xff") + bytes(7) + string(name) + u64(32) + hash
            else:
                image = b"\0" + varint(len(children))
                for name, is_node, _, hash in children:
                    image += string(name) + (b"\0" if is_node else b"\1") + hash
        else:
            found, total, count = fields.varint(), fields.varint(), fields.varint()
            need(found == depth, "depth at", offset)
            need(1 <= count <= 2, count, "pointers at", offset)
            image = b"\1" + varint(depth) + varint(total) + varint(count)
            children, last = [], -1
            for _ in range(count):
                index = fields.varint()
                need(last < index < 2 and fields.byte() == 0, "pointer at", offset)
                child, last = fields.u64(), index
                need(child < offset, "forward offset at", offset)
                hash, below, _ = self.node(child, False, depth + 1, bits + str(index))
                image += varint(index) + hash
                children += below
            need(len(children) == total > 2, "number of entries at", offset)
        fields.end()
        need(blake2b(image) == stored, "hash at", offset)
        self.known[offset, root, bits] = result = (stored, children, length)
        return result

    def contents(self, offset):
        known = self.known.get(offset)
        if not known:
            stored, kind, body, length = self.entry(offset)
            need(kind == "B", "kind", kind, "at", offset)
            need(blake2b(u64(len(body)) + body) == stored, "hash at", offset)
            self.known[offset] = known = (stored, len(body), length)
        return known

    def paths(self, root):
        """Every path below a directory, itself first; what is below a directory follows it."""
        rows, todo = [], [((), True, root)]
        while todo:
            path, is_node, offset = todo.pop()
            row = {"path": [step.decode("latin-1") for step in path], "kind": "node" if is_node else "contents"}
            if is_node:
                hash, children, length = self.node(offset, True)
                row.update(hash=hash.hex(), children=len(children), offset=offset, length=length)
                children = sorted(children, reverse=True)
                todo += [(path + (name,), below, child) for name, below, child, _ in children]
            else:
                hash, size, length = self.contents(offset)
                row.update(hash=hash.hex(), size=size, offset=offset, length=length)
            rows.append(row)
        return rows

    def there(self, offset):
        last = self.pieces[-1]
        return offset < self.end and any(
            start <= offset < start + len(piece) for start, piece in self.pieces)

    def commit(self, key):
        offset, size, _ = self.index[key]
        stored, kind, body, length = self.entry(offset)
        need(kind == "D" and length == size, "commit at", offset)
        fields = Bytes(body)
        need(fields.byte() == 0, "address of the root")
        root = fields.u64()
        need(root < offset, "forward offset at", offset)
        parents, date, author, message = fields.varint(), fields.u64(), fields.string(), fields.string()
        need(parents == 0, "parents")
        fields.end()
        hash, children, root_length = self.node(root, True)
        image = u64(32) + hash + u64(0) + u64(date) + u64(len(author)) + author + u64(len(message)) + message
        need(blake2b(image) == stored == key, "hash of commit", key.hex())
        place = lambda offset, hash, length: {"hash": hash.hex(), "offset": offset, "length": length}
        found = {"hash": key.hex(), "available": True, "offset": offset, "length": length,
                 "author": author.decode(), "message": message.decode(), "date": date, "parents": parents,
                 "root_node": place(root, hash, root_length)}
        for name, is_node, child, below in children:
            if name == b"pvm_state" and is_node:
                found["pvm_state"] = place(child, below, self.node(child, True)[2])
        return found

    def dump(self):
        commits, paths = [], {}
        for key, (offset, _, _) in self.index.items():
            if self.there(offset):
                commit = self.commit(key)
                commits.append(commit)
                paths[commit["hash"]] = self.paths(commit["root_node"]["offset"])
            else:
                commits.append({"hash": key.hex(), "available": False})
        index = [{"hash": key.hex(), "offset": offset, "length": length, "kind": kind}
                 for key, (offset, length, kind) in self.index.items()]
        ranges = [[start, len(piece)] for start, piece in self.pieces[:-1]]
        return {"control": self.control, "index": index, "commits": commits, "paths": paths, "ranges": ranges}


def directory(root):
    files = {}
    for above, _, names in os.walk(root):
        for name in names:
            path = os.path.join(above, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, root)] = file.read()
    return files


def plant(tree, path=()):
    """What a tree must become: hash and rows of every path. A tree is a list of [name, tree], both names and
    contents in hexadecimal."""
    if isinstance(tree, str):
        data = bytes.fromhex(tree)
        hash = blake2b(u64(len(data)) + data)
        return hash, [[path, "contents", hash.hex(), len(data)]]
    entries, rows = [], []
    for name, below in tree:
        name = bytes.fromhex(name)
        hash, found = plant(below, path + (name,))
        rows += found
        entries.append((name, not isinstance(below, str), hash))

    def inode(entries, depth):
        if len(entries) > 2:
            bit = lambda entry: blake2b(entry[0])[depth // 8] >> (7 - depth % 8) & 1
            halves = [(index, [entry for entry in entries if bit(entry) == index]) for index in (0, 1)]
            halves = [(index, half) for index, half in halves if half]
            image = b"\1" + varint(depth) + varint(len(entries)) + varint(len(halves))
            return blake2b(image + b"".join(varint(index) + inode(half, depth + 1) for index, half in halves))
        if depth == 0:
            marks, image = (b"\xff" + bytes(7), bytes(8)), u64(len(entries))
            return blake2b(image + b"".join(
                marks[is_node] + string(name) + u64(32) + hash for name, is_node, hash in sorted(entries)))
        image = b"\0" + varint(len(entries))
        return blake2b(image + b"".join(
            string(name) + (b"\0" if is_node else b"\1") + hash for name, is_node, hash in sorted(entries)))

    hash = inode(entries, 0)
    return hash, [[path, "node", hash.hex(), len(entries)]] + rows


def built(root):
    with open(os.path.join(root, "tree.json")) as file:
        hash, rows = plant(json.load(file))
    store = Store(directory(os.path.join(root, "context")))
    need(len(store.index) == 1 and len(store.pieces) == 2, "one commit, one range")
    found = store.dump()
    need(found["commits"][0]["root_node"]["hash"] == hash.hex(), "hash of the root")
    wanted = sorted([[step.decode("latin-1") for step in row[0]]] + row[1:] for row in rows)
    (paths,) = found["paths"].values()
    need(wanted == sorted([row["path"], row["kind"], row["hash"], row.get("size", row.get("children"))]
                          for row in paths), "the paths")
    long = {name for row in rows for name in row[0] if len(name) > 3}
    need(long.issuperset(store.names), "a name in the dictionary")
    need(len(store.names) == min(len(long), 100001), "length of the dictionary")
    return found["commits"][0]


def judge(path):
    """Compares what the real library says with what this reader finds; the names of the stores."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}
    names = sorted(name[:-5] for name in files if name.endswith(".json") and name != "negative.json")
    for name in names:
        below = {path[len(name) + 1 :]: data for path, data in files.items() if path.startswith(name + "/")}
        expected = json.loads(files[name + ".json"])
        found = Store(below).dump()
        need({"Valid": {"V5": found["control"]}} == json.loads(expected["control"]), name, "control")
        by_hash = lambda rows: sorted(rows, key=lambda row: row["hash"])
        need(by_hash(found["index"]) == by_hash(expected["index"]), name, "index")
        commits = [{key: value for key, value in commit.items() if key != "b58"} for commit in expected["commits"]]
        there = {commit["hash"]: commit for commit in commits if commit["available"]}
        need({c["hash"]: c for c in found["commits"] if c["available"]} == there, name, "commits")
        by_path = lambda rows: sorted(rows, key=lambda row: row["path"])
        need(not there or expected["paths"], name, "has no paths")
        for commit, rows in expected["paths"].items():
            need(by_path(found["paths"].get(commit, [])) == by_path(rows), name, "paths of", commit)
    return names


def main():
    sys.setrecursionlimit(10000)
    command, args = sys.argv[1], sys.argv[2:]
    try:
        if command == "dump":
            result = [Store(directory(path)).dump() for path in args]
        elif command == "built":
            result = [built(path) for path in args]
        elif command == "judge":
            result = judge(*args)
        else:
            raise SystemExit(__doc__)
    except (Wrong, KeyError, IndexError, struct.error) as wrong:
        raise SystemExit("irmin.py: %s: %s" % (type(wrong).__name__, wrong))
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
