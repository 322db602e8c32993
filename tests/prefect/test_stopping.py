"""A timeout, a cancel from the UI and kill -9 end the query on the server, locks and all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import CancelledRun
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)
from prefect.states import Cancelling

from confiture_flows import tasks
from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.flows import migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target
from confiture_flows.tasks._guard import is_cancelled
from tests.support import eventually, sleepers

SLOW = {
    "0001_users.up.sql": "CREATE TABLE users (id int);",
    "0002_slow.up.sql": "LOCK TABLE users IN ACCESS EXCLUSIVE MODE;\nSELECT pg_sleep(60);",
}

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target) -> Iterator[str]:
    with given_target(target):
        yield target.name


def check_nothing_is_left(conn: psycopg.Connection) -> None:
    eventually(lambda: sleepers(conn), lambda count: count == 0)
    conn.execute("SET lock_timeout = '1s'")
    assert conn.execute("SELECT version FROM tb_confiture").fetchall() == [("0001",)]
    conn.execute("ALTER TABLE users ADD free int")  # fails if the lock were still held


def test_server_that_is_away_has_cancelled_nothing() -> None:
    # What it raised ended the thread that watches, and with it every timeout of the run.
    with temporary_settings(
        {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    ):
        assert not is_cancelled(uuid4())


def test_timeout_of_the_stage_ends_the_query(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(SLOW)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        migrate_flow(target=known, directory=str(directory), timeout_seconds=2)
    assert time.monotonic() - started < 45
    check_nothing_is_left(conn)


def test_timeout_in_a_worker_thread_ends_the_query(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    plan = plan_forward(discover(write(SLOW)).migrations, ())

    @flow
    def own_flow() -> None:
        tasks.apply_plan.with_options(timeout_seconds=2).submit(target, plan).result()

    started = time.monotonic()
    with pytest.raises(TimeoutError):
        own_flow()
    assert time.monotonic() - started < 45
    check_nothing_is_left(conn)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(SLOW, id="migration"),
        pytest.param(
            {
                "0001_users.up.sql": "CREATE TABLE users (id int);",
                "0001_users.verify.sql": "SELECT pg_sleep(60)::text = '';",
            },
            id="verify script",
        ),
    ],
)
def test_cancel_from_the_ui_ends_the_query_of_a_run_without_a_worker(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
    files: dict[str, str],
) -> None:
    directory = write(files)

    def cancel() -> None:
        eventually(lambda: sleepers(conn), lambda count: count == 1)
        prefect_client.set_flow_run_state(latest_run().id, Cancelling(), force=True)

    helper = threading.Thread(target=cancel)
    helper.start()
    with pytest.raises(CancelledRun):
        migrate_flow(target=known, directory=str(directory))
    helper.join()
    check_nothing_is_left(conn)
    assert latest_run().state_name == "Cancelled"


def test_kill_ends_the_query(
    target: Target,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    prefect_server: TemporaryServer,
    tmp_path: Path,
) -> None:
    """Other signals: test_hooks_on_crash.py."""
    write(SLOW)
    environment = os.environ | prefect_server.environment() | {"CONFITURE_DSN": target.dsn}
    program = Path(sys.executable).with_name("confiture-flows")
    process = subprocess.Popen(
        [program, "migrate"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    eventually(lambda: sleepers(conn), lambda count: count == 1, seconds=60)
    process.kill()
    check_nothing_is_left(conn)
    output, _ = process.communicate(timeout=60)
    assert "Traceback" not in output, output


def test_two_flows_at_once_apply_everything_once(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(
        {
            f"{n:04}_t.up.sql": f"CREATE TABLE t{n} (id int);\nSELECT pg_sleep(0.05);"
            for n in range(1, 11)
        }
    )
    with ThreadPoolExecutor(2) as pool:
        import contextvars

        runs = [
            pool.submit(
                contextvars.copy_context().run,
                lambda: migrate_flow(target=known, directory=str(directory)),
            )
            for _ in range(2)
        ]
        for each in runs:
            each.result()
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (10,)
