"""The stages in order on one connection: what the report says, and when a gate stops the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import (
    ApplyError,
    ConfitureFlowsError,
    GateError,
    HistoryError,
    IrreversibleError,
    PlanError,
)
from confiture_flows.migrations.lifecycle import Request, RunReport, run_lifecycle
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction
from confiture_flows.report.finding import Severity
from confiture_flows.target import Target, connect

PAIRS = {
    "0001_users.up.sql": "CREATE TABLE users (id int);",
    "0001_users.down.sql": "DROP TABLE users;",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);",
    "0002_orders.down.sql": "DROP TABLE orders;",
}


class Runs:
    """Runs lifecycles and keeps what they publish."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.published: list[RunReport] = []

    def run(
        self,
        directory: Path,
        direction: Direction = Direction.UP,
        *,
        to: str | None = None,
        gate: Severity = Severity.ERROR,
        observer: Observer | None = None,
    ) -> RunReport:
        request = Request(directory, to=to)
        with connect(self.target, "test") as conn:
            stages = PlainStages(
                conn, self.target, request, observer or Observer(), self.published.append
            )
            return run_lifecycle(stages, target=self.target.name, direction=direction, gate=gate)

    def fail(self, *args: object, **options: object) -> ConfitureFlowsError:
        with pytest.raises(ConfitureFlowsError) as caught:
            self.run(*args, **options)  # pyright: ignore[reportArgumentType]
        return caught.value


@pytest.fixture
def runs(target: Target) -> Runs:
    return Runs(target)


def versions(report: RunReport) -> list[str] | None:
    return None if report.done is None else [row.version for row in report.done]


def test_report_of_a_run_says_what_was_done(runs: Runs, write: Callable[..., Path]) -> None:
    report = runs.run(write(PAIRS))

    assert report.ok
    assert versions(report) == ["0001", "0002"]
    assert report.plan is not None
    assert report.target == "test"
    assert report.findings == ()
    assert report.elapsed > 0
    assert runs.published == [report]


def test_second_run_does_nothing(runs: Runs, write: Callable[..., Path]) -> None:
    directory = write(PAIRS)
    runs.run(directory)

    report = runs.run(directory)

    assert report.ok
    assert report.done == ()


def test_run_stops_at_the_version_asked_for(runs: Runs, write: Callable[..., Path]) -> None:
    assert versions(runs.run(write(PAIRS), to="0001")) == ["0001"]


def test_way_back(runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]) -> None:
    directory = write(PAIRS)
    runs.run(directory)

    report = runs.run(directory, Direction.DOWN, to="zero")

    assert versions(report) == ["0002", "0001"]
    assert tables() == []


def test_failed_run_reports_what_stays_and_what_failed(
    runs: Runs, write: Callable[..., Path]
) -> None:
    error = runs.fail(write(PAIRS | {"0003_wrong.up.sql": "SELECT nothing;"}))

    (report,) = runs.published
    assert isinstance(error, ApplyError)
    assert report.error is error
    assert not report.ok
    assert versions(report) == ["0001", "0002"]


def test_failed_way_back_reports_what_is_undone(runs: Runs, write: Callable[..., Path]) -> None:
    directory = write(PAIRS | {"0001_users.down.sql": "SELECT nothing;"})
    runs.run(directory)
    runs.published.clear()

    runs.fail(directory, Direction.DOWN, to="zero")

    assert versions(runs.published[0]) == ["0002"]


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"0001_users.up.sql": "SELECT 1;"}, HistoryError, "0001_users was edited"),
        ({"0001_users.up.sql": None}, HistoryError, "applied but not on disk: 0001"),
        ({"0003_a.up.sql": "", "0003_b.up.sql": ""}, HistoryError, "0003 stands twice"),
        ({"0003_wrong.up.sql": "SELEC 1;"}, GateError, "0003_wrong"),
        ({"0003_nul.up.sql": "SELECT 1;\0"}, GateError, "NUL byte"),
    ],
    ids=["edited", "deleted", "duplicate", "syntax", "NUL"],
)
def test_gate_stops_before_anything_is_applied(
    runs: Runs,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
    changes: dict[str, str | None],
    kind: type[GateError],
    said: str,
) -> None:
    directory = write(PAIRS)
    runs.run(directory)
    write({"0004_last.up.sql": "CREATE TABLE last (id int);"})
    for name, content in changes.items():
        (directory / name).unlink() if content is None else (directory / name).write_text(content)
    runs.published.clear()

    error = runs.fail(directory)

    assert type(error) is kind
    assert said in error.message
    assert tables() == ["orders", "users"]
    assert any(finding.severity is Severity.ERROR for finding in runs.published[0].findings)


def test_out_of_order_is_a_warning_and_runs(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    runs.run(write({k: v for k, v in PAIRS.items() if k.startswith("0002")}))

    report = runs.run(write(PAIRS))

    assert [finding.code for finding in report.findings] == ["history.out_of_order"]
    assert versions(report) == ["0001"]
    assert tables() == ["orders", "users"]


def test_out_of_order_stops_a_production_target(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    runs.run(write({k: v for k, v in PAIRS.items() if k.startswith("0002")}))
    strict = Runs(replace(runs.target, production=True))

    error = strict.fail(write(PAIRS))

    assert isinstance(error, HistoryError)
    assert tables() == ["orders"]


def test_edited_file_does_not_bar_the_way_back(runs: Runs, write: Callable[..., Path]) -> None:
    directory = write(PAIRS)
    runs.run(directory)
    write({"0002_orders.up.sql": "CREATE TABLE orders (id bigint);"})

    report = runs.run(directory, Direction.DOWN)

    assert versions(report) == ["0002"]
    assert [finding.code for finding in report.findings] == ["history.edited"]


def test_failed_verification_is_an_error_that_undoes_nothing(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(PAIRS | {"0002_orders.verify.sql": "SELECT false;"})

    error = runs.fail(directory)

    assert isinstance(error, GateError)
    assert "0002_orders does not verify" in error.message
    assert tables() == ["orders", "users"]
    assert versions(runs.published[0]) == ["0001", "0002"]


def test_only_what_was_applied_now_is_verified(
    runs: Runs, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(PAIRS | {"0001_users.verify.sql": "SELECT to_regclass('users') IS NOT NULL;"})
    runs.run(directory, to="0001")
    conn.execute("DROP TABLE users")

    report = runs.run(directory)

    assert versions(report) == ["0002"]


@pytest.mark.parametrize(
    ("direction", "to", "kind"),
    [
        (Direction.UP, "0009", PlanError),
        (Direction.DOWN, "0009", PlanError),
        (Direction.UP, "0001", PlanError),
        (Direction.DOWN, "zero", IrreversibleError),
    ],
)
def test_plan_that_does_not_exist_is_refused(
    runs: Runs,
    write: Callable[..., Path],
    direction: Direction,
    to: str,
    kind: type[PlanError],
) -> None:
    directory = write({k: v for k, v in PAIRS.items() if k != "0001_users.down.sql"})
    runs.run(directory)
    runs.published.clear()

    error = runs.fail(directory, direction, to=to)

    assert type(error) is kind
    assert error.next_step
    assert runs.published[0].plan is None


def test_interrupted_run_reports_without_asking_the_database_again(
    runs: Runs, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    class Interrupt(Observer):
        def started(self, step: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.run(write(PAIRS), observer=Interrupt())

    assert versions(runs.published[0]) is None
    assert tables() == []
