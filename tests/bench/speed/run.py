#!/usr/bin/env python3
"""How fast snapshots are made and imported: ours against the peers, in turns.

  run.py [--mib 1024] [--rounds 5] [--directory DIR] [--program ROLLSNAP] [export] [import] [small]

All three parts by default; the program is built unless one is named.

`export`: a data directory (corpus.py) to a snapshot. `import`: a snapshot to files, one that camlzip wrote, as the
nodes do, and one of our own. `small`: how long `info`, and `cat` of the last member, take from start to end.

Needs cargo, tar and gzip; takes in pigz, igzip (package isal), libdeflate-gzip (libdeflate-tools), zstd, rapidgzip
(from PyPI) and OCaml with camlzip (ocaml-nox, libzip-ocaml-dev) when they are there. In each round all contenders run, each time in
another order, so that what else the machine does hits all alike; ratios are medians of the ratios within a round.
Size counts the snapshot, memory the largest resident sets of all processes of a contender together, CPU their user
and system seconds.

Ours make what they wrote durable before they end and check what they read; the peers do neither. With the
word "synced" they are followed by a sync of the file system. Every import goes into a fresh directory; only large files are
deleted between runs, because the deletion of many small ones makes the creation of others slow. All of it is in a new
directory under DIR (default: the system's for temporary files), which is removed at the end.
"""
import argparse, os, shutil, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import measure  # noqa: E402

# What a snapshot holds.
TOPS = "context metadata store.sqlite wasm_2_0_0"
# Skips the header of a snapshot in a pipe.
UNTAR = "{ dd bs=58 count=1 of=/dev/null status=none; tar -xf - -C OUT; }"


def main(options, work):
    rollsnap = os.path.abspath(options.program) if options.program else build()
    caml = ocaml(work)
    data = work + "/data"
    subprocess.run([sys.executable, HERE + "/corpus.py", data, str(options.mib)], check=True)
    files = {"plain": work + "/plain", "camlzip": work + "/foreign", "ours": work + "/own"}
    export = "%s export OUT --quiet --no-check --data-dir %s" % (rollsnap, data)
    if "export" in options.what:
        exports(options, work, data, export, caml)
    if {"import", "small"} & set(options.what):
        measure.once((export + " --uncompressed").replace("OUT", files["plain"]))
        measure.once(export.replace("OUT", files["ours"]))
        foreign = caml.get("write", "gzip -6 > OUT")
        measure.once(foreign.replace("OUT", files["camlzip"]) + " < " + files["plain"])
    if "import" in options.what:
        shutil.rmtree(data)
        imports(options, work, rollsnap, files, caml)
    if "small" in options.what:
        small(rollsnap, files)


def build():
    subprocess.run(["cargo", "build", "--profile", "dist", "--locked", "--package", "rollsnap"], cwd=ROOT, check=True)
    return os.environ.get("CARGO_TARGET_DIR", ROOT + "/target") + "/dist/rollsnap"


def ocaml(work):
    """The two programs over camlzip, if they can be built."""
    made = {}
    for name, source, words in (("write", "camlzip", " OUT"), ("read", "untar", " FILE OUT")):
        shutil.copy("%s/%s.ml" % (HERE, source), work)
        command = "ocamlfind ocamlopt -package unix,zip -linkpkg" if shutil.which("ocamlfind") else \
            "ocamlopt -I +unix -I +zip unix.cmxa zip.cmxa"
        build = subprocess.run("%s %s.ml -o %s" % (command, source, source), shell=True, cwd=work, capture_output=True)
        if build.returncode == 0:
            made[name] = work + "/" + source + words
    return made


def here(program):
    return shutil.which(program) is not None


def exports(options, work, data, export, caml):
    tar = "tar --format=v7 --sort=name -cf - -C %s %s | " % (data, TOPS)
    contenders = {"tar, gzip -6": tar + "gzip -6 > OUT"}
    if "write" in caml:
        contenders["tar, camlzip -6 (the nodes)"] = tar + caml["write"]
    if here("pigz"):
        contenders["tar, pigz -6 -p2"] = tar + "pigz -6 -p2 > OUT"
    if here("igzip"):
        contenders["tar, igzip -3"] = tar + "igzip -3 -c > OUT"
    # It holds the whole archive in memory.
    if here("libdeflate-gzip"):
        for level in 6, 9:
            contenders["tar, libdeflate-gzip -%d" % level] = tar + "libdeflate-gzip -%d -c > OUT" % level
    if here("zstd"):
        contenders["tar, zstd -3 (another format)"] = tar + "zstd -3 -q -c > OUT"
    for jobs in 1, 2:
        ours = "%s --jobs %d" % (export, jobs)
        contenders["rollsnap export, jobs %d" % jobs] = ours
        contenders["rollsnap export --fast, jobs %d" % jobs] = ours + " --fast"
    contenders["rollsnap export --best, jobs 2"] = ours + " --best"

    def prepare(name, number):
        out = "%s/export-%d" % (work, number)

        def after(run):
            run.size = os.path.getsize(out)
            if number == 0 and "zstd" not in name:
                subprocess.run(["gzip", "-t"], stdin=open(out, "rb"), check=True)
            os.remove(out)

        return contenders[name].replace("OUT", out), after

    runs = measure.side_by_side(contenders, options.rounds, prepare)
    gzip = runs["tar, gzip -6"][0].size
    total = sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(data) for name in names)
    rows = []
    for name, each in runs.items():
        ratios = [measure.ratio(runs, name, other) for other in ("tar, camlzip -6 (the nodes)", "tar, pigz -6 -p2")]
        seconds, cpu, memory = measure.figures(each)
        size = each[0].size
        rows.append((name, [seconds, *ratios, "%.1f" % (size / 2**20), "%+.2f %%" % ((size / gzip - 1) * 100), cpu, memory]))
    title = "Export of %.0f MiB, medians of %d rounds" % (total / 2**20, options.rounds)
    measure.table(title, ["seconds", "x camlzip", "x pigz", "MiB", "size / gzip -6", "CPU s", "memory MiB"], rows)


