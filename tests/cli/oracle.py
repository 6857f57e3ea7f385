#!/usr/bin/env python3
"""What the tests of the command line ask Python. One JSON value on standard output.

  oracle.py apply OUT ID...        mutants of the data directories, each in OUT/ID (apply_mutant.py)
  oracle.py stage DATA OUT LEVEL   what an export of DATA puts in the archive
  oracle.py pack STAGED OUT HEX    archives it behind the header HEX
  oracle.py bomb OUT MIB           a snapshot of so many zeros, compressed
  oracle.py pages DIR MIB          adds so many pre-images, those of the benchmarks (bench/speed/corpus.py)
  oracle.py dump DB...             every row of every table, schema, integrity check
  oracle.py lists DB               every list of messages, inflated, by the hash that it is stored under
  oracle.py base58check PREFIX PAYLOAD   the text of a hash, both in hexadecimal
  oracle.py members FILE...        header and members of snapshots, read by gzip and tarfile
  oracle.py hold FILE...           takes POSIX locks, says so, keeps them until standard input ends
"""
import fcntl, gzip, hashlib, io, json, os, shutil, sqlite3, sys, tarfile, tempfile, zlib

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIXTURES = TESTS + "/fixtures/data-dir"
sys.dont_write_bytecode = True
sys.path[:0] = [FIXTURES, TESTS + "/bench/speed"]
import apply_mutant  # noqa: E402


def dump(path):
    """Works on a copy: opening a database in WAL mode leaves files beside it."""
    with tempfile.TemporaryDirectory() as tmp:
        for suffix in ("", "-wal"):
            if os.path.exists(path + suffix):
                shutil.copy(path + suffix, os.path.join(tmp, "db" + suffix))
        db = sqlite3.connect(os.path.join(tmp, "db"))
        text = lambda value: "x" + value.hex() if isinstance(value, bytes) else value
        schema = sorted(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"), key=repr)
        tables = {}
        for kind, name, _, _ in schema:
            if kind == "table":
                cursor = db.execute('SELECT * FROM "%s"' % name)
                columns = [column[0] for column in cursor.description]
                tables[name] = sorted(([dict(zip(columns, map(text, row))) for row in cursor]), key=repr)
        pragma = lambda name: [row[0] for row in db.execute("PRAGMA " + name)]
        out = {
            "tables": tables,
            "schema": schema,
            "integrity": pragma("integrity_check"),
            "free_pages": pragma("freelist_count")[0],
            "journal": pragma("journal_mode")[0],
        }
        db.close()
        return out


def lists(path):
    db = sqlite3.connect("file:%s?mode=ro&immutable=1" % path, uri=True)
    rows = db.execute("SELECT payload_hashes_hash, message_list FROM messages").fetchall()
    db.close()
    return {key: zlib.decompress(packed, -15).hex() for key, packed in rows}


def base58check(prefix, payload):
    body = bytes.fromhex(prefix + payload)
    body += hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    number, text = int.from_bytes(body, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    return text


def members(path):
    with open(path, "rb") as file:
        data = file.read()
    compressed = data[:2] == b"\x1f\x8b"
    if compressed:
        data = gzip.decompress(data)
    with tarfile.open(fileobj=io.BytesIO(data[58:])) as archive:
        rows = []
        for member in archive:
            if not member.isreg():
                raise SystemExit("%s is no regular file" % member.name)
            content = archive.extractfile(member).read()
            rows.append({"name": member.name, "size": member.size, "mode": member.mode, "mtime": member.mtime,
                         "sha256": hashlib.sha256(content).hexdigest()})
    return {"compressed": compressed, "header": data[:58].hex(), "members": rows,
            "mode": ["archive", "full"][data[1]], "level": int.from_bytes(data[22:26], "big"),
            "address": base58(b"\x06\x7c\x75" + data[2:22]), "commitment": base58(b"\x11\xa5\x86\x8a" + data[26:58]),
            "sha256": hashlib.sha256(data).hexdigest(), "length": len(data)}


def base58(payload):
    """Base58Check, as every hash of the nodes is written."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    sha256 = lambda data: hashlib.sha256(data).digest()
    number, text = int.from_bytes(payload + sha256(sha256(payload))[:4], "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text


def bomb(path, size):
    """A gzipped snapshot with one member of `size` zeros."""
    block = bytearray(apply_mutant.member("context/store.0.suffix", b""))
    block[124:136] = b"%011o\0" % size
    block[148:156] = b" " * 8
    block[148:156] = b"%07o\0" % sum(block)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(bytes(58) + block)
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
        file.write(bytes(1024))


def hold(paths):
    files = [open(path, "r+b") for path in paths]
    for file in files:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("held", flush=True)
    sys.stdin.read()


def main():
    command, args = sys.argv[1], sys.argv[2:]
    result = None
    if command == "apply":
        mutants = apply_mutant.load(os.path.join(FIXTURES, "mutants.json"))
        for name in args[1:]:
            apply_mutant.apply(mutants[name], os.path.join(args[0], name), FIXTURES)
    elif command == "stage":
        apply_mutant.stage(*args)
    elif command == "pack":
        apply_mutant.put(args[1], apply_mutant.pack(args[0], args[2]))
    elif command == "bomb":
        bomb(args[0], int(args[1]) << 20)
    elif command == "pages":
        import corpus
        corpus.make_pages(corpus.World(), args[0], int(args[1]) << 20)
    elif command == "dump":
        result = [dump(path) for path in args]
    elif command == "members":
        result = [members(path) for path in args]
    elif command == "lists":
        result = [lists(path) for path in args]
    elif command == "base58check":
        result = base58check(*args)
    elif command == "hold":
        return hold(args)
    else:
        raise SystemExit(__doc__)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
