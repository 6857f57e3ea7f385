#!/usr/bin/env python3
"""How fast `rollsnap verify` walks a long chain, and how much memory it takes.

  run.py [BLOCKS] [ROLLSNAP]      200000 blocks, target/release/rollsnap

Makes the store first (make_store.py), in a temporary directory, and takes the best of three runs.
"""
import json, os, subprocess, sys, tarfile, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


def main(count, program):
    with tempfile.TemporaryDirectory() as tmp:
        with tarfile.open(ROOT + "/tests/fixtures/data-dir/v5-archive.tar") as archive:
            archive.extractall(tmp, filter="data")
        begun = time.monotonic()
        data = tmp + "/data"
        # In a process of its own: a child's peak memory counts from what its parent had.
        store = [sys.executable, HERE + "/make_store.py", tmp + "/v5-archive", data, str(count)]
        subprocess.run(store, check=True)
        size = os.path.getsize(data + "/store.sqlite")
        print("%d blocks, store of %.0f MiB, made in %.0f s" % (count, size / 2**20, time.monotonic() - begun))
        best = None
        for _ in range(3):
            with tempfile.TemporaryFile() as out:
                child = subprocess.Popen([program, "verify", "--json", "--context", "none", data], stdout=out)
                _, status, usage = os.wait4(child.pid, 0)
                out.seek(0)
                report = json.load(out)
            if status or report["failures"]:
                sys.exit("the store does not verify: %s" % report["failures"])
            seconds = next(phase["ms"] for phase in report["phases"] if phase["name"] == "Checking chain") / 1000
            print("walk %.2f s, %.0f blocks/s, peak memory %.1f MiB"
                  % (seconds, count / seconds, usage.ru_maxrss / 1024))
            best = min(seconds, best or seconds)
        print("best: %.0f blocks/s" % (count / best))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    main(count, sys.argv[2] if len(sys.argv) > 2 else ROOT + "/target/release/rollsnap")
