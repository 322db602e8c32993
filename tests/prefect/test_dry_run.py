"""What the dry run tells Prefect, alone and before an apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.errors import GateError, RehearsalError
from confiture_flows.flows import dry_run_flow, migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.postgres import Server
from confiture_flows.target import Target

SHOP = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);",
    "0001_users.down.sql": "DROP TABLE users;",
    "0002_more.up.sql": "ALTER TABLE users ADD more int;",
    "0002_more.down.sql": "SELECT 1;",
}
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target, server: Server) -> Iterator[str]:
    with given_target(replace(target, scratch=server.dsn, dry_run="scratch", fail_on="warning")):
        yield target.name


def artifacts(ask: Callable[..., Any], flow_run_id: Any) -> list[Any]:
    found = ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [str(flow_run_id)]}}})
    return [each for each in found if each["key"] == "confiture-dry-run-test"]


def test_report_is_returned_and_an_artifact(
    known: str,
    write: Callable[..., Path],
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
    conn: psycopg.Connection,
) -> None:
    directory = str(write(SHOP))
    report = dry_run_flow(target=known, directory=directory, fail_on="error")
    told()

    assert [each.label for each in report.migrations] == ["0001_users", "0002_more"]
    (artifact,) = artifacts(ask, latest_run().id)
    assert "2 migrations rehearsed" in artifact["description"]
    assert "rollback" in artifact["data"] or "way back" in artifact["data"]
    assert conn.execute("SELECT to_regclass('users')::text").fetchone() == (None,)


def test_findings_at_the_gate_fail_the_flow_after_the_artifact_is_written(
    known: str,
    write: Callable[..., Path],
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
) -> None:
    with pytest.raises(GateError, match="does not lead back"):
        dry_run_flow(target=known, directory=str(write(SHOP)))
    told()

    assert len(artifacts(ask, latest_run().id)) == 1


def test_migrate_flow_stops_before_anything_is_applied(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = str(write(SHOP))
    with pytest.raises(GateError):
        migrate_flow(target=known, directory=directory)
    assert conn.execute("SELECT to_regclass('users')::text").fetchone() == (None,)

    report = migrate_flow(target=known, directory=directory, dry_run="off")
    assert [row.version for row in report.done or ()] == ["0001", "0002"]


def test_migrate_flow_stops_what_would_fail(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = str(write({"0001_a.up.sql": "CREATE TABLE a ();", "0002_b.up.sql": "SELECT 1/0;"}))
    with pytest.raises(RehearsalError, match="division by zero"):
        migrate_flow(target=known, directory=directory)
    assert conn.execute("SELECT to_regclass('a')::text").fetchone() == (None,)
