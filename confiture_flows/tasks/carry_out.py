"""What applying and rolling back share as tasks: connection, observer, guard, granularity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from prefect import task
from prefect.events import emit_event
from prefect.logging import get_run_logger

from confiture_flows.migrations import apply
from confiture_flows.migrations.observer import Observer, Observers, current_observer
from confiture_flows.migrations.plan import Direction
from confiture_flows.tasks._policy import COMPUTED
from confiture_flows.tasks.guarded import connect_guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.migrations.execution import Busy
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.target import Target

Granularity = Literal["stage", "migration"]

_PAST = {Direction.UP: "applied", Direction.DOWN: "rolled back"}
_EVENTS = {
    Direction.UP: "confiture.migration.applied",
    Direction.DOWN: "confiture.migration.rolled-back",
}


def carry_out(target: Target, plan: Plan, granularity: Granularity) -> tuple[LedgerRow, ...]:
    """Run a plan inside the current task run."""
    purpose = "migrate" if plan.direction is Direction.UP else "rollback"
    with connect_guarded(target, purpose) as (conn, guard):
        return apply.apply_plan(
            conn,
            plan,
            limits=target.limits,
            ledger=target.ledger,
            observer=Observers(guard, RunObserver(target), current_observer()),
            run_step=_as_task_run if granularity == "migration" else apply.directly,
        )


def _as_task_run(step: Step, run: Callable[[], LedgerRow]) -> LedgerRow:
    # No retries here: the stage is retried as a whole, on a new connection.
    verb = "apply" if step.direction is Direction.UP else "roll back"
    name = f"{verb} migration"
    return task(name=name, task_run_name=f"{verb} {step.migration.label}", **COMPUTED)(run)()


class RunObserver(Observer):
    """Writes a run into Prefect: a log line and an event a migration."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._logger = get_run_logger()

    def waiting(self, holder: str) -> None:
        """Log whom the run waits for."""
        self._logger.warning("Waiting for another run to end: %s", holder)

    def busy(self, busy: Busy) -> None:
        """Log the busy table."""
        self._logger.warning(
            "%s: table busy at %r (line %d); rolled back, next try in %.1f s",
            busy.step.migration.label,
            busy.statement.excerpt,
            busy.statement.line,
            busy.pause,
        )

    def finished(self, step: Step, row: LedgerRow) -> None:
        """Log the migration and emit its event."""
        migration = step.migration
        milliseconds = row.execution_time_ms or 0
        self._logger.info("%s %s in %d ms", _PAST[step.direction], migration.label, milliseconds)
        target_id = f"confiture.target.{self._target.name}"
        emit_event(
            _EVENTS[step.direction],
            resource={
                "prefect.resource.id": f"{target_id}.migration.{migration.version}",
                "prefect.resource.name": migration.label,
            },
            related=[
                {
                    "prefect.resource.id": target_id,
                    "prefect.resource.role": "target",
                    "prefect.resource.name": self._target.name,
                }
            ],
            payload={
                "version": migration.version,
                "name": migration.name,
                "milliseconds": milliseconds,
                "checksum": migration.checksum,
            },
        )
