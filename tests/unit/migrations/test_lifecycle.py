"""The order of the stages, and what is known and told when one of them fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from confiture_flows.errors import (
    ApplyError,
    GateError,
    HistoryError,
    PlanError,
    TargetUnreachableError,
)
from confiture_flows.migrations.discovery import Directory
from confiture_flows.migrations.ledger import LedgerRow
from confiture_flows.migrations.lifecycle import RunReport, run_lifecycle
from confiture_flows.migrations.migration import Migration
from confiture_flows.migrations.observer import Observer, Observers
from confiture_flows.migrations.plan import Direction, Plan, plan_back, plan_forward
from confiture_flows.report.finding import Finding, Severity

UP, DOWN = Direction.UP, Direction.DOWN
BAD = Finding("file.invalid", Severity.ERROR, "Broken.")
EDITED = Finding("history.edited", Severity.ERROR, "Edited.")
NOTE = Finding("file.misnamed", Severity.WARNING, "Misnamed.")


@dataclass
class InMemory:
    """Stages whose database is a tuple of rows; `apply` does what the plan says.

    `failures` maps a stage to what it raises; `commits` is how many steps are committed
    before `apply` fails; `meanwhile` is what another run commits before it starts.
    """

    migrations: tuple[Migration, ...]
    rows: tuple[LedgerRow, ...]
    every_row: tuple[LedgerRow, ...]
    found: tuple[Finding, ...] = ()
    rehearsed: tuple[Finding, ...] = ()
    verified: tuple[Finding, ...] = ()
    failures: dict[str, BaseException] = field(default_factory=dict)
    commits: int = 0
    meanwhile: tuple[LedgerRow, ...] = ()
    calls: list[str] = field(default_factory=list)
    reports: list[RunReport] = field(default_factory=list)

    def _stage(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failures and name != "apply":
            raise self.failures[name]

    def discover(self) -> Directory:
        self._stage("discover")
        return Directory(Path("m"), "pairs", self.migrations)

    def read_ledger(self) -> tuple[LedgerRow, ...]:
        self._stage("read_ledger" if "plan" not in self.calls else "read_ledger_again")
        return self.rows

    def validate(
        self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction
    ) -> tuple[Finding, ...]:
        self._stage("validate")
        return self.found

    def plan(self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction) -> Plan:
        self._stage("plan")
        if direction is UP:
            return plan_forward(directory.migrations, rows)
        return plan_back(directory.migrations, rows, "zero")

    def rehearse(self, plan: Plan) -> tuple[Finding, ...]:
        self._stage("rehearse")
        return self.rehearsed

    def approve(self, plan: Plan, findings: tuple[Finding, ...]) -> None:
        self._stage("approve")

    def apply(self, plan: Plan) -> tuple[LedgerRow, ...]:
        self._stage("apply")
        self.rows += self.meanwhile
        done: list[LedgerRow] = []
        for step in plan.steps:
            if "apply" in self.failures and len(done) == self.commits:
                raise self.failures["apply"]
            (row,) = (row for row in self.every_row if row.version == step.migration.version)
            done.append(row)
            if plan.direction is UP:
                self.rows = (*self.rows, row)
            else:
                self.rows = tuple(each for each in self.rows if each != row)
        return tuple(done)

    def verify(self, directory: Directory, done: tuple[LedgerRow, ...]) -> tuple[Finding, ...]:
        self._stage("verify")
        assert {row.version for row in done} <= {m.version for m in directory.migrations}
        return self.verified

    def take_back(
        self, directory: Directory, done: tuple[LedgerRow, ...], half_done: str | None
    ) -> tuple[LedgerRow, ...]:
        self._stage("take_back")
        self.rows = tuple(each for each in self.rows if each not in done)
        return done[::-1]

    def publish(self, report: RunReport, /) -> None:
        self._stage("publish")
        self.reports.append(report)


@pytest.fixture
def make_stages(make_migrations, make_rows):
    """Stages over migrations 1, 2 and 3, of which some are applied."""

    def make(*applied: str, **settings) -> InMemory:
        every_row = make_rows("1", "2", "3")
        rows = tuple(row for row in every_row if row.version in applied)
        return InMemory(make_migrations("1", "2", "3"), rows, every_row, **settings)

    return make


def run(stages: InMemory, direction: Direction = UP, gate: Severity = Severity.ERROR) -> RunReport:
    return run_lifecycle(stages, target="shop", direction=direction, gate=gate)


def fail(
    stages: InMemory,
    error: type[BaseException],
    direction: Direction = UP,
    gate: Severity = Severity.ERROR,
) -> RunReport:
    """Run, expect the error, and give the one report that was published."""
    with pytest.raises(error) as caught:
        run(stages, direction, gate)
    (report,) = stages.reports
    assert report.error is caught.value
    assert not report.ok
    assert stages.calls[-1] == "publish"
    return report


def versions(rows: tuple[LedgerRow, ...] | None) -> list[str] | None:
    return None if rows is None else [row.version for row in rows]


def test_stages_of_a_migrate_run_in_order(make_stages) -> None:
    stages = make_stages("1")

    report = run(stages)

    assert stages.calls == [
        "discover",
        "read_ledger",
        "validate",
        "plan",
        "rehearse",
        "approve",
        "apply",
        "verify",
        "publish",
    ]
    assert stages.reports == [report]
    assert (report.target, report.direction, report.ok) == ("shop", UP, True)
    assert versions(report.done) == ["2", "3"]
    assert report.elapsed >= 0


def test_rollback_verifies_nothing(make_stages) -> None:
    stages = make_stages("1", "2")

    report = run(stages, DOWN)

    stages_up_to_plan = ["discover", "read_ledger", "validate", "plan"]
    assert stages.calls == [*stages_up_to_plan, "rehearse", "approve", "apply", "publish"]
    assert versions(report.done) == ["2", "1"]


def test_rehearsal_that_fails_stops_before_anything_is_applied(make_stages) -> None:
    stages = make_stages("1", failures={"rehearse": GateError("It would block reads.")})

    report = fail(stages, GateError)

    assert "apply" not in stages.calls
    assert (versions(report.done), stages.rows) == ([], stages.every_row[:1])


def test_what_a_rehearsal_found_is_in_the_report(make_stages) -> None:
    report = run(make_stages("1", rehearsed=(NOTE,)))

    assert NOTE in report.findings


@pytest.mark.parametrize(("applied", "direction"), [(("1", "2", "3"), UP), ((), DOWN)])
def test_nothing_to_do_ends_well_after_the_plan(
    make_stages, applied: tuple[str, ...], direction: Direction
) -> None:
    stages = make_stages(*applied)

    report = run(stages, direction)

    assert stages.calls == ["discover", "read_ledger", "validate", "plan", "publish"]
    assert (report.ok, report.done) == (True, ())
    assert report.plan is not None


@pytest.mark.parametrize(
    ("found", "gate", "error"),
    [
        (BAD, Severity.ERROR, GateError),
        (EDITED, Severity.ERROR, HistoryError),
        (NOTE, Severity.WARNING, GateError),
    ],
)
def test_gate_stops_before_plan_and_apply(
    make_stages, found: Finding, gate: Severity, error: type[GateError]
) -> None:
    stages = make_stages(found=(found,))

    report = fail(stages, error, gate=gate)

    assert stages.calls == ["discover", "read_ledger", "validate", "publish"]
    assert (report.findings, report.plan, report.done) == ((found,), None, ())
    assert stages.rows == ()


def test_findings_below_the_gate_are_told_and_stop_nothing(make_stages) -> None:
    later = Finding("catalog.not_validated", Severity.INFO, "Not validated.")

    report = run(make_stages(found=(NOTE,), verified=(later,)))

    assert report.ok
    assert report.findings == (NOTE, later)


def test_finding_of_the_verification_stops_after_what_was_done(make_stages) -> None:
    unverified = Finding("verify.failed", Severity.ERROR, "1 does not verify.")
    stages = make_stages(found=(NOTE,), verified=(unverified,))

    report = fail(stages, GateError)

    assert report.findings == (NOTE, unverified)
    assert versions(report.done) == ["1", "2", "3"]
    assert "read_ledger_again" not in stages.calls


def test_finding_of_the_validation_does_not_stop_the_verification_twice(make_stages) -> None:
    report = run(make_stages(found=(NOTE,), verified=()), gate=Severity.ERROR)
    assert report.findings == (NOTE,)


@pytest.mark.parametrize("stage", ["discover", "read_ledger", "validate", "plan"])
@pytest.mark.parametrize("error", [PlanError("no"), KeyboardInterrupt()])
def test_failure_before_the_plan_has_done_nothing(
    make_stages, stage: str, error: BaseException
) -> None:
    report = fail(make_stages(failures={stage: error}), type(error))

    assert (report.plan, report.done) == (None, ())


def test_failed_step_is_told_with_what_was_committed_before_it(make_stages) -> None:
    stages = make_stages("1", failures={"apply": ApplyError("3 failed")}, commits=1)

    report = fail(stages, ApplyError)

    assert stages.calls[-3:] == ["apply", "read_ledger_again", "publish"]
    assert versions(report.done) == ["2"]


def test_failed_rollback_is_told_with_what_was_undone_before_it(make_stages) -> None:
    stages = make_stages("1", "2", "3", failures={"apply": ApplyError("1 failed")}, commits=2)

    report = fail(stages, ApplyError, DOWN)

    assert sorted(versions(report.done) or []) == ["2", "3"]


def test_failed_first_step_has_done_nothing(make_stages) -> None:
    report = fail(make_stages(failures={"apply": ApplyError("1 failed")}), ApplyError)
    assert report.done == ()


def test_what_others_applied_meanwhile_is_not_told_as_ours(make_stages, make_rows) -> None:
    stages = make_stages(failures={"apply": ApplyError("1 failed")}, meanwhile=make_rows("other"))

    assert fail(stages, ApplyError).done == ()


def test_what_was_done_is_unknown_when_the_ledger_cannot_be_asked(make_stages) -> None:
    lost = TargetUnreachableError("The connection broke.")
    stages = make_stages(
        failures={"apply": lost, "read_ledger_again": TargetUnreachableError("Still gone.")},
        commits=1,
    )

    report = fail(stages, TargetUnreachableError)

    assert report.done is None
    assert report.error is lost


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_interrupted_run_asks_nothing_more(make_stages, error: BaseException) -> None:
    stages = make_stages(failures={"apply": error}, commits=1)

    report = fail(stages, type(error))

    assert report.done is None
    assert "read_ledger_again" not in stages.calls


def test_failed_verification_stage_keeps_what_was_done(make_stages) -> None:
    lost = TargetUnreachableError("The connection broke.")

    report = fail(make_stages(failures={"verify": lost}), TargetUnreachableError)

    assert versions(report.done) == ["1", "2", "3"]


@pytest.mark.parametrize("later", ["read_ledger_again", "publish"])
def test_first_error_is_raised_whatever_fails_while_it_is_told(make_stages, later: str) -> None:
    first = TargetUnreachableError("The connection broke.")
    stages = make_stages(failures={"apply": first, later: RuntimeError("closed")})

    with pytest.raises(TargetUnreachableError) as caught:
        run(stages)

    assert caught.value is first
    assert stages.calls[-1] == "publish"


def test_several_observers_hear_all_that_one_hears() -> None:
    heard = {name for name, value in vars(Observer).items() if callable(value)}
    assert heard <= vars(Observers).keys()
