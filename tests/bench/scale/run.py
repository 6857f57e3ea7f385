#!/usr/bin/env python3
"""What each command takes on a data directory of any size: time, processor time, memory, temporary space.

  cargo build --release --bins -p rollsnap -p rollsnap-tests
  run.py [--size 20G] [--shape near|far|wide|deep] [--layout chunks|prefix] [--seed 7] [--work DIR]
         [--program ROLLSNAP] [--maker SCALE_MAKE] [--data DIR] [--memory SIZE] [--without STEP,...] [--keep]

Makes the directory (`scale_make`) with a store of version 4, which is converted first, or takes the one that --data names,
and prints a table. On the disk it needs the size, the snapshot and what checks put there, together twice the size: what a step
no longer needs is removed before the next one, unless --keep is given. --data is never removed. Figures that depend on what the
disk has in memory are those of one run, in this order. Steps that can be left out: convert, stat, compact.
"""
import argparse, json, os, shutil, stat, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.dont_write_bytecode = True
sys.path.insert(0, ROOT + "/tests/bench/speed")
import measure  # noqa: E402

MIB = 2**20


class Bench:
    def __init__(self, options, work):
        self.options, self.work, self.rows, self.sizes = options, work, [], ""
        self.tmp = work + "/tmp"
        os.makedirs(self.tmp)

    def step(self, title, *words, of=None, out=()):
        """Runs a command. `of`: bytes that it reads; `out`: what it makes or changes. What it printed, or `None` where it
        failed: that is said, and the rest goes on."""
        say("%s: %s" % (title, " ".join(words)))
        changed = [path for path in out if os.path.exists(path)]
        os.sync()
        with tempfile.TemporaryFile() as said:
            begun = time.monotonic()
            child = subprocess.Popen(words, stdout=said, env={**os.environ, "TMPDIR": self.tmp})
            space = Space(child.pid, self.work, self.tmp, changed)
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.monotonic() - begun
            child.returncode = status
            most = max(0, space.end() - used(out))
            said.seek(0)
            text = said.read()
        cpu = usage.ru_utime + usage.ru_stime
        rate = "%.0f" % (of / 1e6 / seconds) if of else "-"
        end = "" if status == 0 else " (failed: status %d)" % (status >> 8 or status & 127)
        cells = ["%.1f" % seconds, rate, "%.1f" % cpu, "%.0f" % (usage.ru_maxrss / 1024), "%.0f" % (most / MIB)]
        self.rows.append((title + end, cells))
        say("  %s s, %s MB/s, CPU %s s, memory %s MiB, temporary space %s MiB%s" % (*cells, end))
        return text if status == 0 else None

    def remove(self, path):
        if not self.options.keep and os.path.lexists(path):
            say("removing %s" % path)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


class Space(threading.Thread):
    """Watches how much space a process takes: files in the directory for temporary ones, its results and what is beside
    them, and files that have no name any more. What that is more than the results in the end is temporary space."""

    def __init__(self, pid, work, tmp, changed):
        super().__init__(daemon=True)
        self.pid, self.work, self.tmp, self.most = pid, work, tmp, 0
        self.known = set(os.listdir(work)) - {os.path.basename(path) for path in changed}
        self.over = threading.Event()
        self.start()

    def run(self):
        pause = 0.2
        while not self.over.wait(pause):
            begun = time.monotonic()
            new = [self.work + "/" + name for name in os.listdir(self.work) if name not in self.known]
            now = used([self.tmp, *new]) + self.nameless()
            self.most = max(self.most, now)
            # Looking takes long where there are many files.
            pause = max(pause, 10 * (time.monotonic() - begun))

    def nameless(self):
        files, fds = {}, "/proc/%d/fd" % self.pid
        try:
            for fd in os.listdir(fds):
                if os.readlink(fds + "/" + fd).endswith(" (deleted)"):
                    found = os.stat(fds + "/" + fd)
                    files[found.st_dev, found.st_ino] = 512 * found.st_blocks
        except OSError:
            pass
        return sum(files.values())

    def end(self):
        self.over.set()
        self.join()
        return self.most


