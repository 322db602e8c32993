"""Other tools on the same database; they live in an environment of their own.

CONFITURE_TEST_PEERS names its folder of programs; .ci/run makes it. No peer is a dependency.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

PROGRAM = Path(sys.executable).with_name("confiture-flows")


def peer(name: str) -> Path:
    """A program of the peers' environment, or a skip that says how to get it."""
    folder = os.environ.get("CONFITURE_TEST_PEERS")
    if not folder:
        pytest.skip("CONFITURE_TEST_PEERS names no folder of other tools' programs; see .ci/run")
    program = Path(folder).absolute() / name
    if not program.is_file():
        pytest.skip(f"{name} is not in CONFITURE_TEST_PEERS ({folder})")
    return program


def as_url(dsn: str) -> str:
    """A connection string as a URL, which is all that other tools take."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value}
    password = f":{quote(parts['password'])}" if "password" in parts else ""
    # A folder with a socket is no host of a URL, but may be one of its parameters.
    place = {name: parts[name] for name in ("host", "port") if name in parts}
    query = urlencode({**place, "sslmode": parts.get("sslmode", "disable")})
    user = quote(parts.get("user", "postgres"))
    return f"postgresql://{user}{password}@/{parts['dbname']}?{query}"


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    code: int
    said: str

    def json(self) -> dict[str, Any]:
        return json.loads(self.said[self.said.index("{") :])


@dataclass(frozen=True)
class Program:
    """A program in the project's folder, with the database in its environment."""

    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str) -> Done:
        return self.finish(self.start(*arguments))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **self.environment},
        )

    def finish(self, process: subprocess.Popen[str]) -> Done:
        try:
            said, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Done(process.returncode, said)


@pytest.fixture
def ours(tmp_path: Path, dsn: str) -> Program:
    """confiture-flows."""
    return Program((str(PROGRAM),), tmp_path, {"CONFITURE_DSN": dsn})


@pytest.fixture
def ledger(conn: psycopg.Connection) -> Callable[[], list[str]]:
    """The versions in tb_confiture, in the order in which they were written."""

    def read() -> list[str]:
        rows = conn.execute("SELECT version FROM tb_confiture ORDER BY pk_confiture")
        return [row[0] for row in rows]

    return read


@pytest.fixture
def tables(conn: psycopg.Connection) -> Callable[[], list[str]]:
    """The tables of the shop, sorted."""

    def read() -> list[str]:
        rows = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename IN ('users', 'orders', 'items') ORDER BY 1"
        )
        return [row[0] for row in rows]

    return read
