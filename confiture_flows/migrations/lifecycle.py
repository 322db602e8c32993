"""The order of the stages, written once.

The caller of each stage comes as an argument: plain functions run the lifecycle without
Prefect, tasks run the same lifecycle as a flow. psycopg writes its protocol once as
generators and drives it twice in the same spirit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from confiture_flows.errors import GateError, PartialApplyError, RunCancelledError
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.validate import stop_at_gate
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.config import DryRunName, GateName, OnError, OutOfOrder
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.target import Target


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
        dry_run: How far a dry run goes first; None is as the target says.
        fail_on: The severity at which findings stop the run; None is as the target says.
    """

    directory: Path
    layout: str | None = None
    as_written: bool = False
    to: str | None = None
    replaced: bool | None = None
    root: Path | None = None
    out_of_order: OutOfOrder | None = None
    single_transaction: bool = False
    dry_run: DryRunName | None = None
    fail_on: GateName | None = None

    def applied_to(self, target: Target) -> Target:
        """The target with what this run is told of it put before what it says itself."""
        return replace(
            target,
            dry_run=self.dry_run or target.dry_run,
            fail_on=self.fail_on or target.fail_on,
        )


class RunSuspended(BaseException):
    """The run ends here for now, and will begin anew; nothing has been done, nothing is told.

    Args:
        signal: What the orchestrator has to be told.
    """

    def __init__(self, signal: BaseException) -> None:
        self.signal = signal
        super().__init__()


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

    def approve(self, plan: Plan, findings: tuple[Finding, ...]) -> None:
        """Have a person approve it, where the target says so; raises what should stop the run."""
        ...

    def apply(self, plan: Plan) -> tuple[LedgerRow, ...]:
        """Do it."""
        ...

    def verify(self, directory: Directory, done: tuple[LedgerRow, ...]) -> tuple[Finding, ...]:
        """Check what was done."""
        ...

    def take_back(
        self, directory: Directory, done: tuple[LedgerRow, ...], half_done: str | None
    ) -> tuple[LedgerRow, ...]:
        """Undo what the run has done, after it failed."""
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
        taken_back: Rows of what was done and then undone, since the run failed.
    """

    target: str
    direction: Direction
    plan: Plan | None = None
    done: tuple[LedgerRow, ...] | None = ()
    findings: tuple[Finding, ...] = ()
    elapsed: float = 0.0
    error: BaseException | None = None
    taken_back: tuple[LedgerRow, ...] = ()

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
    directory: Directory | None = None
    taken_back: tuple[LedgerRow, ...] = ()

    def report(self, target: str, direction: Direction, error: BaseException | None) -> RunReport:
        elapsed = time.monotonic() - self.started
        done, findings = self.done, self.findings
        undone = self.taken_back
        return RunReport(target, direction, self.plan, done, findings, elapsed, error, undone)


def run_lifecycle(
    stages: Stages,
    *,
    target: str,
    direction: Direction,
    gate: Severity,
    hooks: HookPoints = NO_HOOKS,
    on_error: OnError = "keep",
) -> RunReport:
    """Run all stages of a migrate or rollback, in order.

    Args:
        stages: Who runs each.
        target: The target's name, for the report.
        direction: Up for migrate, down for rollback.
        gate: The severity at which findings stop the run.
        hooks: Called at the hook points.
        on_error: Whether what a failed run has applied is kept or rolled back.

    Returns:
        The report of a run that succeeded.

    Raises:
        ConfitureFlowsError: A stage failed; the report was published first.
    """
    run = _Run(stages, hooks, target, direction)
    try:
        run.stages_in_order(gate)
    except RunSuspended:
        raise
    except BaseException as error:
        run.clear_up(error, on_error)
        raise
    report = run.report()
    stages.publish(report)
    return report


@dataclass
class _Run:
    """A run on its way."""

    stages: Stages
    hooks: HookPoints
    target: str
    direction: Direction
    progress: _Progress = field(default_factory=_Progress)

    def report(self, error: BaseException | None = None) -> RunReport:
        report = self.progress.report(self.target, self.direction, error)
        let_pass = self.hooks.let_pass()
        return replace(report, findings=report.findings + let_pass) if let_pass else report

    def stages_in_order(self, gate: Severity) -> None:
        stages, hooks, progress, direction = self.stages, self.hooks, self.progress, self.direction
        directory = stages.discover()
        progress.directory = directory
        rows = stages.read_ledger()
        progress.before = rows
        up = direction is Direction.UP
        if hooks is not NO_HOOKS:  # a directory may be large
            applied = {row.version for row in rows}
            pending = (each for each in directory.migrations if each.version not in applied)
            hooks.before_validate(self.report(), tuple(pending) if up else ())
        progress.findings = stages.validate(directory, rows, direction)
        stop_at_gate(progress.findings, gate)
        plan = stages.plan(directory, rows, direction)
        progress.plan = plan
        if not plan.steps:
            return
        progress.findings = (*progress.findings, *stages.rehearse(plan))
        stages.approve(plan, progress.findings)
        hooks.before_apply(self.report())
        progress.done = stages.apply(plan)
        if up:
            found = stages.verify(directory, progress.done)
            progress.findings = (*progress.findings, *found)
            stop_at_gate(found, gate)
        hooks.after_apply(self.report())

    def clear_up(self, error: BaseException, on_error: OnError) -> None:
        progress = self.progress
        progress.done = _done_after_failure(self.stages, progress, self.direction, error)
        if on_error == "rollback" or getattr(error, "takes_back", False):
            self._take_back(error)
        try:
            self.hooks.on_error(self.report(error))
        except Exception as second:  # nothing may hide the first error
            error.add_note(f"A hook failed: {second}")
        try:
            self.stages.publish(self.report(error))
        except Exception as second:  # nothing may hide the first error
            error.add_note(f"The report could not be published: {second}")

    def _take_back(self, error: BaseException) -> None:
        progress = self.progress
        # Who stops a run wants it stopped: it goes on where it is.
        if self.direction is Direction.DOWN or isinstance(error, RunCancelledError):
            return
        half = error.version if isinstance(error, PartialApplyError) else None
        done = progress.done
        if not isinstance(error, Exception) or progress.directory is None or not (done or half):
            return
        try:
            progress.taken_back = self.stages.take_back(progress.directory, done or (), half)
            left = {row.version for row in done or ()} - {r.version for r in progress.taken_back}
        except Exception as second:  # nothing may hide the first error
            self._tell_of(second)
            left = None
        try:
            left = left if left is not None else {row.version for row in self.stages.read_ledger()}
        except Exception:  # nothing may hide the first error
            progress.done = None
            return
        progress.taken_back = tuple(row for row in done or () if row.version not in left)
        progress.done = tuple(row for row in done or () if row.version in left)

    def _tell_of(self, second: Exception) -> None:
        message = getattr(second, "message", "") or f"{type(second).__name__}: {second}"
        finding = Finding(
            "run.not_taken_back",
            Severity.ERROR,
            f"The run was to be taken back, and was not: {message}",
            getattr(second, "next_step", None),
            getattr(second, "version", None),
        )
        self.progress.findings = (*self.progress.findings, finding)


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
