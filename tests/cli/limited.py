#!/usr/bin/env python3
"""Runs a program under limits of the system and says what it used.

  limited.py ANSWER MEMORY CPU WALL PROGRAM ARGUMENT...

MEMORY is the most address space in bytes, CPU and WALL are seconds. Standard streams and exit status
are the program's; 128 and the number of the signal when one ended it, 124 when WALL was over. The
file ANSWER gets one JSON object: `rss` (most memory that was resident, bytes), `cpu` and `wall`
(seconds).
"""
import json, os, resource, signal, sys, time

answer, memory, cpu, wall, *command = sys.argv[1:]
memory, cpu, wall = int(memory), int(cpu), float(wall)
begun = time.monotonic()
child = os.fork()
if child == 0:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
        # The name that a command is called by is that in its help texts.
        os.execv(command[0], ["rollsnap"] + command[1:])
    except OSError as error:
        sys.stderr.write("%s: %s\n" % (command[0], error))
    finally:
        os._exit(127)

over = []


def stop(*_):
    over.append(True)
    os.kill(child, signal.SIGKILL)


signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, wall)
_, status, used = os.wait4(child, 0)
signal.setitimer(signal.ITIMER_REAL, 0)
with open(answer, "w") as file:
    json.dump(
        {
            # Linux counts in KiB, macOS in bytes.
            "rss": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            "cpu": used.ru_utime + used.ru_stime,
            "wall": time.monotonic() - begun,
        },
        file,
    )
code = os.waitstatus_to_exitcode(status)
sys.exit(124 if over else code if code >= 0 else 128 - code)
