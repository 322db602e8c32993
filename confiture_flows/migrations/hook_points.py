"""Where a run lets others in: before it validates, around its steps, at its end, on an error.

The room `hooks` lies above this one, so the lifecycle and the apply stage take whoever calls
hooks as an argument. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.plan import Step
    from confiture_flows.report.finding import Finding

    Inner = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class InTransaction:
    """What else runs in the transaction of a step; it may raise, but must not end it.

    Attributes:
        before: Called before the first statement; None where nothing asks for it.
        after: Called after the last one, before the ledger row.
    """

    before: Inner | None = None
    after: Inner | None = None


class HookPoints:
    """Called as a run reaches its hook points; every method does nothing unless overridden.

    What a method raises ends the run as the error of a stage does. None is called while a
    migration holds locks, except what `inside` returns.
    """

    @property
    def hears_each_step(self) -> bool:
        """Whether somebody is told of a step before the run is over."""
        return False

    def before_validate(self, report: RunReport, pending: tuple[Migration, ...]) -> None:
        """Directory and ledger are read; `pending` is what the ledger does not have."""

    def before_apply(self, report: RunReport) -> None:
        """There is a plan, and it has steps."""

    def before_step(self, step: Step) -> None:
        """A step is next, and the run's lock is held."""

    def inside(self, step: Step) -> InTransaction | None:
        """What else runs in the transaction of a step; None costs nothing."""
        return None

    def after_step(self, step: Step, row: LedgerRow) -> None:
        """A step is committed."""

    def after_apply(self, report: RunReport) -> None:
        """All steps are committed and verified."""

    def on_error(self, report: RunReport) -> None:
        """The run has failed, or was stopped; the report says what is done and what was undone."""

    @property
    def may_take_back(self) -> bool:
        """Whether the failure of one of them has what the run has done undone."""
        return False

    def content(self) -> Iterator[bytes]:
        """All that is known of what they do on the target, for who approves; never to be shown."""
        yield from ()

    def let_pass(self) -> tuple[Finding, ...]:
        """What went wrong in hooks so far and did not end the run."""
        return ()


NO_HOOKS = HookPoints()
