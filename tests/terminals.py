"""A program in a pseudo-terminal, the screen that a person would see, and keys to press."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "enter": "\r",
    "escape": "\x1b",
    "space": " ",
    "backspace": "\x7f",
    "ctrl-a": "\x01",
    "ctrl-c": "\x03",
    "ctrl-u": "\x15",
}
_TOKEN = re.compile(
    r"\x1b\[(?P<mark>\??)(?P<numbers>[\d;]*)(?P<command>[A-Za-z])"
    r"|\x1b[=>]|\x1b\][^\x07]*\x07|[\r\n\b\x07]|[^\x1b\r\n\b\x07]+"
)


@dataclass
class ScreenImage:
    """What stands on a screen of some size, and what has left it at the top."""

    columns: int = 80
    rows: int = 24
    row: int = 0
    column: int = 0
    colour: str = ""
    cells: list[list[tuple[str, str]]] = field(default_factory=list)
    gone: list[list[tuple[str, str]]] = field(default_factory=list)
    asked: int = 0
    _rest: str = ""

    def __post_init__(self) -> None:
        self.cells = [[] for _ in range(self.rows)]

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, and before them those that have left it."""
        return ["".join(c for c, _ in line).rstrip() for line in (*self.gone, *self.cells)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip()

    def coloured(self) -> list[str]:
        """The same lines with their colours, as ANSI."""
        found = []
        for line in (*self.gone, *self.cells):
            text, before = "", ""
            for letter, colour in line:
                if colour != before:
                    text += f"\x1b[0m{colour}"
                    before = colour
                text += letter
            found.append(f"{text}\x1b[0m")
        return found

    def feed(self, text: str) -> None:
        text = self._rest + text
        # What begins a sequence and does not end it waits for the rest.
        cut = text.rfind("\x1b")
        whole = cut < 0 or _TOKEN.match(text, cut) is not None
        self._rest = "" if whole else text[cut:]
        for token in _TOKEN.finditer(text if whole else text[:cut]):
            if token["command"]:
                self._command(token["command"], token["numbers"], token["mark"])
            else:
                self._write(token[0])

    def _command(self, command: str, numbers: str, mark: str) -> None:
        first = int(numbers.split(";")[0] or 0)
        count = max(first, 1)
        match command:
            case "A":
                self.row = max(0, self.row - count)
            case "B":
                self.row = min(self.rows - 1, self.row + count)
            case "C":
                self.column = min(self.columns - 1, self.column + count)
            case "D":
                self.column = max(0, self.column - count)
            case "H":
                self.row = self.column = 0
            case "J":
                self._line(self.row)[self.column :] = []
                for line in range(self.row + 1, self.rows):
                    self.cells[line] = []
            case "K" if first == 2:
                self.cells[self.row] = []
            case "K":
                self._line(self.row)[self.column :] = []
            case "m":
                self.colour = "" if numbers in ("", "0") else self.colour + f"\x1b[{numbers}m"
                if numbers.startswith("0;"):
                    self.colour = f"\x1b[{numbers[2:]}m"
            case "n" if numbers == "6":
                self.asked += 1
            case _:
                assert command in "hlmnJK", f"\\e[{mark}{numbers}{command}"

    def _line(self, row: int) -> list[tuple[str, str]]:
        line = self.cells[row]
        line += [(" ", "")] * (self.column - len(line))
        return line

    def _write(self, text: str) -> None:
        if text == "\r":
            self.column = 0
        elif text == "\b":
            self.column = max(0, self.column - 1)
        elif text == "\n":
            self._feed_line()
        elif text[0] not in "\x1b\x07":
            for letter in text:
                if self.column == self.columns:
                    self.column = 0
                    self._feed_line()
                line = self._line(self.row)
                line[self.column : self.column + 1] = [(letter, self.colour)]
                self.column += 1

    def _feed_line(self) -> None:
        self.row += 1
        if self.row == self.rows:
            self.gone.append(self.cells.pop(0))
            self.cells.append([])
            self.row -= 1


class Person:
    """Somebody at a terminal in which a program runs."""

    def __init__(
        self,
        program: Sequence[str | Path],
        cwd: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        rows: int = 24,
    ) -> None:
        self.image = ScreenImage(columns, rows)
        self.raw = ""
        self._seen = 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            program,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={"TERM": "xterm-256color"} | dict(environment),
            # The terminal is to be the process's own, so that Ctrl-C in it reaches the process.
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def see(self, *texts: str, seconds: float = 60) -> str:
        """Wait until texts stand on the screen together; what is on it then."""
        deadline = time.monotonic() + seconds
        while not all(text in self.image.text for text in texts):
            if not self._read(deadline) and not all(t in self.image.text for t in texts):
                pytest.fail(f"never seen: {texts}, but:\n{self.image.text}")
        return self.image.text

    def asked(self, question: str, seconds: float = 60) -> str:
        """Wait for a question that is asked after whatever was asked before."""
        deadline = time.monotonic() + seconds
        while question not in self._new_text():
            if not self._read(deadline) and question not in self._new_text():
                pytest.fail(f"never asked: {question!r}, but:\n{self.image.text}")
        return self.image.text

    def press(self, *keys: str) -> None:
        """Press keys by name, or type text. What was seen before counts as seen."""
        self._seen = len(self.raw)
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def clear(self) -> None:
        """Forget what stands on the screen; the cursor is where it is."""
        self.image.gone.clear()
        for row in range(self.image.row):
            self.image.cells[row] = []

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size, and nothing on it."""
        self.image = ScreenImage(columns, rows)
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def ends(self, seconds: float = 60) -> int:
        """Read until the program has ended; its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def _new_text(self) -> str:
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", self.raw[self._seen :])

    def _read(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._master], [], [], left)[0]:
            return False
        try:
            got = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        text = got.decode(errors="replace")
        self.raw += text
        self.image.feed(text)
        while self.image.asked:  # where the cursor is, which a terminal answers
            self.image.asked -= 1
            os.write(self._master, f"\x1b[{self.image.row + 1};{self.image.column + 1}R".encode())
        return bool(got)
