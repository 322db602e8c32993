"""Hooks of a flow run: real task runs and sub-flow runs, in order, with their policies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.exceptions import CancelledRun
from prefect.states import Cancelling

from confiture_flows.errors import ApplyError, HookError, HookTimeoutError
from confiture_flows.flows import migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.hooks import HookContext, HookPoint, HookResult
from confiture_flows.hooks.registry import hook, registered
from confiture_flows.target import Target
from tests.support import eventually, webhook_server

PAIRS = {
    "0001_users.up.sql": "CREATE TABLE users (id int);",
    "0001_users.down.sql": "DROP TABLE users;",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);",
    "0002_orders.down.sql": "DROP TABLE orders;",
}
WRONG = {"0003_wrong.up.sql": "SELECT nothing;"}

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target) -> Iterator[str]:
    with given_target(target):
        yield target.name


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Hooks of a test are for that test."""
    yield
    for each in tuple(registered):
        registered.remove(each.call)


@pytest.fixture
def seen() -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []

    def note(context: HookContext) -> None:
        found.append((context.point.value, context.migration and context.migration.version))

    for point in HookPoint:
        hook(point, name="once")(note)
        hook(point, name="each", each=True)(note)
    return found


def migrate(known: str, directory: Path, **parameters: Any) -> Any:
    return migrate_flow(target=known, directory=str(directory), **parameters)


def runs_of(client: SyncPrefectClient, flow_run_id: Any) -> dict[str, Any]:
    found = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id])), limit=200
    )
    return {each.name: each for each in found}


def test_points_fire_in_order_and_are_task_runs_with_names_and_tags(
    known: str,
    seen: list[Any],
    write: Callable[..., Path],
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
    ask: Callable[[str, dict[str, Any]], Any],
) -> None:
    with pytest.raises(ApplyError):
        migrate(known, write(PAIRS | WRONG))
    assert seen == [
        ("before_validate", None),
        ("before_validate", "0001"),
        ("before_validate", "0002"),
        ("before_validate", "0003"),
        ("before_apply", None),
        ("before_apply", "0001"),
        ("after_apply", "0001"),
        ("before_apply", "0002"),
        ("after_apply", "0002"),
        ("before_apply", "0003"),
        ("on_error", None),
        ("on_error", "0003"),
        ("on_error", "0002"),
        ("on_error", "0001"),
    ]
    run = latest_run()
    eventually(lambda: "on_error: once" in runs_of(prefect_client, run.id), lambda found: found)
    found = runs_of(prefect_client, run.id)
    assert "after_apply: each (0002)" in found
    assert {"hook", "hook:each", "hook-of:test", "confiture"} <= set(
        found["after_apply: each (0002)"].tags
    )
    artifacts = ask(
        "/artifacts/filter",
        {"artifacts": {"flow_run_id": {"any_": [str(run.id)]}, "key": {"like_": "hooks"}}},
    )
    assert len(artifacts) == 1
    assert artifacts[0]["data"].count('"on_error"') == 4
    seen.clear()
    (Path(str(run.parameters["directory"])) / "0003_wrong.up.sql").unlink()
    migrate(known, Path(run.parameters["directory"]))
    assert seen == [("before_validate", None)]


def test_after_apply_fires_when_all_is_done(
    known: str, seen: list[Any], write: Callable[..., Path]
) -> None:
    migrate(known, write(PAIRS))
    assert seen[-1] == ("after_apply", None)
    assert seen.count(("after_apply", None)) == 1


def test_task_keeps_its_retries_and_flow_becomes_a_sub_flow(
    known: str,
    write: Callable[..., Path],
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
) -> None:
    seen: list[str] = []

    @hook("before_apply")
    @task(retries=1, name="ask twice")
    def twice(context: HookContext) -> None:
        seen.append("task")
        if len(seen) == 1:
            raise RuntimeError("again")

    @hook("before_apply")
    @flow(name="train")
    def whole(summary: Any) -> HookResult:
        seen.append(f"flow {summary.planned}")
        return HookResult(message="trained")

    @hook("before_apply")
    async def later(context: HookContext) -> None:
        seen.append("async")

    migrate(known, write(PAIRS))
    assert seen == ["task", "task", "flow ('0001', '0002')", "async"]
    child = latest_run()
    assert child.name == "before_apply: train"
    assert {"hook:train", "hook-of:test"} <= set(child.tags)
    assert child.parameters["summary"]["target"] == "test"
    assert child.state_name == "Completed"
    assert child.parent_task_run_id is not None


