"""Runs shell commands side by side, measures time, processor time and memory, and prints tables."""
import os, random, statistics, subprocess, sys, time


class Run:
    """What one run took: seconds, processor seconds of all its processes, MiB, bytes written."""

    def __init__(self, seconds, cpu, memory, size=0):
        self.seconds, self.cpu, self.memory, self.size = seconds, cpu, memory, size


def once(command, quick=False):
    """One run of a shell command in a process group of its own.

    Memory is the sum of the largest resident sets of its processes, seen by looking at them now and then; a
    quick command is not looked at."""
    begun = time.monotonic()
    child = subprocess.Popen(["sh", "-ec", command], start_new_session=True, stdout=subprocess.DEVNULL)
    if quick:
        _, status, usage = os.wait4(child.pid, 0)
    peaks, pid = {}, 0
    while not quick and not pid:
        for process in group(child.pid):
            # The last that is seen: before a program begins, its process has the memory of its parent.
            peaks[process] = resident(process) or peaks.get(process, 0)
        time.sleep(0.01)
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
    seconds = time.monotonic() - begun
    child.returncode = status
    if status:
        sys.exit("failed: %s" % command)
    return Run(seconds, usage.ru_utime + usage.ru_stime, sum(peaks.values()) / 1024)


def group(leader):
    """The leader and all below it."""
    found = [leader]
    for process in found:
        try:
            with open("/proc/%d/task/%d/children" % (process, process)) as children:
                found += map(int, children.read().split())
        except OSError:
            pass
    return found


def resident(process):
    """Largest resident set so far, in KiB."""
    try:
        with open("/proc/%d/status" % process) as status:
            return int(next((line.split()[1] for line in status if line.startswith("VmHWM")), 0))
    except OSError:
        return 0


def side_by_side(contenders, rounds, prepare):
    """Each contender once a round, in another order each time. `prepare(name, round)` gives the shell command
    and what is to be done with the run afterwards, outside of its time."""
    runs = {name: [] for name in contenders}
    for number in range(rounds):
        order = list(contenders)
        random.Random(number).shuffle(order)
        for name in order:
            command, after = prepare(name, number)
            # What others have left to write is not on the account of the next.
            os.sync()
            run = once(command)
            after(run)
            runs[name].append(run)
            print("  round %d: %-40s %7.2f s" % (number + 1, name, run.seconds), file=sys.stderr)
    return runs


def ratio(runs, name, other):
    """How many times faster than the other: the median of the ratios within each round."""
    if other not in runs:
        return "-"
    return "%.2f" % statistics.median(theirs.seconds / ours.seconds for ours, theirs in zip(runs[name], runs[other]))


def table(title, columns, rows):
    print("\n%s\n\n| | %s |\n|---|%s" % (title, " | ".join(columns), "---:|" * len(columns)))
    for name, cells in rows:
        print("| %s | %s |" % (name, " | ".join(cells)))


def figures(runs):
    """Median seconds, processor seconds and MiB, as cells."""
    medians = [statistics.median(getattr(run, key) for run in runs) for key in ("seconds", "cpu", "memory")]
    return ["%.2f" % medians[0], "%.2f" % medians[1], "%.0f" % medians[2]]
