"""Hooks of a run without Prefect: when they fire, in what, and what their failure does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.errors import (
    ApplyError,
    ConfitureFlowsError,
    HookError,
    HookTimeoutError,
    PlanError,
)
from confiture_flows.hooks import HookContext, HookPoint, HookRegistry, HookResult
from confiture_flows.hooks.executor import HookExecutor
from confiture_flows.migrations.lifecycle import Request, RunReport, run_lifecycle
from confiture_flows.migrations.nesting import refuse_nested
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction
from confiture_flows.report.finding import Severity
from confiture_flows.target import Target, connect
from tests.support import eventually

PAIRS = {
    "0001_users.up.sql": "CREATE TABLE users (id int);",
    "0001_users.down.sql": "DROP TABLE users;",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);",
    "0002_orders.down.sql": "DROP TABLE orders;",
}
WRONG = {"0003_wrong.up.sql": "SELECT nothing;"}
POINTS = tuple(HookPoint)


@dataclass
class Runs:
    """Runs lifecycles with hooks, and keeps what they publish and tell."""

    target: Target
    hooks: HookRegistry = field(default_factory=HookRegistry)
    published: list[RunReport] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def run(self, directory: Path, direction: Direction = Direction.UP, **more: Any) -> RunReport:
        request = Request(directory, **more)
        executor = HookExecutor(self.hooks, self.target, "run-1", direction, tell=self.said.append)
        with connect(self.target, "test") as conn:
            stages = PlainStages(
                conn, self.target, request, Observer(), self.published.append, executor
            )
            return run_lifecycle(
                stages,
                target=self.target.name,
                direction=direction,
                gate=Severity.ERROR,
                hooks=executor,
                on_error=self.target.on_error,
            )

    def fail(self, directory: Path, **more: Any) -> ConfitureFlowsError:
        with pytest.raises(ConfitureFlowsError) as caught:
            self.run(directory, **more)
        return caught.value


@pytest.fixture
def runs(target: Target) -> Runs:
    return Runs(target)


@pytest.fixture
def seen(runs: Runs) -> list[tuple[str, str | None]]:
    """What fired, of one hook a run and one a migration at each point."""
    found: list[tuple[str, str | None]] = []

    def note(context: HookContext) -> None:
        version = context.migration.version if context.migration else None
        found.append((context.point.value, version))

    for point in POINTS:
        runs.hooks.hook(point, name="once")(note)
        runs.hooks.hook(point, name="each", each=True)(note)
    return found


def versions(report: RunReport) -> list[str]:
    return [row.version for row in report.done or ()]


def test_points_fire_once_a_run_and_once_a_migration_in_order(
    runs: Runs, seen: list[Any], write: Callable[..., Path]
) -> None:
    runs.run(write(PAIRS))
    assert seen == [
        ("before_validate", None),
        ("before_validate", "0001"),
        ("before_validate", "0002"),
        ("before_apply", None),
        ("before_apply", "0001"),
        ("after_apply", "0001"),
        ("before_apply", "0002"),
        ("after_apply", "0002"),
        ("after_apply", None),
    ]


def test_on_error_fires_for_the_run_what_failed_and_what_was_done(
    runs: Runs, seen: list[Any], write: Callable[..., Path]
) -> None:
    error = runs.fail(write(PAIRS | WRONG))
    assert isinstance(error, ApplyError)
    assert seen[-5:] == [
        ("before_apply", "0003"),
        ("on_error", None),
        ("on_error", "0003"),
        ("on_error", "0002"),
        ("on_error", "0001"),
    ]


def test_nothing_to_apply_fires_nothing_but_before_validate(
    runs: Runs, seen: list[Any], write: Callable[..., Path]
) -> None:
    directory = write(PAIRS)
    runs.run(directory)
    seen.clear()
    runs.run(directory)
    assert seen == [("before_validate", None)]


def test_hooks_are_for_the_way_up_unless_they_say_otherwise(
    runs: Runs, seen: list[Any], write: Callable[..., Path]
) -> None:
    back: list[str | None] = []

    @runs.hooks.hook("after_apply", direction="down", each=True)
    def undone(context: HookContext) -> None:
        back.append(context.migration.version if context.migration else None)

    directory = write(PAIRS)
    runs.run(directory)
    assert back == []
    seen.clear()
    runs.run(directory, Direction.DOWN, to="zero")
    assert back == ["0002", "0001"]
    assert seen == []


def test_context_says_what_is_known(runs: Runs, write: Callable[..., Path]) -> None:
    contexts: list[HookContext] = []
    for point in POINTS:
        runs.hooks.hook(point, name="keep")(contexts.append)
    runs.hooks.hook("before_apply", name="quiet")(lambda context: HookResult(message="fine"))
    runs.fail(write(PAIRS | WRONG))
    first, before, last = contexts
    assert (first.plan, first.target, first.run_id) == (None, "test", "run-1")
    assert before.plan is not None
    assert [step.migration.version for step in before.plan.steps] == ["0001", "0002", "0003"]
    assert last.error is not None
    assert [row.version for row in last.done or ()] == ["0001", "0002"]
    assert last.key == "run-1:on_error:keep"
    assert last.summary().done == ("0001", "0002")
    assert last.summary().error == last.error_message
    assert "hook before_apply: quiet: fine (0.0 s)" in runs.said


def test_failing_hook_before_the_change_stops_the_run(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    @runs.hooks.hook("before_apply")
    def backup(context: HookContext) -> None:
        raise RuntimeError("disk full")

    error = runs.fail(write(PAIRS))
    assert isinstance(error, HookError)
    assert error.message == "Hook before_apply: backup: RuntimeError: disk full."
    assert error.file == Path(__file__)
    assert tables() == []


@pytest.mark.parametrize("point", POINTS[:3])
def test_policy_warn_makes_a_finding_and_the_run_goes_on(
    runs: Runs, write: Callable[..., Path], point: HookPoint
) -> None:
    @runs.hooks.hook(point, on_failure="warn")
    def broken(context: HookContext) -> HookResult:
        return HookResult(ok=False, message="no answer")

    report = runs.run(write(PAIRS))
    assert versions(report) == ["0001", "0002"]
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("hook.failed", Severity.WARNING)
    assert finding.message == f"Hook {point.value}: broken: no answer."


def test_policy_abort_after_the_change_fails_the_run_and_keeps_it(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    calls: list[int] = []

    @runs.hooks.hook("after_apply", on_failure="abort")
    def smoke_test(context: HookContext) -> None:
        calls.append(context.attempt)
        raise AssertionError

    runs.fail(write(PAIRS))
    assert calls == [1]
    assert tables() == ["orders", "users"]
    assert versions(runs.published[0]) == ["0001", "0002"]


@pytest.mark.parametrize("each", [False, True])
def test_policy_rollback_takes_the_runs_migrations_back(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]], each: bool
) -> None:
    directory = write(PAIRS)
    runs.run(directory, to="0001")
    told: list[tuple[str, ...]] = []

    @runs.hooks.hook("after_apply", on_failure="rollback", each=each)
    def smoke_test(context: HookContext) -> None:
        raise AssertionError("page is down")

    @runs.hooks.hook("on_error")
    def tell(context: HookContext) -> None:
        told.append(context.summary().taken_back)

    error = runs.fail(directory)
    assert "page is down" in error.message
    assert tables() == ["users"]
    assert told == [("0002",)]
    report = runs.published[-1]
    assert [row.version for row in report.taken_back] == ["0002"]
    assert report.done == ()


def test_what_has_no_way_back_is_kept_and_told(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    @runs.hooks.hook("after_apply", on_failure="rollback")
    def smoke_test(context: HookContext) -> None:
        raise AssertionError("page is down")

    files = {name: text for name, text in PAIRS.items() if name != "0001_users.down.sql"}
    error = runs.fail(write(files))
    assert "page is down" in error.message
    assert tables() == ["orders", "users"]
    (finding,) = (each for each in runs.published[0].findings)
    assert finding.code == "run.not_taken_back"
    assert "0001_users has no down script" in finding.message


def test_on_error_hook_that_fails_does_not_hide_the_error(
    runs: Runs, write: Callable[..., Path]
) -> None:
    ran: list[str] = []

    @runs.hooks.hook("on_error")
    def broken(context: HookContext) -> None:
        raise RuntimeError("no network")

    @runs.hooks.hook("on_error")
    def second(context: HookContext) -> None:
        ran.append("second")

    error = runs.fail(write(WRONG))
    assert isinstance(error, ApplyError)
    assert ran == ["second"]
    assert [each.code for each in runs.published[0].findings] == ["hook.failed"]


@pytest.mark.parametrize("value", [False, 7, {"a": 1}, [1], HookResult(data={"a": object()})])  # pyright: ignore
def test_result_that_says_nothing_is_a_failure(
    runs: Runs, write: Callable[..., Path], value: object
) -> None:
    runs.hooks.hook("before_apply", name="odd")(lambda context: value)
    assert "which says nothing" in runs.fail(write(PAIRS)).message


def test_async_function_task_and_flow_run_plainly(runs: Runs, write: Callable[..., Path]) -> None:
    from prefect import flow, task

    seen: list[str] = []

    @runs.hooks.hook("after_apply")
    async def later(context: HookContext) -> None:
        await asyncio.sleep(0)
        seen.append(f"async {context.target}")

    @runs.hooks.hook("after_apply")
    @task(retries=1)
    def twice(context: HookContext) -> None:
        seen.append("task")
        if seen.count("task") == 1:
            raise RuntimeError("again")

    @runs.hooks.hook("after_apply")
    @flow
    def whole(summary: Any) -> None:
        seen.append(f"flow {summary.done}")

    runs.run(write(PAIRS))
    assert seen == ["async test", "task", "task", "flow ('0001', '0002')"]


def test_retries_try_again(runs: Runs, write: Callable[..., Path]) -> None:
    tries: list[int] = []

    @runs.hooks.hook("before_apply", retries=1)
    def flaky(context: HookContext) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("not yet")

    assert versions(runs.run(write(PAIRS))) == ["0001", "0002"]
    assert len(tries) == 2


def count(conn: psycopg.Connection, table: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    return row[0] if row else 0


@pytest.fixture
def audit(conn: psycopg.Connection) -> str:
    conn.execute("CREATE TABLE audit (what text)")
    return "audit"


def test_own_transaction_commits_or_vanishes(
    runs: Runs, write: Callable[..., Path], conn: psycopg.Connection, audit: str
) -> None:
    @runs.hooks.hook("before_apply", transaction="own")
    def note(context: HookContext, own: psycopg.Connection) -> None:
        own.execute("INSERT INTO audit VALUES ('before')")

    @runs.hooks.hook("after_apply", transaction="own")
    def fail(context: HookContext, own: psycopg.Connection) -> HookResult:
        own.execute("INSERT INTO audit VALUES ('after')")
        return HookResult(ok=False)

    runs.run(write(PAIRS))
    assert conn.execute("SELECT what FROM audit").fetchall() == [("before",)]


@pytest.mark.parametrize("single", [False, True])
def test_hook_in_the_migrations_transaction_shares_its_fate(
    runs: Runs, write: Callable[..., Path], conn: psycopg.Connection, audit: str, single: bool
) -> None:
    for point, word in (("before_apply", "before"), ("after_apply", "after")):

        @runs.hooks.hook(point, name=word, transaction="migration")
        def note(context: HookContext, inner: psycopg.Connection, word: str = word) -> str:
            assert context.migration
            inner.execute("INSERT INTO audit VALUES (%s)", (f"{word} {context.migration.version}",))
            return "noted"

    directory = write(PAIRS | WRONG)
    runs.fail(directory, single_transaction=single)
    expected = ["before 0001", "after 0001", "before 0002", "after 0002"]
    rows = [row[0] for row in conn.execute("SELECT what FROM audit")]
    assert rows == ([] if single else expected)
    told = [line for line in runs.said if "noted" in line]
    assert len(told) == (0 if single else 4)


def test_failing_hook_in_the_migrations_transaction_undoes_the_migration(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    @runs.hooks.hook("after_apply", transaction="migration")
    def check(context: HookContext, conn: psycopg.Connection) -> HookResult:
        assert context.migration
        return HookResult(ok=context.migration.version != "0002", message="no rows")

    error = runs.fail(write(PAIRS))
    assert (error.version, error.message) == (
        "0002",
        "Hook after_apply: check (0002_orders): no rows.",
    )
    assert tables() == ["users"]
    assert versions(runs.published[0]) == ["0001"]


@pytest.mark.parametrize("how", ["sql", "method"])
def test_hook_that_ends_the_migrations_transaction_is_found_out(
    runs: Runs, write: Callable[..., Path], conn: psycopg.Connection, how: str
) -> None:
    @runs.hooks.hook("after_apply", transaction="migration")
    def commit(context: HookContext, inner: psycopg.Connection) -> None:
        inner.commit() if how == "method" else inner.execute("COMMIT")

    error = runs.fail(write(PAIRS))
    assert isinstance(error, HookError)
    if how == "method":
        assert "forbidden" in error.message
        assert count(conn, "tb_confiture") == 0
        assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)
    else:
        assert "ended the migration's transaction" in error.message
        assert count(conn, "tb_confiture_journal") == 1


def test_swallowed_database_error_in_a_transaction_is_told(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    @runs.hooks.hook("before_apply", transaction="migration")
    def swallow(context: HookContext, inner: psycopg.Connection) -> None:
        with contextlib.suppress(psycopg.Error):
            inner.execute("SELECT nothing")

    assert "a statement of it had failed" in runs.fail(write(PAIRS)).message
    assert tables() == []


def test_hook_before_a_script_that_is_no_transaction_is_refused(
    runs: Runs, write: Callable[..., Path], conn: psycopg.Connection, audit: str
) -> None:
    concurrently = {"0001_i.up.sql": "CREATE INDEX CONCURRENTLY i ON audit (what);"}
    directory = write(concurrently)

    @runs.hooks.hook("after_apply", transaction="migration")
    def after(context: HookContext, inner: psycopg.Connection) -> None:
        inner.execute("INSERT INTO audit VALUES ('with the ledger row')")

    runs.run(directory)
    assert count(conn, "audit") == 1

    @runs.hooks.hook("before_apply", transaction="migration")
    def before(context: HookContext, inner: psycopg.Connection) -> None:
        pass

    write({"0002_j.up.sql": "CREATE INDEX CONCURRENTLY j ON audit (what);"})
    error = runs.fail(directory)
    assert "0002_j is not one transaction" in error.message
    assert conn.execute("SELECT to_regclass('j')").fetchone() == (None,)


def sleep_in_python(context: HookContext) -> None:
    time.sleep(60)


# Of this run of the tests only: the whole machine is asked whether it is gone.
SLEEP = f"sleep 61.{os.getpid()}"


def sleep_in_a_child(context: HookContext) -> None:
    subprocess.run(["sh", "-c", f"{SLEEP} & wait"], check=False)


def sleep_in_a_query(context: HookContext, conn: psycopg.Connection) -> None:
    conn.execute("SELECT pg_sleep(62)")


async def sleep_in_a_loop(context: HookContext) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("call", "transaction"),
    [
        (sleep_in_python, "none"),
        (sleep_in_a_loop, "none"),
        (sleep_in_a_child, "none"),
        (sleep_in_a_query, "own"),
        (sleep_in_a_query, "migration"),
    ],
)
def test_hook_that_hangs_is_ended_with_its_query_and_children(
    runs: Runs,
    write: Callable[..., Path],
    sessions: Callable[[], list[str]],
    tables: Callable[[], list[str]],
    call: Any,
    transaction: str,
) -> None:
    runs.hooks.hook("before_apply", name="slow", transaction=transaction, timeout=0.3)(call)
    started = time.monotonic()
    error = runs.fail(write(PAIRS))
    assert isinstance(error, HookTimeoutError)
    assert time.monotonic() - started < 45
    assert "ran out of time (0.3 s)" in error.message
    assert tables() == []
    eventually(sessions, lambda found: not found)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert SLEEP not in listed


def test_hook_in_a_thread_is_ended_too(runs: Runs, write: Callable[..., Path]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    @runs.hooks.hook("before_apply", timeout=0.3)
    def busy(context: HookContext) -> None:
        while True:
            time.sleep(0.01)

    directory = write(PAIRS)
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(runs.fail, directory).result()
    assert isinstance(error, HookTimeoutError)


@pytest.mark.parametrize("in_thread", [False, True])
def test_hooks_that_end_about_when_their_time_does_leave_nothing_behind(in_thread: bool) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from confiture_flows.hooks.limits import TimeIsUp, time_limit

    def race() -> int:
        ended = 0
        for number in range(8):
            until = time.monotonic() + 0.255 + 0.001 * number
            try:
                # Interrupted first a quarter of a second after the limit.
                with time_limit(0.005):
                    while time.monotonic() < until:
                        pass
            except TimeIsUp:
                ended += 1
        time.sleep(0.3)
        return ended

    with ThreadPoolExecutor(1) as pool:
        assert (pool.submit(race).result() if in_thread else race()) == 8


def test_hook_that_starts_a_run_of_the_same_target_is_refused(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    @runs.hooks.hook("before_apply")
    def again(context: HookContext) -> None:
        refuse_nested(replace(runs.target, name="other name, same database"))

    error = runs.fail(write(PAIRS))
    assert "starts a run of the same target" in error.message
    assert tables() == []
    refuse_nested(runs.target)


def test_runs_of_other_targets_within_hooks_have_a_limit(target: Target) -> None:
    from confiture_flows.migrations.nesting import depth, inside_hook

    others = [Target(str(n), f"postgresql://nowhere/{n}") for n in range(3)]
    with inside_hook(others[0]), inside_hook(others[1]):
        refuse_nested(target)
        assert depth() == 2
        with inside_hook(others[2]), pytest.raises(PlanError, match="3 deep: 0 > 1 > 2"):
            refuse_nested(target)


def test_secrets_of_the_target_are_not_told(runs: Runs, write: Callable[..., Path]) -> None:
    runs.target = replace(runs.target, placeholders={"token": "sesame-open"})

    @runs.hooks.hook("before_apply", on_failure="warn")
    def chatty(context: HookContext) -> None:
        print("the token is sesame-open")
        print("postgresql://me:hunter22@db/shop", end="")
        raise RuntimeError("sesame-open does not work")

    report = runs.run(write(PAIRS))
    told = "\n".join([*runs.said, *(each.message for each in report.findings)])
    assert "sesame-open" not in told
    assert "hunter22" not in told
    assert "chatty: the token is ***" in runs.said
