#!/usr/bin/env python3
"""How fast snapshots behind an address are imported, beside curl in a pipe.

  run.py [--rounds N] [--kills N] [--program PATH] [--server PATH] SNAPSHOT…

Each snapshot is served on the loopback interface at 25 MB/s a connection, by the server that the tests use
(`cargo build --release -p rollsnap-tests --bin fault_server`). In each round every contender runs once, in another order:

  import           rollsnap import URL, while every connection is closed after 40 MB
  download         rollsnap download URL, while every connection is closed after 40 MB
  curl             curl -fL URL | rollsnap import -, over a connection that is not closed
  curl, dropped    the same over one that is closed after 40 MB: it must fail
  aria2c           aria2c -x8 -s8 URL, then rollsnap import FILE, while every connection is closed after 40 MB; left out
                   where aria2c is missing

Prints seconds, bytes that came as a part of the file, requests, and the memory of the largest process. With --kills N
imports of each file are killed (SIGKILL) at random moments and started again, N times in all, while every connection is closed
after 40 MB: it prints what came twice, and compares each result, file by file, with that of an undisturbed import. Needs
three times the size of the data as free space in the directory for temporary files, and removes everything.
"""
import argparse, hashlib, json, os, random, shutil, signal, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "../../../target/release")
RATE, DROP = "25M", "40M"


class Server:
    """A fault server for one run."""

    def __init__(self, program, snapshot, drop):
        faults = ["--throttle", RATE] + (["--drop-every", DROP] if drop else [])
        self.child = subprocess.Popen([program, *faults, snapshot], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        base = self.child.stdout.readline().strip().rstrip("/")
        self.url = base + "/" + os.path.basename(snapshot)

    def end(self):
        said, _ = self.child.communicate()
        return json.loads(said.strip().splitlines()[-1])


def contenders(program, url, place):
    data = os.path.join(place, "data")
    into = ["--data-dir", data, "--no-check", "--quiet"]
    piped = f'curl -sfL "$1" | "$2" import - --data-dir "$3" --no-check --quiet'
    file = os.path.join(place, "file")
    fetched = f'aria2c -q -x8 -s8 -k1M --max-tries=0 --retry-wait=0 -d "$(dirname "$4")" -o "$(basename "$4")" "$1" && "$2" import "$4" --data-dir "$3" --no-check --quiet'
    peers = {
        "aria2c": (["bash", "-c", fetched, "sh", url, program, data, file], True, True),
    }
    return {
        "import": ([program, "import", url, *into], True, True),
        "download": ([program, "download", url, "-o", os.path.join(place, "file"), "--no-check", "--quiet"], True, True),
        "curl": (["bash", "-o", "pipefail", "-c", piped, "sh", url, program, data], False, True),
        "curl, dropped": (["bash", "-o", "pipefail", "-c", piped, "sh", url, program, data], True, False),
        **(peers if shutil.which("aria2c") else {}),
    }


def tree(root):
    """Names and SHA-256 of the files of a data directory, without its locks."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if not name.endswith("lock"):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, root)] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def killed(options, snapshot):
    """Imports that are killed again and again, N times in all: bytes that came, imports, and kills."""
    place = tempfile.mkdtemp()
    undisturbed, data = os.path.join(place, "undisturbed"), os.path.join(place, "data")
    came = imports = kills = 0
    try:
        subprocess.run([options.program, "import", snapshot, "--data-dir", undisturbed, "--no-check", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        expected = tree(undisturbed)
        shutil.rmtree(undisturbed)
        while kills < options.kills:
            server = Server(options.server, snapshot, True)
            words = contenders(options.program, server.url, place)["import"][0]
            status = -signal.SIGKILL
            while status == -signal.SIGKILL:
                child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                if kills < options.kills:
                    try:
                        child.wait(random.uniform(0.1, 1.2))
                    except subprocess.TimeoutExpired:
                        child.send_signal(signal.SIGKILL)
                        kills += 1
                said, status = child.stderr.read(), child.wait()
            came += server.end()["body_bytes"]
            imports += 1
            if status != 0 or tree(data) != expected:
                sys.exit(f"after {kills} kills: status {status}, {said.decode(errors='replace')}")
            shutil.rmtree(data)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return came, imports, kills


def measure(options, snapshot, name):
    """One run: seconds, bytes, requests, memory in KiB."""
    _, drop, succeeds = contenders("", "", "")[name]
    server = Server(options.server, snapshot, drop)
    place = tempfile.mkdtemp()
    try:
        words = contenders(options.program, server.url, place)[name][0]
        begun = time.monotonic()
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begun
        if (status == 0) != succeeds:
            sys.exit(f"{name} ended with {status}: {said.decode(errors='replace')}")
    finally:
        shutil.rmtree(place, ignore_errors=True)
        sent = server.end()
    return seconds, sent["body_bytes"], sent["requests"], used.ru_maxrss


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--program", default=os.path.join(TARGET, "rollsnap"))
    parser.add_argument("--server", default=os.path.join(TARGET, "fault_server"))
    parser.add_argument("snapshots", nargs="+", metavar="SNAPSHOT")
    options = parser.parse_args()
    print("| file | contender | seconds | beside curl | bytes : file | requests | memory |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for snapshot in options.snapshots:
        size = os.path.getsize(snapshot)
        runs = {name: [] for name in contenders("", "", "")}
        for _ in range(options.rounds):
            for name in random.sample(list(runs), len(runs)):
                runs[name].append(measure(options, snapshot, name))
        curl = [run[0] for run in runs["curl"]]
        for name, measured in runs.items():
            seconds, came, requests, memory = (statistics.median(column) for column in zip(*measured))
            ratio = statistics.median(one / run[0] for one, run in zip(curl, measured))
            beside = "fails" if name == "curl, dropped" else f"{ratio:.1f} ×"
            print(f"| {os.path.basename(snapshot)} | {name} | {seconds:.1f} | {beside} | {came / size:.3f} | {requests:.0f} "
                  f"| {memory / 1024:.0f} MiB |", flush=True)
        if options.kills:
            came, imports, kills = killed(options, snapshot)
            again = (came - imports * size) / kills / 2**20
            print(f"{os.path.basename(snapshot)}: {kills} kills of {imports} imports, and each time the same result; "
                  f"{again:.1f} MiB came twice for each kill", flush=True)


if __name__ == "__main__":
    main()