def test_failing_hook_stops_the_flow_before_the_change(
    known: str, write: Callable[..., Path], conn: psycopg.Connection, latest_run: Callable[[], Any]
) -> None:
    @hook("before_apply")
    @task(name="backup")
    def backup(context: HookContext) -> HookResult:
        return HookResult(ok=False, message="disk full")

    with pytest.raises(HookError, match="Hook before_apply: backup: disk full"):
        migrate(known, write(PAIRS))
    assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)
    assert latest_run().state_name == "Failed"


def test_policy_rollback_in_a_flow_takes_the_migrations_back(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
) -> None:
    @hook("after_apply", on_failure="rollback")
    def smoke_test(context: HookContext) -> None:
        raise AssertionError("page is down")

    with pytest.raises(HookError, match="page is down"):
        migrate(known, write(PAIRS))
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (0,)
    assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)
    run = latest_run()
    eventually(lambda: runs_of(prefect_client, run.id), lambda found: "take back the run" in found)


def test_hook_of_the_migrations_transaction_calls_no_api_and_is_told_after_it(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
    ask: Callable[[str, dict[str, Any]], Any],
    told: Callable[[], None],
) -> None:
    conn.execute("CREATE TABLE audit (what text)")

    @hook("after_apply", transaction="migration")
    def note(context: HookContext, inner: psycopg.Connection) -> str:
        inner.execute(
            "INSERT INTO audit SELECT %s", (context.migration and context.migration.name,)
        )
        return "noted"

    with pytest.raises(ApplyError):
        migrate(known, write(PAIRS | WRONG))
    assert conn.execute("SELECT what FROM audit").fetchall() == [("users",), ("orders",)]
    run = latest_run()
    told()
    assert not any("note" in name for name in runs_of(prefect_client, run.id))
    logs = ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [str(run.id)]}}})
    lines = [each["message"] for each in logs if "note" in each["message"]]
    assert [line.rpartition(" (")[0] for line in sorted(lines)] == [
        "hook after_apply: note (0001): noted",
        "hook after_apply: note (0002): noted",
    ]


def test_hook_that_hangs_is_ended_in_a_flow(known: str, write: Callable[..., Path]) -> None:
    @hook("before_apply", transaction="own", timeout=0.5)
    def slow(context: HookContext, conn: psycopg.Connection) -> None:
        conn.execute("SELECT pg_sleep(60)")

    with pytest.raises(HookTimeoutError):
        migrate(known, write(PAIRS))


def test_hook_that_starts_a_flow_run_of_the_same_target_is_refused(
    known: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(PAIRS)

    @hook("before_apply")
    @flow(name="again")
    def again(summary: Any) -> None:
        migrate(known, directory)

    with pytest.raises(HookError, match="starts a run of the same target"):
        migrate(known, directory)
    assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)


def test_descendant_in_another_process_is_refused(
    known: str, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What another process does not have is the context of this one.
    from confiture_flows.flows import _hooks

    monkeypatch.setattr(_hooks, "refuse_nested", lambda _target: None)
    directory = write(PAIRS)

    @hook("before_apply")
    @flow(name="deploy")
    def deploy(summary: Any) -> None:
        migrate(known, directory)

    with pytest.raises(HookError, match="starts a run of the same target"):
        migrate(known, directory)


def test_on_error_fires_on_a_timeout_and_on_a_cancel(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
) -> None:
    slow = {"0001_slow.up.sql": "SELECT pg_sleep(60);"}
    told: list[str] = []

    @hook("on_error")
    def tell(context: HookContext) -> None:
        told.append(type(context.error).__name__)

    directory = write(slow)
    with pytest.raises(TimeoutError):
        migrate(known, directory, timeout_seconds=2)

    def sleeping() -> int:
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND "
            "datname = current_database() AND query LIKE '%sleep(60)%' AND pid <> pg_backend_pid()"
        ).fetchone()
        return row[0] if row else 0

    def cancel() -> None:
        eventually(sleeping, lambda number: number == 1)
        prefect_client.set_flow_run_state(latest_run().id, Cancelling(), force=True)

    helper = threading.Thread(target=cancel)
    helper.start()
    with pytest.raises(CancelledRun):
        migrate(known, directory)
    helper.join()
    assert len(told) == 2
    assert told[1] == "RunCancelledError"
    assert "Timeout" in told[0]