def blocks(path, files):
    """Puts the files below a path into a table, each once: links to a file take nothing."""
    try:
        found = os.lstat(path)
        files[found.st_dev, found.st_ino] = 512 * found.st_blocks
        if not stat.S_ISDIR(found.st_mode):
            return
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                blocks(entry.path, files)
            else:
                found = entry.stat(follow_symlinks=False)
                files[found.st_dev, found.st_ino] = 512 * found.st_blocks
    except OSError:
        pass


def used(paths):
    """Bytes on the disk below some paths."""
    files = {}
    for path in paths:
        blocks(path, files)
    return sum(files.values())


def length(path):
    """Bytes in the files below a path."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(path) for name in names)


def say(text):
    print("%s %s" % (time.strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def main(options):
    os.makedirs(options.work, exist_ok=True)
    work = tempfile.mkdtemp(prefix="scale-", dir=options.work)
    bench = Bench(options, work)
    try:
        measured(bench, options)
    finally:
        # Also what was measured before somebody ended it.
        columns = ["seconds", "MB/s of the directory", "CPU s", "memory MiB", "temporary space MiB"]
        measure.table("%s, %s%s" % (options.shape, options.layout, bench.sizes), columns, bench.rows)
        if not options.keep:
            shutil.rmtree(work)


def measured(bench, options):
    program, work = options.program, bench.work
    data, snapshot, compact, imported = (work + "/" + name for name in ("data", "snapshot", "compact", "imported"))
    made, without = None, options.without.split(",")
    if options.data:
        data = os.path.abspath(options.data)
    else:
        store = "v5" if "convert" in without else "v4"
        made = bench.step("make it", options.maker, data, "--size", options.size, "--shape", options.shape,
                          "--layout", options.layout, "--seed", options.seed, "--store", store, out=[data])
        if made is None:
            sys.exit("there is nothing to measure")
        made = json.loads(made)
        say("%d objects in %d bytes of context, levels %d to %d" % (
            made["context"]["objects"]["count"], made["context"]["objects"]["bytes"], made["first_level"],
            made["head_level"]))
    size = length(data)
    memory = ["--memory", options.memory] if options.memory else []
    if not options.data and "convert" not in without:
        if bench.step("convert --in-place", program, "convert", data, "--in-place", "--remove-old", "-q", *memory,
                      out=[data]) is None:
            sys.exit("there is no directory of version 5 to go on with")
        size = length(data)
    bench.sizes = ": a directory of %.2f GB" % (size / 1e9)
    report = bench.step("verify the directory", program, "verify", data, "--json", "-q", *memory, of=size)
    judged("the directory", report, made)
    if "stat" not in without:
        bench.step("context stat", program, "context", "stat", data, "-q", *memory)
    bench.step("export", program, "export", "-d", data, snapshot, "-q", *memory, of=size, out=[snapshot])
    if not os.path.exists(snapshot):
        sys.exit("there is no snapshot to go on with")
    bench.sizes += ", a snapshot of %.2f GB" % (length(snapshot) / 1e9)
    if "compact" not in without:
        bench.step("export --compact", program, "export", "--compact", "-d", data, compact, "-q", *memory, out=[compact])
        bench.remove(compact)
    if not options.data:
        bench.remove(data)
    report = bench.step("verify the file", program, "verify", snapshot, "--json", "-q", *memory, of=size)
    judged("the file", report, made)
    bench.step("import", program, "import", snapshot, "-d", imported, "-q", *memory, of=size, out=[imported])
    bench.remove(imported)


def judged(what, report, made):
    """The verdict must be yes, on as many objects as were made."""
    if report is None:
        return
    report = json.loads(report)
    if report["verdicts"]["consistent"] != "yes":
        sys.exit("%s is not consistent: %s" % (what, report["failures"]))
    found = report["context"]["objects"]
    if made and found != made["context"]["objects"]:
        sys.exit("%s has %s, but %s were made" % (what, found, made["context"]["objects"]))


if __name__ == "__main__":
    release = ROOT + "/target/release/"
    parser = argparse.ArgumentParser(usage=__doc__)
    for name, default in (("size", "20G"), ("shape", "near"), ("layout", "chunks"), ("seed", "7"), ("data", None),
                          ("work", tempfile.gettempdir()), ("program", release + "rollsnap"),
                          ("maker", release + "scale_make"), ("memory", None), ("without", "")):
        parser.add_argument("--" + name, default=default)
    parser.add_argument("--keep", action="store_true")
    main(parser.parse_args())
