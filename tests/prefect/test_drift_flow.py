"""drift_flow on a real Prefect server: what it says of a database, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.errors import GateError
from confiture_flows.flows import drift_flow, migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.postgres import Server
from confiture_flows.target import Target
from tests.support import eventually

SHOP = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY, plan text DEFAULT 'free');",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);",
}
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target, server: Server) -> Iterator[str]:
    """The target's name; "spare" is one on whose server scratch databases may be made."""
    checked = replace(target, name="drifting")
    with given_target(checked), given_target(Target(name="spare", dsn=server.dsn)):
        yield checked.name


def test_drift_is_an_artifact_an_event_and_the_state(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
) -> None:
    directory = str(write(SHOP))
    migrate_flow(target=known, directory=directory)
    assert drift_flow(target=known, directory=directory, scratch="spare").changes == ()
    run = latest_run()
    assert run.name == "drift drifting"
    assert run.state.message == "drifting: no drift, 2 migrations replayed"

    conn.execute("ALTER TABLE users ALTER plan SET DEFAULT 'trial', ADD note text")
    report = drift_flow(target=known, directory=directory, scratch="spare", fail_on="never")
    assert [change.name for change in report.changes] == ["public.users.note", "public.users.plan"]
    run = latest_run()
    assert run.state.is_completed()
    assert run.state.message == "drifting: 2 differences from what 2 migrations make"
    with pytest.raises(GateError, match=r"users.note is in the database.*1 more"):
        drift_flow(target=known, directory=directory, scratch="spare")
    assert latest_run().state_name == "Failed"
    told()

    # The server keeps events some seconds after it has got them.
    first, second = eventually(lambda: events(ask), lambda found: len(found) >= 2, seconds=60)
    assert first["resource"]["prefect.resource.id"] == "confiture.target.drifting"
    assert {"kind": "column", "name": "public.users.note", "action": "added"} in first["payload"][
        "changes"
    ]
    assert first["payload"]["findings"]["error"] == second["payload"]["findings"]["error"] == 2
    kept = {"artifacts": {"key": {"any_": ["confiture-drift-drifting"]}}}
    (page,) = ask("/artifacts/latest/filter", kept)
    # Its page shows both.
    shown = f"{page['description']}\n{page['data']}"
    for part in ("drifting: 2 differences", "| error |", "+ column public.users.note: text"):
        assert part in shown


def test_what_cannot_be_compared_is_unknown_and_not_well(
    known: str,
    write: Callable[..., Path],
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
) -> None:
    directory = write(SHOP)
    migrate_flow(target=known, directory=str(directory))
    (directory / "0002_orders.up.sql").write_text("CREATE TABLE orders (id bigint);")
    report = drift_flow(target=known, directory=str(directory), scratch="spare")
    assert report.replay.unknown == "0002_orders was edited after it was applied."
    assert latest_run().state.message == "drifting: whether it has drifted is unknown"
    told()
    (event,) = eventually(lambda: events(ask, "confiture.drift.unknown"), bool, seconds=60)
    assert event["payload"]["reason"] == report.replay.unknown


def events(ask: Callable[..., Any], name: str = "confiture.drift.detected") -> list[Any]:
    about = {"id": ["confiture.target.drifting"]}
    wanted = {"event": {"name": [name]}, "resource": about, "order": "ASC"}
    return ask("/events/filter", {"filter": wanted})["events"]
