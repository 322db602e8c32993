"""The order of the stages, written once.

The caller of each stage comes as an argument: plain functions run the lifecycle without
Prefect, tasks run the same lifecycle as a flow. psycopg writes its protocol once as
generators and drives it twice in the same spirit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from confiture_flows.errors import GateError
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.validate import stop_at_gate

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.config import OutOfOrder
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do.

    Attributes:
        directory: Where the migrations are.
        layout: The layout's name; None detects it.
        as_written: Whether files may hold their own BEGIN and COMMIT.
        to: The version to reach; None is all the way, or one step back.
        replaced: Whether ${name} is a placeholder; see `Texts`.
        root: Scripts may include what lies in this folder; None is the directory's own.
        out_of_order: What becomes of migrations out of order; None is as the target says.
        single_transaction: Whether the whole plan is one transaction.
    """

    directory: Path
    layout: str | None = None
    as_written: bool = False
    to: str | None = None
    replaced: bool | None = None
    root: Path | None = None
    out_of_order: OutOfOrder | None = None
    single_transaction: bool = False


class Stages(Protocol):
    """One caller a stage."""

    def discover(self) -> Directory:
        """Read the directory."""
        ...

    def read_ledger(self) -> tuple[LedgerRow, ...]:
        """Read what is applied."""
        ...

    def validate(
        self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction
    ) -> tuple[Finding, ...]:
        """Compare the two."""
        ...

    def plan(self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction) -> Plan:
        """Decide what to do."""
        ...

    def rehearse(self, plan: Plan) -> tuple[Finding, ...]:
        """Dry-run it, where the target says so; raises what should stop the run."""
        ...

    def apply(self, plan: Plan) -> tuple[LedgerRow, ...]:
        """Do it."""
        ...

    def verify(self, directory: Directory, done: tuple[LedgerRow, ...]) -> tuple[Finding, ...]:
        """Check what was done."""
        ...

    def publish(self, report: RunReport, /) -> None:
        """Tell how it went; also called when it went wrong."""
        ...


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run went.

    Attributes:
        target: Its name.
        direction: Up for migrate, down for rollback.
        plan: None when the run failed before there was one.
        done: Rows written or erased, in order; None when the target could not be asked
            after a failure.
        findings: From validation and verification.
        elapsed: Seconds.
        error: What ended the run; None when it succeeded.
    """

    target: str
    direction: Direction
    plan: Plan | None = None
    done: tuple[LedgerRow, ...] | None = ()
    findings: tuple[Finding, ...] = ()
    elapsed: float = 0.0
    error: BaseException | None = None

    @property
    def ok(self) -> bool:
        """Whether the run did all that was asked."""
        return self.error is None

    @property
    def unverified(self) -> bool:
        """Whether all was applied, and what failed is the check of it."""
        return isinstance(self.error, GateError) and bool(self.done)


@dataclass
class _Progress:
    """What is known so far; a report can be made of it at any moment."""

    started: float = field(default_factory=time.monotonic)
    before: tuple[LedgerRow, ...] | None = None
    plan: Plan | None = None
    done: tuple[LedgerRow, ...] | None = ()
    findings: tuple[Finding, ...] = ()

    def report(self, target: str, direction: Direction, error: BaseException | None) -> RunReport:
        elapsed = time.monotonic() - self.started
        return RunReport(target, direction, self.plan, self.done, self.findings, elapsed, error)


def run_lifecycle(
    stages: Stages, *, target: str, direction: Direction, gate: Severity
) -> RunReport:
    """Run all stages of a migrate or rollback, in order.

    Args:
        stages: Who runs each.
        target: The target's name, for the report.
        direction: Up for migrate, down for rollback.
        gate: The severity at which findings stop the run.

    Returns:
        The report of a run that succeeded.

    Raises:
        ConfitureFlowsError: A stage failed; the report was published first.
    """
    progress = _Progress()
    try:
        _run_stages(stages, progress, direction, gate)
    except BaseException as error:
        progress.done = _done_after_failure(stages, progress, direction, error)
        try:
            stages.publish(progress.report(target, direction, error))
        except Exception as second:  # nothing may hide the first error
            error.add_note(f"The report could not be published: {second}")
        raise
    report = progress.report(target, direction, None)
    stages.publish(report)
    return report


def _run_stages(stages: Stages, progress: _Progress, direction: Direction, gate: Severity) -> None:
    directory = stages.discover()
    rows = stages.read_ledger()
    progress.before = rows
    progress.findings = stages.validate(directory, rows, direction)
    stop_at_gate(progress.findings, gate)
    plan = stages.plan(directory, rows, direction)
    progress.plan = plan
    if not plan.steps:
        return
    progress.findings = (*progress.findings, *stages.rehearse(plan))
    progress.done = stages.apply(plan)
    if direction is Direction.UP:
        found = stages.verify(directory, progress.done)
        progress.findings = (*progress.findings, *found)
        stop_at_gate(found, gate)


def _done_after_failure(
    stages: Stages, progress: _Progress, direction: Direction, error: BaseException
) -> tuple[LedgerRow, ...] | None:
    """Ask the ledger: it knows what earlier tries of the same stage committed too."""
    if progress.plan is None or progress.before is None or progress.done:
        return progress.done
    if not isinstance(error, Exception):
        return None  # interrupted: no new work now, not even a question
    try:
        now = stages.read_ledger()
    except Exception:  # nothing may hide the first error
        return None
    planned = {step.migration.version for step in progress.plan.steps}
    if direction is Direction.UP:
        before = {row.version: row for row in progress.before}
        # A repeatable migration had a row before, from its last run.
        return tuple(
            row for row in now if row.version in planned and row != before.get(row.version)
        )
    after = {row.version for row in now}
    return tuple(row for row in progress.before if row.version in planned - after)
