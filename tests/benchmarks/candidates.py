"""What is measured: each candidate as a command, what it needs, and how it is timed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from tests.benchmarks.servers import ROOT, count_tables, new_database
from tests.terminals import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.benchmarks.work import Work

BARE, PLAIN, FLOW, DBMATE, ALEMBIC, CONFITURE = (
    "bare psycopg loop",
    "migrate --plain",
    "migrate (flow)",
    "dbmate",
    "alembic",
    "fraiseql-confiture",
)
BARE_INSIDE, ENGINE_INSIDE, ENGINE_FLUSH_RUN = (
    "bare loop, in-process",
    "engine, in-process",
    'engine with flush = "run", in-process',
)
"""In-process: measured by the process itself after all its imports."""
HELP = "confiture-flows --help"
WIZARD = "confiture-flows wizard, first question"

HERE = Path(__file__).parent


def program(name: str) -> str | None:
    """A program of the environment that we run in."""
    return shutil.which(name, path=str(Path(sys.executable).parent))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that applies the migrations of a directory.

    Attributes:
        command: What is run; the database stands in CONFITURE_DSN and, as a URL, DATABASE_URL.
        own_clock: Whether its last line of output is the time to take, in seconds.
    """

    command: tuple[str, ...]
    own_clock: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """Where candidates run.

    Attributes:
        dsn: Of a server on which databases may be created.
        work: The migrations.
        folder: An empty working directory without a configuration.
        prefect: The variables that name a running Prefect server; empty for none.
        peers: The bin folder of other tools' own environment.
    """

    dsn: str
    work: Work
    folder: Path
    prefect: Mapping[str, str] = field(default_factory=dict)
    peers: Path | None = None

    def candidates(self) -> dict[str, Candidate]:
        """All that can run here: others where they are installed, flows where there is a server."""
        pairs = str(self.work.pairs)
        ours = (program("confiture-flows") or "confiture-flows", "migrate", "--dir", pairs)
        inside = (sys.executable, "-m", "tests.benchmarks.inside")
        found = {
            BARE: Candidate((sys.executable, str(HERE / "bare_loop.py"), pairs)),
            PLAIN: Candidate((*ours, "--plain")),
            BARE_INSIDE: Candidate((*inside, "bare", pairs), own_clock=True),
            ENGINE_INSIDE: Candidate((*inside, "engine", pairs), own_clock=True),
            ENGINE_FLUSH_RUN: Candidate((*inside, "flush-run", pairs), own_clock=True),
        }
        if dbmate := program("dbmate"):
            options = ("--no-dump-schema", "--migrations-dir", str(self.work.dbmate))
            found[DBMATE] = Candidate((dbmate, *options, "migrate"))
        found |= self._peers(pairs)
        if self.prefect:
            found[FLOW] = Candidate(ours)
        return found

    def _peers(self, pairs: str) -> dict[str, Candidate]:
        if self.peers is None:
            return {}
        # Only the shell knows the URL of the database of each round.
        command = 'exec "$0" migrate up --no-config --database-url "$DATABASE_URL" "$@"'
        folder = f"--migrations-dir={pairs}"
        found = {
            ALEMBIC: (str(self.peers / "alembic"), "-c", str(self.work.alembic), "upgrade", "head"),
            CONFITURE: ("sh", "-c", command, str(self.peers / "confiture"), folder),
        }
        return {
            name: Candidate(command)
            for name, command in found.items()
            if (self.peers / name.removeprefix("fraiseql-")).exists()
        }

    def run(self, command: tuple[str, ...], dsn: str) -> tuple[float, str]:
        """Run a command on a database.

        Returns:
            The seconds from its start to its end, and what it printed.

        Raises:
            RuntimeError: It failed.
        """
        environment = self.environment(dsn)
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        seconds = time.perf_counter() - started
        if done.returncode != 0:
            raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
        return seconds, done.stdout

    def environment(self, dsn: str) -> dict[str, str]:
        """The variables of every command."""
        # Byte code is kept, as it usually is: without it Prefect alone takes a second more to
        # import, and some containers set this. In a folder of our own, which starts empty.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {
            **kept,
            **self.prefect,
            "PYTHONPYCACHEPREFIX": str(self.folder / ".byte-code"),
            "CONFITURE_DSN": dsn,
            "DATABASE_URL": _url(dsn),
            "PYTHONPATH": str(ROOT),
        }

    def apply_twice(self, candidate: Candidate) -> dict[str, float]:
        """All migrations on a new database, and then once more with nothing pending.

        Raises:
            RuntimeError: It failed, or did not do the work.
        """
        with new_database(self.dsn) as dsn:
            figures = {name: self._once(candidate, dsn) for name in ("apply", "nothing")}
            if (found := count_tables(dsn)) != self.work.tables:
                raise RuntimeError(f"{candidate.command} made {found} tables.")
        return figures

    def trace(self, kind: str) -> dict[str, float]:
        """One run with a stopwatch in it: seconds by what they went into; "" is the whole.

        Args:
            kind: "bare", "plain" or "flow".
        """
        command = (sys.executable, "-m", "tests.benchmarks.trace", kind, str(self.work.pairs))
        with new_database(self.dsn) as dsn, tempfile.NamedTemporaryFile() as answer:
            started = time.monotonic()
            self.run((*command, answer.name, repr(started)), dsn)
            whole = time.monotonic() - started
            seconds: dict[str, float] = json.loads(Path(answer.name).read_text())
        seconds.pop("", None)
        seconds["end Python"] = whole - sum(seconds.values())
        return {**seconds, "": whole}

    def _once(self, candidate: Candidate, dsn: str) -> float:
        seconds, output = self.run(candidate.command, dsn)
        return float(output.split()[-1]) if candidate.own_clock else seconds


def start_ups(bench: Bench) -> dict[str, Callable[[], dict[str, float]]]:
    """What a command costs before it does anything."""
    ours = program("confiture-flows") or "confiture-flows"
    python = sys.executable
    commands = {
        "python -c pass": (python, "-c", "pass"),
        "import confiture_flows": (python, "-c", "import confiture_flows"),
        "import cyclopts": (python, "-c", "import cyclopts"),
        HELP: (ours, "--help"),
        "confiture-flows migrate --help": (ours, "migrate", "--help"),
    }

    def runner(command: tuple[str, ...]) -> Callable[[], dict[str, float]]:
        return lambda: {"start": bench.run(command, bench.dsn)[0]}

    found = {name: runner(command) for name, command in commands.items()}
    return {**found, WIZARD: lambda: {"start": _first_question(bench, ours)}}


def _first_question(bench: Bench, program: str) -> float:
    """Seconds until a person at a terminal can answer the wizard."""
    state = str(bench.folder / ".wizard")
    started = time.perf_counter()
    person = Person(
        [program, "wizard"], bench.folder, bench.environment(bench.dsn) | {"XDG_STATE_HOME": state}
    )
    try:
        person.see("What do you want to do?")
        return time.perf_counter() - started
    finally:
        person.close()


def _url(dsn: str) -> str:
    """The connection string as dbmate reads it."""
    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value}
    user, password = quote(parts.get("user", "")), quote(parts.get("password", ""))
    host, port = parts.get("host", ""), parts.get("port", "5432")
    options = {"sslmode": "disable"}
    if host.startswith("/"):
        options["socket"], host = host, ""
    login = f"{user}:{password}@" if password else f"{user}@"
    return f"postgres://{login}{host}:{port}/{parts.get('dbname', '')}?{urlencode(options)}"
