"""Task: target -> ledger rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations.durability import read_lasting_ledger
from confiture_flows.tasks._policy import RETRIED
from confiture_flows.tasks.guarded import connect_guarded

if TYPE_CHECKING:
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.target import Target


@task(name="read ledger", task_run_name="read ledger of {target.name}", **RETRIED)
def read_ledger(target: Target) -> tuple[LedgerRow, ...]:
    """Read which migrations are applied, in the order in which they were.

    Raises:
        TargetError: The target does not answer, or refuses.
        LedgerError: The table is something else, or may not be read.
    """
    with connect_guarded(target, "read ledger") as (conn, _guard):
        return read_lasting_ledger(conn, target)
