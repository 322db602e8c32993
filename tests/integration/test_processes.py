"""Runs in processes of their own: at the same time, and killed in the middle."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.support import eventually

from .conftest import Engine

COUNTED = "INSERT INTO counted VALUES ('{}'); SELECT pg_sleep(0.05);"


def test_two_runs_at_once_apply_everything_once(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    start_migrate: Callable[[Path], subprocess.Popen[str]],
) -> None:
    conn.execute("CREATE TABLE counted (version text)")
    versions = [f"{number:04}" for number in range(1, 11)]
    directory = write({f"{v}_step.up.sql": COUNTED.format(v) for v in versions})

    runs = [start_migrate(directory) for _ in range(2)]
    outputs = [run.communicate(timeout=60) for run in runs]

    assert [run.returncode for run in runs] == [0, 0], outputs
    assert [row[0] for row in conn.execute("SELECT version FROM counted ORDER BY 1")] == versions
    assert engine.versions() == versions


def test_killed_run_leaves_nothing_and_the_next_completes(
    engine: Engine,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
    sessions: Callable[[], list[str]],
    start_migrate: Callable[[Path], subprocess.Popen[str]],
) -> None:
    directory = write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int);",
            "0002_slow.up.sql": "CREATE TABLE slow (id int); SELECT pg_sleep(60);",
        }
    )
    run = start_migrate(directory)
    eventually(sessions, lambda running: any("pg_sleep" in query for query in running))

    run.send_signal(signal.SIGKILL)
    run.wait(30)
    eventually(sessions, lambda running: not running)

    assert tables() == ["users"]
    assert engine.versions() == ["0001"]

    write({"0002_slow.up.sql": "CREATE TABLE slow (id int);"})
    again = start_migrate(directory)
    assert again.wait(60) == 0
    assert engine.versions() == ["0001", "0002"]


def test_terminated_run_leaves_nothing(
    engine: Engine,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
    sessions: Callable[[], list[str]],
    start_migrate: Callable[[Path], subprocess.Popen[str]],
) -> None:
    directory = write({"0001_slow.up.sql": "CREATE TABLE slow (id int); SELECT pg_sleep(60);"})
    run = start_migrate(directory)
    eventually(sessions, lambda running: any("pg_sleep" in query for query in running))

    run.terminate()
    run.wait(30)
    eventually(sessions, lambda running: not running)

    assert tables() == []
    assert engine.versions() == []


def test_run_that_waits_for_a_killed_one_starts_at_once(
    engine: Engine,
    write: Callable[..., Path],
    sessions: Callable[[], list[str]],
    start_migrate: Callable[[Path], subprocess.Popen[str]],
) -> None:
    directory = write({"0001_slow.up.sql": "SELECT pg_sleep(60);"})
    first = start_migrate(directory)
    eventually(sessions, lambda running: any("pg_sleep" in query for query in running))
    write({"0001_slow.up.sql": "CREATE TABLE slow (id int);"})
    second = start_migrate(directory)
    assert second.stderr is not None
    waiting = second.stderr.readline()

    first.kill()

    assert second.wait(45) == 0
    assert "Waiting for another run to end: confiture-flows migrate" in waiting
    assert engine.versions() == ["0001"]
