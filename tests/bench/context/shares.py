#!/usr/bin/env python3
"""What a share of the proof of a context takes: processor time and peak memory beside those of one run.

  cargo build --release --bins -p rollsnap
  shares.py TARGET [SHARES...] [-- MORE ARGUMENTS OF VERIFY]      default: 4

TARGET is a data directory, a context alone or a snapshot, whose files are in the memory of the system when it begins.
Medians of three turns. The reports are merged in the end, and say what one run says.
"""
import json, os, statistics, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PROGRAM = os.environ.get("PROGRAM", ROOT + "/target/release/rollsnap")
TURNS = 3


def run(*arguments):
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([PROGRAM, *arguments], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit("%s: status %d" % (" ".join(arguments), status >> 8))
        out.seek(0)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10, out.read()


def turns(*arguments):
    taken = [run(*arguments) for _ in range(TURNS)]
    return statistics.median(seconds for seconds, _, _ in taken), max(memory for _, memory, _ in taken), taken[-1][2]


def main(target, counts, more):
    verify = ["verify", target, "--json", "-q", *more]
    run(*verify)
    one, memory, report = turns(*verify)
    objects = json.loads(report)["context"]["objects"]
    print("%d objects, %d MB; one run: %.2f s, %d MiB" % (objects["count"], objects["bytes"] // 10**6, one, memory))
    for count in counts:
        with tempfile.TemporaryDirectory() as tmp:
            files, taken, most = [], [], 0
            for number in range(1, count + 1):
                seconds, memory, text = turns(*verify, "--shard", "%d/%d" % (number, count))
                files.append("%s/%d.json" % (tmp, number))
                with open(files[-1], "wb") as file:
                    file.write(text)
                if json.loads(text)["share"]["context"]["whole"]:
                    print("share %d of %d read the whole" % (number, count))
                taken.append(seconds)
                most = max(most, memory)
            merged = json.loads(run("report", "merge", *files, "--json")[2])
            same = merged["verdicts"] == json.loads(report)["verdicts"] and merged["context"] == json.loads(report)["context"]
            parts = " ".join("%.2f" % (seconds / one) for seconds in taken)
            print("%d shares: %s of one run; %d MiB at most; merged: %s" % (count, parts, most, "the same" if same else "ANOTHER"))


if __name__ == "__main__":
    words, more = sys.argv[1:], []
    if "--" in words:
        words, more = words[: words.index("--")], words[words.index("--") + 1 :]
    main(words[0], [int(word) for word in words[1:]] or [4], more)
