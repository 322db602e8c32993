"""Prefect retries a stage when the error says that it helps, and only then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect import flow

from confiture_flows import tasks
from confiture_flows.config import Limits
from confiture_flows.errors import ApplyError, LockError, TargetUnreachableError
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target
from tests.support import eventually

pytestmark = pytest.mark.usefixtures("prefect_server")

QUICK: dict[str, Any] = {"retry_delay_seconds": 0.2}


def applying(target: Target, directory: Path) -> tuple[str, ...]:
    """Apply in a flow of its own, with short pauses between the tries."""
    plan = plan_forward(discover(directory).migrations, ())

    @flow
    def own_flow() -> tuple[str, ...]:
        rows = tasks.apply_plan.with_options(**QUICK)(target, plan)
        return tuple(row.version for row in rows)

    return own_flow()


def test_lost_connection_is_retried_and_the_run_completes(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE a (id int);",
            "0002_b.up.sql": "CREATE TABLE b (id int);\nSELECT pg_sleep(1);",
        }
    )

    def interrupt() -> list[tuple[bool]]:
        return conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE '%pg_sleep(1)%' "
            "AND pid <> pg_backend_pid()"
        ).fetchall()

    with ThreadPoolExecutor(1) as pool:
        helper = pool.submit(eventually, interrupt, bool)
        assert applying(target, directory) == ("0001", "0002")
        assert helper.result() == [(True,)]
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (2,)


def test_busy_table_is_retried_by_the_stage_when_patience_ended(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE a (id int)")
    directory = write({"0001_a.up.sql": "ALTER TABLE a ADD n int;"})
    impatient = replace(target, limits=Limits(lock_timeout_ms=50, busy_patience=0.3))
    conn.execute("BEGIN")
    conn.execute("LOCK TABLE a")
    release = threading.Timer(1.0, conn.execute, ["COMMIT"])
    release.start()
    assert applying(impatient, directory) == ("0001",)
    release.join()


def test_table_that_stays_busy_fails_in_the_end(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE a (id int)")
    directory = write({"0001_a.up.sql": "ALTER TABLE a ADD n int;"})
    impatient = replace(target, limits=Limits(lock_timeout_ms=20, busy_patience=0.05))
    with conn.transaction():
        conn.execute("LOCK TABLE a")
        with pytest.raises(LockError, match="busy table"):
            applying(impatient, directory)


def test_wrong_statement_is_not_retried(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE SEQUENCE tries")
    directory = write({"0001_a.up.sql": "SELECT nextval('tries');\nSELECT 1/0;"})
    with pytest.raises(ApplyError):
        applying(target, directory)
    assert conn.execute("SELECT last_value FROM tries").fetchone() == (1,)


def test_server_that_is_down_is_asked_again_before_the_run_fails(
    write: Callable[..., Path],
) -> None:
    directory = write({"0001_a.up.sql": "SELECT 1;"})
    started = time.monotonic()
    with pytest.raises(TargetUnreachableError):
        applying(Target.from_dsn("host=127.0.0.1 port=1 dbname=shop"), directory)
    assert time.monotonic() - started > 0.5
