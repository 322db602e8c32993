"""Hook points of a run -> its hooks, called in order, each with its policy.

A failure of policy abort or rollback ends the run; one of policy warn becomes a finding. On an
error nothing that a hook does hides that error. What runs in a migration's transaction is told
after the commit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from confiture_flows.errors import HookError
from confiture_flows.hooks.attempt import Attempt
from confiture_flows.hooks.content import hook_content
from confiture_flows.hooks.model import Hook, HookContext, HookPoint, HookResult
from confiture_flows.hooks.output import secrets_of
from confiture_flows.migrations.hook_points import HookPoints, InTransaction
from confiture_flows.migrations.nesting import depth
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from confiture_flows.hooks.registry import HookRegistry
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.plan import Direction, Step
    from confiture_flows.target import Target


class CallHook(Protocol):
    """Who calls a hook: this process, or Prefect."""

    def __call__(self, attempt: Attempt) -> HookResult:
        """Call it, and again as often as it may be retried."""
        ...


@dataclass(frozen=True, slots=True)
class HookRecord:
    """A hook that was called.

    Attributes:
        hook: Which.
        result: How it went.
        version: The migration at hand.
    """

    hook: Hook
    result: HookResult
    version: str | None = None

    @property
    def said(self) -> str:
        """One line about it."""
        about = f" ({self.version})" if self.version else ""
        how = "" if self.result.ok else "failed: "
        message = how + self.result.message
        return f"hook {self.hook.label}{about}: {message or 'done'} ({self.result.duration:.1f} s)"


def call_plainly(attempt: Attempt) -> HookResult:
    """Call a hook in this process. Of a Prefect task or flow, the function."""
    call = attempt.hook.call
    tries = 1 + max(attempt.hook.retries, int(getattr(call, "retries", 0) or 0))
    return call_again(partial(attempt.run, getattr(call, "fn", call)), tries)


def call_again(call: Callable[[], HookResult], tries: int) -> HookResult:
    """Call until it works, with growing pauses.

    Raises:
        HookError: The last try failed.
    """
    for number in range(tries - 1):
        try:
            return call()
        except HookError:
            time.sleep(min(2.0**number, 30))
    return call()


class HookExecutor(HookPoints):
    """Calls the hooks of one run.

    Attributes:
        records: What was called, in order.
    """

    def __init__(
        self,
        hooks: HookRegistry,
        target: Target,
        run_id: str,
        direction: Direction,
        *,
        call: CallHook = call_plainly,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.records: list[HookRecord] = []
        self._hooks = {
            point: tuple(
                each for each in hooks.ordered(point) if each.direction in (direction.value, "both")
            )
            for point in HookPoint
        }
        self._target, self._run_id, self._direction = target, run_id, direction
        self._call = call
        self._tell = tell or _nobody
        self._started = time.monotonic()
        self._report: RunReport | None = None
        self._rows: list[LedgerRow] = []
        self._attempts: dict[str, int] = {}
        self._findings: list[Finding] = []
        self._inner: dict[str, HookRecord] = {}
        self._secrets = secrets_of(target)

    @property
    def hears_each_step(self) -> bool:
        """Whether a hook fires around each migration."""
        points = (HookPoint.BEFORE_APPLY, HookPoint.AFTER_APPLY)
        return any(hook.each for point in points for hook in self._hooks[point])

    @property
    def may_take_back(self) -> bool:
        """Whether the failure of one of them has what the run has done undone."""
        return any(each.on_failure == "rollback" for each in chain(*self._hooks.values()))

    def content(self) -> Iterator[bytes]:
        """All that is known of what they do on the target; never to be shown.

        Raises:
            MigrationFileError: A file of one cannot be read.
        """
        for hook in chain(*self._hooks.values()):
            yield from hook_content(hook)

    def before_validate(self, report: RunReport, pending: tuple[Migration, ...]) -> None:
        """Once, and once a pending migration."""
        self._report = report
        self._fire(HookPoint.BEFORE_VALIDATE)
        for migration in pending:
            self._fire(HookPoint.BEFORE_VALIDATE, migration)

    def before_apply(self, report: RunReport) -> None:
        """Once a run."""
        self._report = report
        self._fire(HookPoint.BEFORE_APPLY)

    def before_step(self, step: Step) -> None:
        """Once a migration."""
        self._inner.clear()
        self._fire(HookPoint.BEFORE_APPLY, step.migration)

    def inside(self, step: Step) -> InTransaction | None:
        """The hooks of the migration's own transaction."""
        before, after = (
            tuple(each for each in self._hooks[point] if each.transaction == "migration")
            for point in (HookPoint.BEFORE_APPLY, HookPoint.AFTER_APPLY)
        )
        if not before and not after:
            return None
        return InTransaction(
            before=partial(self._call_inside, before, step) if before else None,
            after=partial(self._call_inside, after, step) if after else None,
        )

    def after_step(self, step: Step, row: LedgerRow) -> None:
        """Once a migration that is committed."""
        self._rows.append(row)
        for record in self._inner.values():
            self._note(record)
        self._inner.clear()
        self._fire(HookPoint.AFTER_APPLY, step.migration)

    def after_apply(self, report: RunReport) -> None:
        """Once a run."""
        self._report = report
        self._fire(HookPoint.AFTER_APPLY)

    def on_error(self, report: RunReport) -> None:
        """Once a run; and once for what failed and each that was done, the latest first."""
        self._report = report
        self._fire(HookPoint.ON_ERROR)
        for migration in _touched(report):
            self._fire(HookPoint.ON_ERROR, migration)

    def let_pass(self) -> tuple[Finding, ...]:
        """A finding for each failure of policy warn."""
        return tuple(self._findings)

    def _fire(self, point: HookPoint, migration: Migration | None = None) -> None:
        each = migration is not None
        for hook in self._hooks[point]:
            if hook.each is each and hook.transaction != "migration":
                self._one(hook, migration)

    def _one(self, hook: Hook, migration: Migration | None) -> None:
        attempt = self._attempt(hook, migration)
        started = time.monotonic()
        try:
            result = self._call(attempt)
        except HookError as error:
            said = error.message.removeprefix(f"Hook {hook.label}: ")
            result = HookResult(False, said, duration=time.monotonic() - started)
            self._note(self._record(hook, result, migration))
            if hook.on_failure != "warn":
                error.takes_back = hook.on_failure == "rollback"
                raise
            self._findings.append(_finding(error))
        else:
            self._note(self._record(hook, result, migration))

    def _call_inside(self, hooks: tuple[Hook, ...], step: Step, conn: Connection) -> None:
        for hook in hooks:
            attempt = self._attempt(hook, step.migration, conn)
            result = attempt.run(hook.call)
            # By name: a try that meets a busy table is rolled back with what its hooks did.
            self._inner[hook.label] = self._record(hook, result, step.migration)

    def _attempt(
        self, hook: Hook, migration: Migration | None, conn: Connection | None = None
    ) -> Attempt:
        context = self._context(hook, migration)
        number = self._attempts.get(context.key, 0) + 1
        self._attempts[context.key] = number
        context = replace(context, attempt=number)
        return Attempt(hook, context, self._target, self._tell, self._secrets, conn)

    def _context(self, hook: Hook, migration: Migration | None) -> HookContext:
        report = self._report
        more: dict[str, Any] = {}
        if report is not None:
            finished = report.error is not None or hook.point is HookPoint.AFTER_APPLY
            over = finished and not hook.each
            more = {
                "plan": report.plan,
                "done": report.done if over or report.error else tuple(self._rows),
                "taken_back": report.taken_back,
                "findings": report.findings,
                "error": report.error,
            }
        return HookContext(
            point=hook.point,
            hook=hook.name,
            run_id=self._run_id,
            target=self._target.name,
            production=self._target.production,
            direction=self._direction.value,
            migration=migration,
            elapsed=time.monotonic() - self._started,
            depth=depth(),
            **more,
        )

    def _record(self, hook: Hook, result: HookResult, migration: Migration | None) -> HookRecord:
        return HookRecord(hook, result, migration.version if migration else None)

    def _note(self, record: HookRecord) -> None:
        self.records.append(record)
        self._tell(record.said)


def _nobody(_said: str) -> None:
    """Hears of hooks where nobody has asked."""


def _finding(error: HookError) -> Finding:
    return Finding(
        "hook.failed",
        Severity.WARNING,
        error.message,
        error.next_step,
        error.version,
        Location(error.file, error.line) if error.file else None,
    )


def _touched(report: RunReport) -> tuple[Migration, ...]:
    """What failed, then what was done, the latest first."""
    steps = report.plan.steps if report.plan else ()
    done = {row.version for row in (*(report.done or ()), *report.taken_back)}
    failed = getattr(report.error, "version", None)
    first = [step.migration for step in steps if step.migration.version == failed]
    rest = [
        step.migration
        for step in reversed(steps)
        if step.migration.version in done and step.migration.version != failed
    ]
    return (*first, *rest)
