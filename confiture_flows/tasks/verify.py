"""Task: target + migrations -> findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations.verify import verify
from confiture_flows.tasks._policy import RETRIED
from confiture_flows.tasks.guarded import connect_guarded

if TYPE_CHECKING:
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target


@task(name="verify migrations", task_run_name="verify {target.name}", **RETRIED)
def verify_migrations(target: Target, migrations: tuple[Migration, ...]) -> tuple[Finding, ...]:
    """Run the verify scripts of applied migrations, and look for what failed steps left behind.

    Raises:
        TargetError: The target does not answer, or refuses.
    """
    with connect_guarded(target, "verify") as (conn, _guard):
        return verify(conn, migrations)
