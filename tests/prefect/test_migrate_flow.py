"""migrate_flow and rollback_flow on a real Prefect server and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient

from confiture_flows.errors import ApplyError, ConfigError, HistoryError
from confiture_flows.flows import migrate_flow, rollback_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.target import Target
from tests.support import eventually

SHOP = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);",
    "0001_users.down.sql": "DROP TABLE users;",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);\nCREATE INDEX ON orders (id);",
    "0002_orders.down.sql": "DROP TABLE orders;",
    "0002_orders.verify.sql": "SELECT count(*) = 0 FROM orders;",
}
BROKEN = {"0003_broken.up.sql": "ALTER TABLE users ADD n int;\nSELECT 1/0;"}

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target) -> Iterator[str]:
    """The name under which flows of this process find the test's database."""
    with given_target(target):
        yield target.name


def run(flow: Any, known: str, directory: Path, **parameters: Any) -> RunReport:
    return flow(target=known, directory=str(directory), **parameters)


def task_runs(client: SyncPrefectClient, flow_run_id: Any) -> dict[str, str]:
    """The states of a completed flow's tasks, once the server has recorded all of them."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    only = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))

    def read() -> dict[str, str]:
        runs = client.read_task_runs(flow_run_filter=only, limit=200)
        return {each.name: each.state_name or "" for each in runs}

    def whole(found: dict[str, str]) -> bool:
        names = {name.split()[0] for name in found}
        stages = {"discover", "read", "validate", "plan", "apply", "verify", "publish"}
        return names >= stages and set(found.values()) == {"Completed"}

    return eventually(read, whole, seconds=30)


def test_flow_applies_what_is_pending_and_a_second_run_does_nothing(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(SHOP)
    first = run(migrate_flow, known, directory)
    second = run(migrate_flow, known, directory)
    assert [row.version for row in first.done or ()] == ["0001", "0002"]
    assert second.plan is not None
    assert second.plan.steps == ()
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (2,)


def test_rollback_flow_takes_back_the_latest_or_all(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(SHOP)
    run(migrate_flow, known, directory)
    assert [row.version for row in run(rollback_flow, known, directory).done or ()] == ["0002"]
    assert [r.version for r in run(rollback_flow, known, directory, to="zero").done or ()] == [
        "0001"
    ]
    assert conn.execute("SELECT to_regclass('users'), to_regclass('orders')").fetchone() == (
        None,
        None,
    )


def test_each_stage_is_a_task_run_with_a_name_that_reads(
    known: str,
    write: Callable[..., Path],
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    prefect_client: SyncPrefectClient,
) -> None:
    directory = write(SHOP)
    run(migrate_flow, known, directory)
    told()
    found = latest_run()
    assert found.name == "migrate test 0001..0002"
    assert task_runs(prefect_client, found.id) == {
        f"discover {directory}": "Completed",
        "read ledger of test": "Completed",
        "validate": "Completed",
        "plan up": "Completed",
        "apply 0001..0002": "Completed",
        "verify test": "Completed",
        "publish report": "Completed",
    }


def test_granularity_migration_makes_each_migration_a_task_run(
    known: str,
    write: Callable[..., Path],
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    prefect_client: SyncPrefectClient,
) -> None:
    run(migrate_flow, known, write(SHOP), granularity="migration")
    told()
    names = task_runs(prefect_client, latest_run().id)
    assert names["apply 0001_users"] == names["apply 0002_orders"] == "Completed"


def test_failed_migration_is_rolled_back_and_the_flow_ends_failed(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
) -> None:
    directory = write(SHOP | BROKEN)
    with pytest.raises(ApplyError, match="division by zero") as caught:
        run(migrate_flow, known, directory)
    told()
    assert (caught.value.version, caught.value.line, caught.value.statement) == ("0003", 2, 2)
    columns = conn.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users'"
    ).fetchone()
    assert columns == (1,)
    found = latest_run()
    assert found.state_name == "Failed"
    artifacts = ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [str(found.id)]}}})
    by_key = {artifact["key"]: artifact for artifact in artifacts}
    text = by_key["confiture-failure-test"]["data"]
    for part in ("division by zero", "0003\\_broken.up.sql:2", "22012", "What to do next", "0001"):
        assert part in text
    assert '"result": "failed"' in by_key["confiture-migrations-test"]["data"]
    assert '"result": "applied"' in by_key["confiture-migrations-test"]["data"]


def test_each_migration_leaves_a_log_line_and_an_event(
    known: str,
    write: Callable[..., Path],
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
) -> None:
    run(migrate_flow, known, write(SHOP))
    told()
    found = latest_run()
    logs = ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [str(found.id)]}}})
    lines = [log["message"] for log in logs]
    assert any(line.startswith("applied 0001_users in ") for line in lines)
    events = eventually(
        lambda: ask(
            "/events/filter",
            {"filter": {"event": {"name": ["confiture.migration.applied"]}, "order": "DESC"}},
        )["events"],
        lambda events: any(
            event["resource"]["prefect.resource.id"] == "confiture.migration.test.0002"
            for event in events
        ),
    )
    assert events[0]["payload"]["name"] in ("users", "orders")


def test_edited_file_stops_the_flow_before_anything_is_applied(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(SHOP)
    run(migrate_flow, known, directory, to="0001")
    write({"0001_users.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY);"})
    with pytest.raises(HistoryError, match="edited"):
        run(migrate_flow, known, directory)
    assert conn.execute("SELECT to_regclass('orders')").fetchone() == (None,)


def test_failing_verify_script_fails_the_run_but_keeps_the_migration(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(SHOP | {"0002_orders.verify.sql": "SELECT count(*) > 5 FROM orders;"})
    with pytest.raises(Exception, match="does not verify"):
        run(migrate_flow, known, directory)
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (2,)


def test_unknown_target_is_a_clear_error(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="neither in the configuration"):
        run(migrate_flow, "no-such-target", write(SHOP))
