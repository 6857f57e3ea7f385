#!/usr/bin/env python3
"""What it takes to import and to replay a long compact snapshot: time, processor time, peak memory.

  cargo build --release --bins -p rollsnap -p rollsnap-tests --example replay_states
  run.py [LEVELS]      200000: two weeks of idle levels of six seconds, each with a context

Makes the snapshot (make_levels.py), imports it with all checks, and verifies the result: in one thread, in two, taking
turns, and in four shares whose reports are merged.
"""
import json, os, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
FIXTURES = ROOT + "/tests/fixtures/"
PROGRAM, STATES = ROOT + "/target/release/rollsnap", ROOT + "/target/release/examples/replay_states"
TURNS = 3


def run(title, *arguments):
    with tempfile.TemporaryFile() as out:
        begun = os.times().elapsed
        child = subprocess.Popen([PROGRAM, *arguments], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = os.times().elapsed - begun
        if status:
            sys.exit("%s: status %d" % (" ".join(arguments), status >> 8))
        print("%-24s %7.2f s, processor %7.2f s, peak memory %4d MiB"
              % (title, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10), flush=True)
        out.seek(0)
        return seconds, out.read()


def main(count):
    with tempfile.TemporaryDirectory() as tmp:
        short, long = tmp + "/short", tmp + "/long.snapshot"
        compact = FIXTURES + "replay/r5-long-compact.head.snapshot.gz"
        subprocess.run([PROGRAM, "import", compact, "-d", short, "--no-check", "--keep-compact", "-q"], check=True)
        maker = [sys.executable, HERE + "/make_levels.py", short, HERE + "/l1.json", long]
        subprocess.run([*maker, str(count), STATES], check=True)
        print("%d levels, compact snapshot of %d MiB" % (count, os.path.getsize(long) >> 20))
        stub = subprocess.Popen([sys.executable, FIXTURES + "l1_stub.py", long + ".l1.json"], stdout=subprocess.PIPE,
                                text=True)
        try:
            endpoint = stub.stdout.readline().strip()
            run("import", "import", long, "-d", tmp + "/data", "-E", endpoint, "-q")
        finally:
            stub.terminate()
        verify = ["verify", tmp + "/data", "--context", "none", "--replay", "all", "--json", "-q"]
        times = {1: [], 2: []}
        for _ in range(TURNS):
            for threads, taken in times.items():
                taken.append(replay_of(run("verify, %d thread%s" % (threads, "s"[threads == 1:]), *verify,
                                           "--jobs", str(threads))))
        one, two = (statistics.median(taken) for taken in times.values())
        print("replay alone: %.2f s in one thread, %.2f s in two: %.2f times as fast" % (one, two, one / two))
        reports = []
        for number in range(1, 5):
            _, report = run("share %d of 4" % number, *verify, "--shard", "%d/4" % number)
            reports.append("%s/%d.json" % (tmp, number))
            with open(reports[-1], "wb") as file:
                file.write(report)
        _, merged = run("merge", "report", "merge", *reports, "--json")
        print("merged: replayed %s" % json.loads(merged)["verdicts"]["replayed"])


def replay_of(result):
    """Seconds of the replay in a report."""
    phases = json.loads(result[1])["phases"]
    return next(phase["ms"] for phase in phases if "eplay" in phase["name"]) / 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
