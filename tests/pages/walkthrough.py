"""A page -> what happens when a reader does all of it, in order, in an empty folder.

A block whose first line is a comment with a path is that file; other SQL runs in the database,
other Python in this process, and what stands after `$` is typed. Where lines are shown below a
command, they have to be what it says; `...` stands for lines that are left out.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.cli.main import main
from confiture_flows.target import describe_dsn
from tests.pages.blocks import Block, blocks_of


def normalised(text: str) -> list[str]:
    """Without what is another at every run: times, durations, and the width of columns."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"replayed in [^:]+(?=: )", "replayed in PostgreSQL 15", text)
    text = re.sub(r"PostgreSQL \d+(?:\.\d+)?(?: \([^)]*\))?", "PostgreSQL N", text)
    text = re.sub(r"\b(?:under |\d+ to )?\d+(?:\.\d+)? (ms|s|kB)\b", r"N \1", text)
    return [" ".join(line.split()).strip("─ ") for line in text.splitlines() if line.strip("─ ")]


def contains(said: list[str], shown: list[str]) -> bool:
    """Whether lines were said one after the other, in parts where `...` stands between."""
    parts: list[list[str]] = [[]]
    for line in shown:
        if line == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    places = range(len(said) + 1)
    return all(any(said[at : at + len(part)] == part for at in places) for part in parts if part)


def _path() -> str:
    """Where a reader's programs are: those of this environment first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@dataclass
class Reader:
    """Somebody who does what a page says.

    Attributes:
        folder: Where they are.
        conn: Their database, in autocommit.
        dsn: The same, as pages call it: $SHOP_DSN.
        capture: Of what is printed in this process.
    """

    folder: Path
    conn: psycopg.Connection
    dsn: str
    capture: pytest.CaptureFixture[str]

    def read(self, page: Path) -> None:
        """Do all of it."""
        for block in blocks_of(page):
            if not block.unchecked and block.language != "text":
                self._do(block)

    def _do(self, block: Block) -> None:
        if block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "sql":
            self.conn.execute(block.text.encode())
        elif block.language == "python":
            names: dict[str, Any] = {"__name__": "page"}
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PATH", _path())
                exec(compile(block.text, f"{block.page.name}:{block.line}", "exec"), names)
        elif block.language == "console":
            commands = list(block.commands())
            for place, (typed, shown) in enumerate(commands, start=1):
                code = block.exit_code if place == len(commands) else 0
                self._type(f"{block.page.name}:{block.line}: {typed}", typed, shown, code)
        else:
            pytest.fail(f"{block.page.name}:{block.line}: a {block.language} block that is no file")

    def _type(self, where: str, typed: str, shown: list[str], wanted: int) -> None:
        typed = typed.partition(" #")[0].strip()
        code, said = self.type(typed)
        assert code == wanted, f"{where}\nended with {code}:\n{said}"
        if not contains(normalised(said), normalised("\n".join(shown))):
            pytest.fail(f"{where}\nsaid:\n{said}")

    def type(self, command: str) -> tuple[int, str]:
        """Run a command in the folder; its exit code, and what it says as pages show it."""
        ours = command.startswith("confiture-flows ") and not set(command) & set("|&;$>")
        code, said = (self._run_here if ours else self._run)(command)
        said = said.replace(f"{self.folder}/", "")
        return code, said.replace(describe_dsn(self.dsn), "shop@localhost")

    def _run_here(self, typed: str) -> tuple[int, str]:
        """In this process, which spares a second and a half of start-up."""
        self.capture.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", shlex.split(typed))
            patch.setattr(sys, "stderr", sys.stdout)  # what is said stays in order
            with pytest.raises(SystemExit) as left:
                main()
        said = self.capture.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, said.out + said.err

    def _run(self, typed: str) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-c", typed],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PATH": _path()},
            timeout=120,
        )
        return done.returncode, done.stdout
