#!/usr/bin/env python3
"""How fast a tree is compressed: our engine against the peers, in turns.

  run.py [MIB] [ROUNDS] [DIRECTORY]      1024 MiB, 5 rounds, a new directory under /tmp

Needs gzip; takes pigz, igzip (package isal) and OCaml with camlzip (ocaml-nox, libzip-ocaml-dev) in
when they are there. Every contender reads the output of `tar` from a pipe and writes a file. In each
round all of them run, each time in another order, so that what else the machine does hits all alike.
Ratios are medians of the ratios within a round. Memory is the largest resident set of the compressor,
CPU its user and system seconds.

The corpus and the outputs stay in the directory until the end; then a directory of our own is removed.
"""
import os, random, shutil, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


def main(mib, rounds, directory):
    corpus = "%s/corpus-%d" % (directory, mib)
    if not os.path.exists(corpus):
        subprocess.run([sys.executable, HERE + "/corpus.py", corpus, str(mib)], check=True)
    tar = ["tar", "--format=v7", "-cf", "-", "-C", corpus, "."]
    size = int(subprocess.run(" ".join(tar) + " | wc -c", shell=True, check=True, capture_output=True).stdout)
    entries = contenders(directory, size)
    results = {name: [] for name in entries}
    for number in range(rounds):
        order = list(entries)
        random.Random(number).shuffle(order)
        for name in order:
            results[name].append(once(tar, entries[name], "%s/out-%d" % (directory, number), number == 0))
    table(results, size)


def contenders(directory, size):
    """Name to (command, whether it writes to standard output); OUT stands for the output file."""
    build = ["cargo", "build", "--release", "--quiet", "--package", "rollsnap", "--example", "deflate"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", ROOT + "/target")
    ours = [target + "/release/examples/deflate", "OUT"]
    entries = {}
    if shutil.which("ocamlopt"):
        shutil.copy(HERE + "/camlzip.ml", directory)
        made = subprocess.run(["ocamlopt", "-I", "+unix", "-I", "+zip", "unix.cmxa", "zip.cmxa", "camlzip.ml",
                               "-o", "camlzip"], cwd=directory, capture_output=True)
        if made.returncode == 0:
            entries["camlzip -6"] = [directory + "/camlzip", "OUT"]
    entries["gzip -6"] = ["gzip", "-6"]
    if shutil.which("pigz"):
        entries["pigz -6 -p2"] = ["pigz", "-6", "-p2"]
    if shutil.which("igzip"):
        entries["igzip -3"] = ["igzip", "-3", "-c"]
    for jobs in "1", "2":
        entries["rollsnap, jobs " + jobs] = ours + ["6", jobs, str(size)]
        entries["rollsnap --fast, jobs " + jobs] = ours + ["fast", jobs, str(size)]
    return entries


def once(tar, command, path, check):
    begun = time.monotonic()
    with open(path, "wb") as out:
        # A child of its own for each, so that wait4 tells of the compressor alone.
        feed = subprocess.Popen(tar, stdout=subprocess.PIPE)
        command = [path if word == "OUT" else word for word in command]
        child = subprocess.Popen(command, stdin=feed.stdout, stdout=out)
        feed.stdout.close()
        peak, pid = 0, 0
        while not pid:
            peak = max(peak, resident(child.pid))
            time.sleep(0.005)
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
    seconds = time.monotonic() - begun
    if status or feed.wait():
        sys.exit("%s failed" % command)
    if check:
        subprocess.run(["gzip", "-t"], stdin=open(path, "rb"), check=True)
    length = os.path.getsize(path)
    os.remove(path)
    return seconds, usage.ru_utime + usage.ru_stime, peak / 1024, length


def resident(pid):
    """Largest resident set so far, in KiB. (What wait4 tells counts from what the parent had.)"""
    try:
        with open("/proc/%d/status" % pid) as status:
            return int(next((line.split()[1] for line in status if line.startswith("VmHWM")), 0))
    except OSError:
        return 0


def table(results, size):
    def ratio(name, other):
        if other not in results:
            return "-"
        pairs = zip(results[name], results[other])
        return "%.2f" % statistics.median(theirs[0] / ours[0] for ours, theirs in pairs)

    print("%d bytes of tar, medians of %d rounds\n" % (size, len(results["gzip -6"])))
    print("| | seconds | x camlzip | x pigz | size / gzip -6 | ratio | CPU s | x camlzip by CPU | memory MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    gzip = results["gzip -6"][0][3]
    for name, runs in results.items():
        seconds, cpu, memory, _ = (statistics.median(column) for column in zip(*runs))
        base = statistics.median(run[1] for run in results.get("camlzip -6", runs))
        print("| %s | %.2f | %s | %s | %+.2f %% | %.3f | %.2f | %.2f | %.0f |" % (
            name, seconds, ratio(name, "camlzip -6"), ratio(name, "pigz -6 -p2"),
            (runs[0][3] / gzip - 1) * 100, runs[0][3] / size, cpu, base / cpu, memory))


if __name__ == "__main__":
    if len(sys.argv) > 4 or not all(word.isdigit() for word in sys.argv[1:3]):
        sys.exit(__doc__)
    mib, rounds = [int(word) for word in sys.argv[1:3]] + [1024, 5][len(sys.argv[1:3]):]
    if len(sys.argv) > 3:
        os.makedirs(sys.argv[3], exist_ok=True)
        main(mib, rounds, os.path.abspath(sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory() as directory:
            main(mib, rounds, directory)