def imports(options, work, rollsnap, files, caml):
    foreign = files["camlzip"]
    contenders = {"gzip -dc, tar x": "gzip -dc < %s | %s" % (foreign, UNTAR)}
    if "read" in caml:
        contenders["camlzip reader and writer (the nodes)"] = "mkdir -p OUT; " + caml["read"].replace("FILE", foreign)
    for name, command in (("pigz", "pigz -dc"), ("igzip", "igzip -dc"), ("rapidgzip", "rapidgzip -q -d -c -P 2")):
        if here(name):
            contenders[command + ", tar x"] = "%s < %s | %s" % (command, foreign, UNTAR)
            if name == "pigz":
                contenders[command + ", tar x, synced"] = "%s < %s | %s; sync -f OUT" % (command, foreign, UNTAR)
    for which, path in (("of camlzip's file", foreign), ("of our own file", files["ours"])):
        contenders["rollsnap import " + which] = "%s import %s --quiet --no-check --data-dir OUT" % (rollsnap, path)

    def prepare(name, number):
        out = "%s/import-%d-%d" % (work, number, list(contenders).index(name))
        if "rollsnap" not in name:
            os.makedirs(out)

        def after(_):
            if number == 0:
                subprocess.run(["cmp", out + "/store.sqlite", work + "/store"], check=True) \
                    if os.path.exists(work + "/store") else shutil.copy(out + "/store.sqlite", work + "/store")
            for top, _, names in os.walk(out):
                for path in (os.path.join(top, name) for name in names):
                    if os.path.getsize(path) > 4096:
                        os.remove(path)

        return contenders[name].replace("OUT", out), after

    runs = measure.side_by_side(contenders, options.rounds, prepare)
    rows = []
    others = ("camlzip reader and writer (the nodes)", "pigz -dc, tar x", "gzip -dc, tar x")
    for name, each in runs.items():
        seconds, cpu, memory = measure.figures(each)
        rows.append((name, [seconds, *(measure.ratio(runs, name, other) for other in others), cpu, memory]))
    title = "Import of %.0f MiB, medians of %d rounds" % (os.path.getsize(files["plain"]) / 2**20, options.rounds)
    measure.table(title, ["seconds", "x camlzip", "x pigz", "x gzip", "CPU s", "memory MiB"], rows)


def small(rollsnap, files):
    """Start to end, in milliseconds: the median and the worst of many."""
    listed = subprocess.run([rollsnap, "ls", files["plain"]], check=True, capture_output=True, text=True).stdout
    last = listed.strip().splitlines()[-1].split()[-1]
    commands = [("nothing (true)", "exec true")]
    for which, key in (("of camlzip's file", "camlzip"), ("of our own file", "ours"), ("of an uncompressed file", "plain")):
        commands.append(("rollsnap info " + which, "exec %s info %s" % (rollsnap, files[key])))
    for which, key in (("of our own file", "ours"), ("of an uncompressed file", "plain")):
        commands.append(("rollsnap cat of the last member " + which, "exec %s cat --quiet %s %s" % (rollsnap, files[key], last)))
    rows = []
    for name, command in commands:
        times = [measure.once(command, quick=True).seconds * 1000 for _ in range(41)]
        rows.append((name, ["%.1f" % statistics.median(times), "%.1f" % max(times)]))
    measure.table("Start to end, 41 runs, with the start of a shell", ["median ms", "worst ms"], rows)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--mib", type=int, default=1024)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--directory")
    words.add_argument("--program")
    parts = ["export", "import", "small"]
    words.add_argument("what", nargs="*", metavar="PART")
    options = words.parse_args()
    if not set(options.what) <= set(parts):
        words.error("a part is one of " + ", ".join(parts))
    options.what = options.what or parts
    if options.directory:
        os.makedirs(options.directory, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rollsnap-bench-", dir=options.directory) as work:
        main(options, work)
