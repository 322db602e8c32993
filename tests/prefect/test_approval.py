"""Approval: a run that waits in its process, and one of a deployment that is suspended."""

from __future__ import annotations

import contextvars
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import CancelledRun
from prefect.flow_runs import resume_flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from confiture_flows.cli.migrate import migrate
from confiture_flows.config import load_project
from confiture_flows.errors import ApprovalError, ApprovalTimeoutError, RunCancelledError
from confiture_flows.flows import _approval, migrate_flow, rollback_flow
from confiture_flows.migrations.lifecycle import Request
from confiture_flows.migrations.observer import Observer
from confiture_flows.runs.taking_back import take_back_by_flow
from confiture_flows.target import configured_target
from tests.prefect.conftest import Served
from tests.support import eventually, told_of

pytestmark = pytest.mark.usefixtures("prefect_server")

MIGRATIONS = {
    "0001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
    "0001_a.down.sql": "DROP TABLE a;",
}
EXISTS = "SELECT to_regclass('a') IS NOT NULL"


@pytest.fixture
def shop(
    write: Callable[..., Path], dsn: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """A project with one migration; its target says what it is given."""

    def make(said: str) -> Path:
        directory = write(MIGRATIONS)
        target = f'[targets.shop]\ndsn = "{dsn}"\napprove_timeout = 90\n'
        where = '[migrations]\ndirectory = "migrations"\n'
        (directory.parent / "confiture.toml").write_text(f"{where}{target}{said}\n")
        monkeypatch.chdir(directory.parent)
        return directory

    return make


@pytest.fixture
def answered(
    prefect_client: SyncPrefectClient, ask: Callable[..., Any]
) -> Callable[..., AbstractContextManager[list[Any]]]:
    """Answer the form of the run that waits, as a person would while it runs."""
    waiting = {"flow_runs": {"state": {"name": {"any_": ["Paused"]}}}}

    @contextmanager
    def answer(
        given: dict[str, Any], before: Callable[[], object] = lambda: None
    ) -> Iterator[list[Any]]:
        seen: list[Any] = []

        def respond() -> None:
            runs = eventually(lambda: ask("/flow_runs/filter", waiting), bool, seconds=80)
            run = prefect_client.read_flow_run(UUID(runs[0]["id"]))
            keys = run.state.state_details.run_input_keyset if run.state else None
            for part in ("schema", "description"):
                seen.append(
                    eventually(
                        lambda part=part: prefect_client.read_flow_run_input(
                            run.id, (keys or {})[part]
                        ),
                        bool,
                    )
                )
            before()
            resume_flow_run(run.id, run_input=given)

        # The settings that name the server belong to this context.
        thread = threading.Thread(target=contextvars.copy_context().run, args=(respond,))
        thread.start()
        try:
            yield seen
        finally:
            thread.join(90)

    return answer


def test_approved_plan_runs_and_its_artifact_tells_all(
    shop: Callable[[str], Path],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
    told: Callable[[], None],
    conn: psycopg.Connection,
    answered: Callable[..., AbstractContextManager[list[Any]]],
    run_events: Callable[..., list[Any]],
) -> None:
    directory = shop('approve = "always"\ndry_run = "static"')
    yes = {"approve": True, "name": "Ann", "note": "go"}
    with answered(yes) as form:
        report = migrate_flow(target="shop", directory=str(directory))
    assert [row.version for row in report.done or ()] == ["0001"]
    schema, description = form
    assert {"approve", "name", "note"} <= set(json.loads(schema)["properties"])
    assert "Approve 1 migration on shop?" in description
    artifacts = ask("/artifacts/filter", {"artifacts": {"key": {"like_": "confiture-approval-"}}})
    text = artifacts[-1]["data"]
    for part in ("0001", "Dry run", "Findings", "looked at"):
        assert part in text
    told()
    of_run = {"logs": {"flow_run_id": {"any_": [str(latest_run().id)]}}}
    eventually(
        lambda: ask("/logs/filter", of_run),
        lambda lines: any("Ann approved the plan" in line["message"] for line in lines),
    )
    events = run_events(latest_run().id)
    shop_id = "confiture.target.shop"
    assert [about for about in told_of(events) if "approval" in about[0]] == [
        ("approval.asked", shop_id),
        ("approval.given", shop_id),
    ]
    given = next(each for each in events if each["event"] == "confiture.approval.given")
    assert (given["payload"]["plan"], given["payload"]["name"]) == ("0001", "Ann")


def test_rejected_plan_ends_cancelled_with_nothing_done(
    shop: Callable[[str], Path],
    latest_run: Callable[[], Any],
    conn: psycopg.Connection,
    answered: Callable[..., AbstractContextManager[list[Any]]],
    run_events: Callable[..., list[Any]],
) -> None:
    directory = shop('approve = "always"')
    no = {"approve": False, "name": "Ben", "note": "not today"}
    with (
        answered(no),
        pytest.raises(CancelledRun, match=r"Ben rejected the plan .*: not today"),
    ):
        migrate_flow(target="shop", directory=str(directory))
    assert latest_run().state_name == "Rejected"
    ends = told_of(run_events(latest_run().id))[-3:]
    assert [what for what, _ in ends] == ["approval.asked", "approval.rejected", "run.cancelled"]
    assert conn.execute(EXISTS).fetchone() == (False,)


def test_nobody_approves_in_time(
    shop: Callable[[str], Path],
    latest_run: Callable[[], Any],
    conn: psycopg.Connection,
    run_events: Callable[..., list[Any]],
) -> None:
    directory = shop('approve = "always"')
    text = Path("confiture.toml").read_text()
    Path("confiture.toml").write_text(text.replace("timeout = 90", "timeout = 1"))
    with pytest.raises(CancelledRun, match="Nobody approved the plan"):
        migrate_flow(target="shop", directory=str(directory))
    assert latest_run().state_name == "Approval timed out"
    ends = told_of(run_events(latest_run().id))[-3:]
    assert [what for what, _ in ends] == ["approval.asked", "approval.timed-out", "run.cancelled"]
    assert conn.execute(EXISTS).fetchone() == (False,)


def test_time_is_up_while_the_server_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_approval, "_AGAIN", 0.01)
    logger, run = logging.getLogger("waiting"), FlowRun(flow_id=uuid4())
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        _approval._deadline(run, 0.01, logger) as over,
    ):
        eventually(lambda: caplog.text.count("the server cannot be told"), lambda n: n > 1)
    assert over.is_set()


