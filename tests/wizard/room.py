"""What the wizard is tried on: a shop, a project about it, and somebody who types."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests import leaks
from tests.terminals import Person, ScreenImage

HERE = Path(__file__).parent
PASSWORD = leaks.PASSWORD
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "COPY_SECRET": "a secret that is long enough for keys",
}


@dataclass(frozen=True)
class Shop:
    """Databases to choose from: their DSNs. `spare` is for one test that migrates it."""

    production: str
    staging: str
    wide: str
    missing: str
    spare: str

    @property
    def configuration(self) -> str:
        return f"""\
[targets.production]
dsn = "{self.production}"
production = true

[targets.staging]
dsn = "{self.staging}"
fail_on = "warning"

[targets.wide]
dsn = "{self.wide}"

[anonymization]
secret = "${{COPY_SECRET}}"
"""


@contextmanager
def make_shop(dsn: str) -> Iterator[Shop]:
    """Databases on a server, gone with the block."""
    names = {
        each: f"wizard_{each}_{os.getpid()}" for each in ("production", "staging", "wide", "spare")
    }
    missing = f"wizard_missing_{os.getpid()}"
    dsns = {
        each: make_conninfo(dsn, dbname=name, password=PASSWORD)
        for each, name in (names | {"missing": missing}).items()
    }
    with psycopg.connect(dsn, autocommit=True) as admin:
        for name in names.values():
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(dsns["production"], autocommit=True) as conn:
            conn.execute((HERE / "shop.sql").read_text().encode())
        with psycopg.connect(dsns["wide"], autocommit=True) as conn:
            conn.execute(
                "DO $$ BEGIN FOR n IN 1..500 LOOP "
                "EXECUTE format('CREATE TABLE t_%s (id int)', lpad(n::text, 3, '0')); "
                "END LOOP; END $$"
            )
        yield Shop(**dsns)
        for name in names.values():
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass
class Folder:
    """A project of the test's own."""

    path: Path

    @property
    def states(self) -> list[Path]:
        return list(self.path.rglob("wizard-*.json"))

    def state(self) -> dict[str, Any]:
        """What the wizard has kept."""
        (found,) = self.states
        assert oct(found.stat().st_mode & 0o777) == "0o600"
        text = found.read_text()
        assert PASSWORD not in text
        return json.loads(text)

    @property
    def configuration(self) -> str:
        return (self.path / "confiture.toml").read_text()


class Shells:
    """One shell for all tests, and a new one after a test that has left it somewhere."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._person: Person | None = None

    def take(self) -> Person:
        if self._person is None or self._person.process.poll() is not None:
            kept = {name: os.environ[name] for name in os.environ if name.startswith("COV")}
            environment = ENVIRONMENT | kept
            environment |= {"HOME": str(self._home), "PYTHONPATH": str(HERE.parents[1])}
            program = [sys.executable, HERE / "shell.py"]
            self._person = Person(program, self._home, environment, columns=100, rows=40)
        return self._person

    def leave(self) -> None:
        """End it as a shell is ended."""
        if self._person is not None and self._person.process.poll() is None:
            self._person.press("\x04")
            self._person.ends(5)
        self.drop()

    def drop(self) -> None:
        if self._person is not None:
            self._person.close()
        self._person = None


class Typist:
    """Types commands and keys in the folder of a test."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.press, self.asked, self.see = person.press, person.asked, person.see

    @property
    def image(self) -> ScreenImage:
        """What stands on the screen."""
        return self._person.image

    def begin(self, folder: Path) -> None:
        """Go to a folder, and keep what is kept there."""
        for line in (f"cd {folder}", f"export XDG_STATE_HOME={folder}/state", "export TERM=xterm"):
            self.command(line)

    def run(self, line: str) -> None:
        self._person.clear()
        self.press(f"{line}\n")

    def command(self, line: str, says: str = "ok") -> str:
        self.run(line)
        return self.asked(f"[{says}]")

    def wizard(self, options: str = "") -> None:
        self.run(f"confiture-flows wizard {options}".rstrip())

    def answers(self, question: str, *keys: str) -> None:
        """Wait for a question and press keys."""
        self.asked(question)
        self.press(*keys)

    def ended(self, code: int) -> str:
        """Wait for the end; what was on the screen since the command."""
        self.asked(f"[exit {code}]")
        return self._person.image.text

    def resize(self, columns: int, rows: int) -> None:
        self._person.resize(columns, rows)