def test_cancel_from_the_ui_ends_a_hook_and_the_run(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
) -> None:
    begun, told = threading.Event(), []

    @hook("before_apply", retries=2)
    def slow(context: HookContext) -> None:
        begun.set()
        time.sleep(60)

    @hook("on_error")
    def tell(context: HookContext) -> None:
        time.sleep(1.5)  # longer than it takes to see that the run is cancelled
        told.append(context.error_message)

    def cancel() -> None:
        assert begun.wait(60)
        prefect_client.set_flow_run_state(latest_run().id, Cancelling(), force=True)

    helper = threading.Thread(target=cancel)
    helper.start()
    started = time.monotonic()
    with pytest.raises(CancelledRun):
        migrate(known, write(PAIRS))
    helper.join()
    assert time.monotonic() - started < 50
    assert told == ["The run was cancelled, and its hook before_apply: slow was ended."]
    assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)


def test_failed_run_is_rolled_back_with_its_non_transactional_steps(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE big (a int, b int)")
    conn.execute("INSERT INTO big VALUES (1, 1), (1, 1)")
    directory = write(
        {
            "0001_a.up.sql": "CREATE INDEX CONCURRENTLY big_a ON big (a);",
            "0001_a.down.sql": "DROP INDEX CONCURRENTLY big_a;",
            # Its second statement fails, so that the first one stays, half done.
            "0002_b.up.sql": "CREATE INDEX CONCURRENTLY big_b ON big (b);\n"
            "CREATE UNIQUE INDEX CONCURRENTLY big_u ON big (b);",
            "0002_b.down.sql": "DROP INDEX CONCURRENTLY IF EXISTS big_u;\n"
            "DROP INDEX CONCURRENTLY IF EXISTS big_b;",
        }
    )
    with given_target(replace(target, on_error="rollback")), pytest.raises(ApplyError):
        migrate(target.name, directory)
    left = conn.execute("SELECT count(*) FROM pg_index WHERE indrelid = 'big'::regclass")
    assert left.fetchone() == (0,)
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (0,)
    assert conn.execute("SELECT count(*) FROM tb_confiture_journal").fetchone() == (0,)


def test_notify_sends_by_a_block_and_run_sql_shows_its_progress(
    known: str,
    write: Callable[..., Path],
    tmp_path: Path,
    latest_run: Callable[[], Any],
    ask: Callable[[str, dict[str, Any]], Any],
) -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    from confiture_flows.flows import notify
    from confiture_flows.hooks.builtin import run_sql

    (tmp_path / "fill.sql").write_text("UPDATE users SET id = id WHERE id BETWEEN :first AND :last")
    options = {"file": "fill.sql", "table": "users", "key": "id", "batch_size": 4}
    hook("after_apply", name="fill")(run_sql.make(options, tmp_path))
    with webhook_server() as webhook:
        CustomWebhookNotificationBlock(  # pyright: ignore[reportCallIssue]
            name="ops", url=webhook.url, json_data={"text": "{{subject}}: {{body}}"}
        ).save("ops")
        sent = notify.make({"block": "custom-webhook/ops"}, tmp_path)
        hook("after_apply", name="tell")(sent)
        rows = {"0001_users.up.sql": "CREATE TABLE users AS SELECT generate_series(1, 10) AS id;"}
        migrate(known, write(rows))
    assert webhook.got[0]["text"].startswith("confiture-flows: test: 0001 done in ")
    found = ask(
        "/artifacts/filter",
        {
            "artifacts": {
                "flow_run_id": {"any_": [str(latest_run().id)]},
                "type": {"any_": ["progress"]},
            }
        },
    )
    assert [each["data"] for each in found] == [100.0]