def test_a_gate_asks_only_for_findings_that_reach_it(
    shop: Callable[[str], Path], conn: psycopg.Connection
) -> None:
    directory = shop('approve = "above:error"\ndry_run = "static"')
    text = Path("confiture.toml").read_text()
    Path("confiture.toml").write_text(text.replace("timeout = 90", "timeout = 1"))
    # An option cannot make it go unasked by having nobody look.
    assert migrate(dry_run="off") == ApprovalTimeoutError.exit_code
    assert conn.execute(EXISTS).fetchone() == (False,)
    assert migrate_flow(target="shop", directory=str(directory)).ok


def test_hook_asks_for_the_way_back(
    shop: Callable[[str], Path],
    conn: psycopg.Connection,
    answered: Callable[..., AbstractContextManager[list[Any]]],
) -> None:
    directory = shop(
        '[[hooks]]\nuse = "require_approval"\npoint = "before_apply"\ndirection = "down"'
    )
    done = migrate_flow(target="shop", directory=str(directory)).done or ()
    yes = {"approve": True, "name": "Ann", "note": ""}
    down = directory / "0001_a.down.sql"
    edited = "DROP TABLE a; CREATE TABLE b ();"
    with (
        answered(yes, before=lambda: down.write_text(edited)),
        pytest.raises(ApprovalError, match="was changed while it waited"),
    ):
        rollback_flow(target="shop", directory=str(directory))
    assert conn.execute(EXISTS).fetchone() == (True,)
    # What the wizard rolls back after a failure is asked about as well.
    down.write_text(MIGRATIONS["0001_a.down.sql"])
    known = configured_target(load_project(), "shop")
    assert known
    with answered({**yes, "approve": False}), pytest.raises(RunCancelledError):
        take_back_by_flow(known, Request(directory), done, None, Observer())
    assert conn.execute(EXISTS).fetchone() == (True,)
    with answered(yes):
        take_back_by_flow(known, Request(directory), done, None, Observer())
    assert conn.execute(EXISTS).fetchone() == (False,)


def test_plain_run_of_such_a_target_is_refused(
    shop: Callable[[str], Path], capsys: pytest.CaptureFixture[str], conn: psycopg.Connection
) -> None:
    shop('approve = "always"')
    assert migrate(plain=True) == ApprovalError.exit_code
    assert "Leave out --plain" in capsys.readouterr().out
    hook = '[[hooks]]\nuse = "require_approval"\npoint = "before_apply"'
    shop(f'dry_run = "static"\n{hook}\noptions = {{ when = "above:error" }}')
    assert migrate(plain=True, dry_run="off") == ApprovalError.exit_code
    assert conn.execute(EXISTS).fetchone() == (False,)


def test_run_of_a_deployment_is_suspended_and_asks_again_when_the_plan_changes(
    served: Served,
    write: Callable[..., Path],
    dsn: str,
    prefect_client: SyncPrefectClient,
    resume: Callable[..., None],
    conn: psycopg.Connection,
) -> None:
    directory = write(MIGRATIONS)
    served.configure(f'[targets.shop]\ndsn = "{dsn}"\napprove = "always"\n')
    run_id = served.run(prefect_client, target="shop", directory=str(directory))

    def state() -> tuple[str, str]:
        run = prefect_client.read_flow_run(run_id)
        return run.state_name or "", str(run.state.state_details.pause_key if run.state else "")

    _, first = eventually(state, lambda seen: seen[0] == "Suspended", seconds=90)
    (directory / "0001_a.up.sql").write_text("CREATE TABLE a (id bigint PRIMARY KEY, b text);")

    def answered_too_soon() -> str:
        """A run is Suspended a moment before the server has its form."""
        try:
            resume_flow_run(run_id, run_input={"approve": True, "name": "Ann", "note": ""})
        except RuntimeError as error:
            return str(error)
        return ""

    eventually(answered_too_soon, lambda said: not said)
    eventually(state, lambda seen: seen[0] == "Suspended" and seen[1] != first, seconds=90)
    assert conn.execute(EXISTS).fetchone() == (False,)
    resume(run_id, name="Ann", note="seen with Ben")
    eventually(state, lambda seen: seen[0] == "Completed", seconds=90)
    assert conn.execute("SELECT version FROM tb_confiture").fetchall() == [("0001",)]
    assert conn.execute("SELECT count(b) FROM a").fetchone() == (0,)
