#!/usr/bin/env python3
"""Would a node read this snapshot, all of it, and could a node have written its archive?

  node_rules.py FILE...        one JSON value: for each file its header and members, or why not
  node_rules.py --headers ROWS the member headers for rows of name, mode, size and time, in hexadecimal

A reader of its own, by the rules of camlzip's Gzip and of the writer in ocaml-tar 2.6.0, with Python's zlib
for deflate alone. It is stricter than the nodes in what they let pass without noticing: a trailer that they do
not reach, bytes behind the end. It shares nothing with what it judges.
"""
import hashlib, json, sys, zlib

# Sizes from here on do not fit the eleven octal digits of a member header.
BIG = 8**11


class Refused(Exception):
    pass


def check(holds, why):
    if not holds:
        raise Refused(why)


class Bytes:
    """Bytes read from front to end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count, what):
        piece = self.data[self.at:self.at + count]
        check(len(piece) == count, "end of file in " + what)
        self.at += count
        return piece

    def rest(self):
        return len(self.data) - self.at


def gunzip(file):
    """The content of the one member, and the header bytes before its extra field."""
    reader = Bytes(file)
    fixed = reader.take(10, "the gzip header")
    check(fixed[2] == 8, "gzip: not deflate")
    flags = fixed[3]
    check(flags & 0xE0 == 0, "gzip: reserved flags")
    if flags & 4:
        reader.take(int.from_bytes(reader.take(2, "the gzip header"), "little"), "the extra field")
    for flag in (8, 16):
        while flags & flag and reader.take(1, "the gzip header") != b"\0":
            pass
    if flags & 2:
        # Skipped, as camlzip does, and not compared.
        reader.take(2, "the gzip header")
    inflate = zlib.decompressobj(wbits=-15)
    try:
        content = inflate.decompress(reader.data[reader.at:])
    except zlib.error as error:
        raise Refused("gzip: %s" % error)
    check(inflate.eof, "end of file in the deflate stream")
    trailer = inflate.unused_data
    check(len(trailer) >= 8, "end of file in the gzip trailer")
    check(int.from_bytes(trailer[:4], "little") == zlib.crc32(content), "gzip: CRC")
    check(int.from_bytes(trailer[4:8], "little") == len(content) % 2**32, "gzip: length")
    check(len(trailer) == 8, "gzip: something behind the first member")
    return content, fixed


def octal(number, digits):
    """As ocaml-tar prints numbers: with leading zeros, and what is too long is cut at its end."""
    return (b"%0*o" % (digits, number) + b"\0")[:digits + 1]


def block(name, mode, size, mtime, kind=b"\0"):
    """The 512 bytes that ocaml-tar 2.6.0 writes at its level V7."""
    check(len(name) <= 100, "tar: a name of more than 100 bytes")
    fields = [name.ljust(100, b"\0"), octal(mode, 7), octal(0, 7), octal(0, 7), octal(size, 11), octal(mtime, 11)]
    before, after = b"".join(fields), (kind + bytes(100)).ljust(512 - 156, b"\0")
    return before + octal(sum(before) + 8 * ord(" ") + sum(after), 7) + after


def records(size):
    """The extended header of a member that is too large for its own."""
    out = b""
    for key, value in ((b"gid", 0), (b"size", size), (b"uid", 0)):
        text = b" %s=%d\n" % (key, value)
        out += b"%08d" % (8 + len(text)) + text
    return out


def headers(name, mode, size, mtime):
    """Everything that stands before the content of a member."""
    out = b""
    if size >= BIG:
        body = records(size)
        out = block(b"paxheader", 0o400, len(body), 0, b"x") + body + bytes(-len(body) % 512)
    return out + block(name, mode, size, mtime)


def number(field, what):
    digits = field.rstrip(b"\0")
    check(digits and all(48 <= digit < 56 for digit in digits), "tar: the %s is no octal number" % what)
    return int(digits, 8)


def safe(name):
    """What both nodes write inside the directory, and as one file."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise Refused("tar: a name that is no text")
    check(all(part not in ("", ".", "..") for part in text.split("/")), "tar: a name that leads elsewhere")
    return text


def archive(reader):
    members, names, parents = [], set(), set()
    while True:
        begin, size = reader.at, None
        header = reader.take(512, "a member header")
        if header == bytes(512):
            check(reader.take(512, "the end of the archive") == bytes(512), "tar: one zero block alone")
            check(reader.rest() == 0, "tar: something behind the two zero blocks")
            return members
        if header[156:157] == b"x":
            body = reader.take(number(header[124:136], "size"), "an extended header")
            reader.take(-len(body) % 512, "padding")
            try:
                size = int(dict(record.split(b" ")[1].split(b"=") for record in body.splitlines())[b"size"])
            except (KeyError, IndexError, ValueError):
                raise Refused("tar: an extended header without size")
            check(size >= BIG, "tar: an extended header without need")
            header = reader.take(512, "a member header")
        raw = header[:100].rstrip(b"\0")
        check(b"\0" not in raw, "tar: a NUL inside a name")
        if size is None:
            size = number(header[124:136], "size")
        mode, mtime = number(header[100:108], "mode"), number(header[136:148], "time")
        check(mode <= 0o7777, "tar: more than permissions in the mode")
        expected = headers(raw, mode, size, mtime)
        found = reader.data[begin:reader.at]
        if found != expected:
            at = next((at for at, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]), len(expected))
            raise Refused("tar: byte %d of a member header is not as ocaml-tar writes it" % at)
        name = safe(raw)
        check(name not in names, "tar: one name twice")
        above = ["/".join(name.split("/")[:depth]) for depth in range(1, name.count("/") + 1)]
        check(name not in parents and names.isdisjoint(above), "tar: a file and a directory of one name")
        names.add(name)
        parents.update(above)
        content = reader.take(size, "the content of a member")
        check(not any(reader.take(-size % 512, "padding")), "tar: padding that is not zero")
        members.append({"name": name, "mode": mode, "size": size, "mtime": mtime,
                        "sha256": hashlib.sha256(content).hexdigest()})


def judge(file):
    content, gzip = (gunzip(file) if file[:2] == b"\x1f\x8b" else (file, None))
    reader = Bytes(content)
    header = reader.take(58, "the header")
    check(header[0] == 0, "header: version %d" % header[0])
    check(header[1] in (0, 1), "header: history mode %d" % header[1])
    return {"gzip": gzip and gzip.hex(), "header": header.hex(), "members": archive(reader),
            "sha256": hashlib.sha256(content).hexdigest()}


def verdict(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        return judge(data)
    except Refused as why:
        return {"refused": str(why)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--headers"]:
        rows = json.loads(sys.argv[2])
        json.dump([headers(name.encode(), mode, size, mtime).hex() for name, mode, size, mtime in rows], sys.stdout)
    elif len(sys.argv) > 1:
        json.dump([verdict(path) for path in sys.argv[1:]], sys.stdout)
    else:
        sys.exit(__doc__)
