"""Runs a program in a terminal of its own and says what is on the screen afterwards.

    terminal.py COLUMNS [--feed FILE SECONDS] PROGRAM ARGUMENT...

Standard output and standard error go to the terminal; standard input is /dev/null, or a pipe that gets FILE in two
halves, SECONDS apart. Prints JSON: the exit status, the lines of the screen (with those that scrolled away), how often
a line was drawn over, and how many characters ran over the right edge into the next line.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import threading
import time

SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Screen:
    """As much of a terminal as progress bars use: it never forgets a line, and counts what does not fit."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [[]], 0, 0
        self.redrawn = self.over = 0

    def put(self, char):
        if self.column == self.columns:
            self.over += 1
            self.newline()
            self.column = 0
        line = self.lines[self.row]
        line.extend(" " * (self.column + 1 - len(line)))
        line[self.column] = char
        self.column += 1

    def newline(self):
        self.row += 1
        while len(self.lines) <= self.row:
            self.lines.append([])

    def feed(self, text):
        at = 0
        while at < len(text):
            char = text[at]
            found = SEQUENCE.match(text, at)
            if found:
                self.control(found[1], found[2])
                at = found.end()
                continue
            at += 1
            if char == "\n":
                self.newline()
            elif char == "\r":
                self.column = 0
            elif char == "\b":
                self.column = max(0, self.column - 1)
            elif char >= " ":
                self.put(char)

    def control(self, numbers, what):
        number = int(numbers) if numbers.isdigit() else 0
        if what == "A":
            self.row = max(0, self.row - max(1, number))
        elif what == "B":
            for _ in range(max(1, number)):
                self.newline()
        elif what == "G":
            self.column = max(1, number) - 1
        elif what == "K":
            line = self.lines[self.row]
            if number == 2:
                self.redrawn += bool(line)
                line.clear()
            elif number == 0:
                del line[self.column:]
        elif what == "J":
            del self.lines[self.row][self.column:]
            del self.lines[self.row + 1:]

    def shown(self):
        lines = ["".join(line).rstrip() for line in self.lines]
        while lines and not lines[-1]:
            lines.pop()
        return lines


def main(columns, arguments):
    feed = None
    if arguments[0] == "--feed":
        feed, arguments = (open(arguments[1], "rb").read(), float(arguments[2])), arguments[3:]
    reading, writing = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.dup2(reading if feed else os.open("/dev/null", os.O_RDONLY), 0)
        os.close(reading)
        os.close(writing)
        os.environ["TERM"] = "xterm-256color"
        os.execv(arguments[0], ["rollsnap", *arguments[1:]])
    os.close(reading)

    def give():
        with os.fdopen(writing, "wb") as pipe:
            if feed:
                bytes_, seconds = feed
                pipe.write(bytes_[: len(bytes_) // 2])
                pipe.flush()
                time.sleep(seconds)
                pipe.write(bytes_[len(bytes_) // 2:])

    threading.Thread(target=give, daemon=True).start()
    raw = b""
    while True:
        try:
            ready, _, _ = select.select([terminal], [], [], 60)
            piece = os.read(terminal, 65536) if ready else b""
        except OSError:
            break
        if not piece:
            break
        raw += piece
    _, status = os.waitpid(pid, 0)
    screen = Screen(columns)
    screen.feed(raw.decode("utf-8", "replace"))
    json.dump({"status": os.waitstatus_to_exitcode(status), "lines": screen.shown(), "redrawn": screen.redrawn,
               "over": screen.over, "last": "".join(screen.lines[-1])}, sys.stdout)


main(int(sys.argv[1]), sys.argv[2:])
