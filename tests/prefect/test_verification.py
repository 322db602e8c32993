"""What the verify task tells Prefect."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect import flow

from confiture_flows.errors import GateError, RunTimeoutError
from confiture_flows.flows import migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.migrations.discovery import discover
from confiture_flows.postgres import Server
from confiture_flows.target import Target
from confiture_flows.tasks import verify_migrations

SHOP = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);",
}
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target, server: Server) -> Iterator[str]:
    checked = replace(target, verify="replay", scratch=server.dsn)
    with given_target(checked):
        yield target.name


def test_run_that_verifies_leaves_its_verification(
    known: str,
    write: Callable[..., Path],
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
) -> None:
    migrate_flow(target=known, directory=str(write(SHOP)))
    told()

    (artifact,) = artifacts(ask, latest_run().id)
    assert "replayed in a scratch database on" in artifact["data"]
    assert "all holds" in artifact["data"]


def test_drift_fails_the_run_and_its_artifact_shows_the_diff(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
) -> None:
    directory = str(write(SHOP))
    migrate_flow(target=known, directory=directory, to="0001")
    conn.execute("ALTER TABLE users ADD nick text")
    with pytest.raises(GateError, match="no migration makes it"):
        migrate_flow(target=known, directory=directory)
    told()

    (artifact,) = artifacts(ask, latest_run().id)
    assert "```diff" in artifact["data"]
    assert "+ column public.users.nick: text" in artifact["data"]
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (2,)


def test_time_that_is_up_ends_the_replay_and_its_database(
    target: Target, write: Callable[..., Path], server: Server, conn: psycopg.Connection
) -> None:
    """The migration sleeps in a scratch database only."""
    directory = write(
        {
            "0001_slow.up.sql": "SELECT pg_sleep(30) FROM pg_database"
            " WHERE datname = current_database() AND datname ^@ 'confiture_scratch_';"
        }
    )
    with given_target(target):
        migrate_flow(target=target.name, directory=str(directory))
    migrations = discover(directory).migrations
    checked = replace(target, scratch=server.dsn)

    @flow
    def hasty() -> None:
        task = verify_migrations.with_options(timeout_seconds=1.5, retries=0)
        task(checked, migrations, history=migrations)

    started = time.monotonic()

    # Prefect's own timeout, or that of the guard: whichever is seen first.
    with pytest.raises((TimeoutError, RunTimeoutError)):
        hasty()

    assert time.monotonic() - started < 25
    left = conn.execute("SELECT count(*) FROM pg_database WHERE datname ^@ 'confiture_scratch_'")
    assert left.fetchone() == (0,)


def artifacts(ask: Callable[..., Any], flow_run_id: Any) -> list[Any]:
    found = ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [str(flow_run_id)]}}})
    return [each for each in found if each["key"] == "confiture-verification-test"]
