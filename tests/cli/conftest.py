"""The installed program, run in a folder of the test's own, as a person would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.cli.main import main
from tests import leaks
from tests.forked import PROGRAM, ForkedProgram, ForkingProcess, forking_process

PASSWORD = leaks.PASSWORD


@dataclass(frozen=True)
class Result:
    """What a run of the program said."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        assert not leaks.leaks_in_text(self.said), "a password is shown"

    @property
    def said(self) -> str:
        """All that a person would see."""
        return self.out + self.err

    def json(self) -> dict[str, Any]:
        """Standard output, which is one JSON object and nothing else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of the machine's own settings."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "DO_NOT_TRACK": "1",
    }


class Runner:
    """Runs the program in the test's folder: `run("migrate", "--plain", dsn=...)`."""

    def __init__(
        self,
        folder: Path,
        environment: dict[str, str],
        capfd: pytest.CaptureFixture[str],
        programs: ForkingProcess,
    ) -> None:
        self._folder, self._environment, self._capfd = folder, environment, capfd
        self._programs = programs

    def __call__(self, *arguments: str, cwd: Path | None = None, **where: str | None) -> Result:
        """Start it as a process; keywords in capitals are variables of its environment."""
        return self._finish(self._start(arguments, cwd, where))

    def both(self, *arguments: str, **where: str | None) -> tuple[Result, Result]:
        """For a person in a process, and at the same time for a program (--json) in this one."""
        process = self._start(arguments, None, where)
        program = self.program(*arguments, **where)
        return self._finish(process), program

    def program(self, *arguments: str, **where: str | None) -> Result:
        """What it tells a program; in this process, which spares a second of start-up."""
        self._capfd.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self._folder)
            patch.setattr(sys, "argv", ["confiture-flows", *arguments, "--json"])
            for name in os.environ:
                patch.delenv(name)
            for name, value in self._variables(where).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as left:
                main()
        said = self._capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Result(left.value.code, said.out, said.err)

    def _variables(self, where: dict[str, str | None]) -> dict[str, str]:
        dsn = where.pop("dsn", None)
        given = {name: value for name, value in where.items() if value is not None}
        return self._environment | ({"CONFITURE_DSN": dsn} if dsn else {}) | given

    def _start(
        self, arguments: tuple[str, ...], cwd: Path | None, where: dict[str, str | None]
    ) -> subprocess.Popen[str] | ForkedProgram:
        variables = self._variables(dict(where))
        if not any(name.startswith("PYTHON") for name in variables):
            return self._programs.start(arguments, cwd or self._folder, variables)
        return subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd or self._folder,
            env=variables,
        )

    def _finish(self, process: subprocess.Popen[str] | ForkedProgram) -> Result:
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.returncode is not None
        return Result(process.returncode, out, err)


@pytest.fixture(scope="session")
def programs() -> Iterator[ForkingProcess]:
    with forking_process() as found:
        yield found


@pytest.fixture
def run(
    tmp_path: Path,
    environment: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    programs: ForkingProcess,
) -> Runner:
    """The program."""
    return Runner(tmp_path, environment, capfd, programs)


@pytest.fixture
def secret_dsn(dsn: str) -> str:
    """The test's database with a password in its DSN, which a local server does not look at."""
    return dsn if conninfo_to_dict(dsn).get("password") else make_conninfo(dsn, password=PASSWORD)


@pytest.fixture
def secret(secret_dsn: str) -> str:
    """What must be seen nowhere."""
    return str(conninfo_to_dict(secret_dsn)["password"])


@pytest.fixture
def new_role(conn: psycopg.Connection, secret_dsn: str) -> Iterator[Callable[[], str]]:
    """Make roles without any right; gives the DSN of each."""
    made: list[str] = []

    def make() -> str:
        name = f"{conn.info.dbname}_role_{len(made)}"
        role = sql.Identifier(name)
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, PASSWORD))
        made.append(name)
        return make_conninfo(secret_dsn, user=name, password=PASSWORD)

    yield make
    for name in made:
        conn.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(name)))
        conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def configure(tmp_path: Path) -> Callable[[str], Path]:
    """Write confiture.toml."""

    def write(text: str, name: str = "confiture.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def tables(conn: psycopg.Connection) -> Callable[[], list[str]]:
    """The names of the tables outside PostgreSQL's own schemas and the ledger, sorted."""

    def read() -> list[str]:
        found = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT LIKE 'tb_confiture%' ORDER BY 1"
        )
        return [row[0] for row in found]

    return read
