#!/usr/bin/env python3
"""What --sha256 costs an import: each file is imported without and with it, in turns.

  run.py [--rounds 15] [--program ROLLSNAP] FILE…

Files are imported with --no-check into a directory beside the first one, which is removed. In each round the two run one after the other, in
another order each time, so that what else the machine does hits both; the ratio is the median of those within a round.
CPU counts user and system seconds.
"""
import argparse, os, resource, shutil, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--program", default=ROOT + "/target/release/rollsnap")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    print("| file | MB | seconds | with `--sha256` | ratio | CPU s | with `--sha256` |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for file in options.files:
        measure(options, file)


def measure(options, file):
    right = subprocess.run(["sha256sum", file], check=True, capture_output=True, text=True).stdout.split()[0]
    runs = {False: [], True: []}
    for number in range(options.rounds):
        for summed in (number % 2 == 0, number % 2 == 1):
            more = ["--sha256", right] if summed else []
            runs[summed].append(once([options.program, "import", file, "--no-check", "--quiet"] + more, file))
    ratio = statistics.median(with_[0] / without[0] for with_, without in zip(runs[True], runs[False]))
    median = lambda summed, at: statistics.median(run[at] for run in runs[summed])
    size = os.path.getsize(file) / 1e6
    print("| %s | %.0f | %.2f | %.2f | %.3f | %.2f | %.2f |" % (
        os.path.basename(file), size, median(False, 0), median(True, 0), ratio, median(False, 1), median(True, 1)))
    sys.stdout.flush()


def once(command, file):
    """Seconds, and those of the processor."""
    place = tempfile.mkdtemp(dir=os.path.dirname(os.path.abspath(file)))
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command + ["--data-dir", place + "/data"], check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(place)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
