"""Task: target + migrations -> findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations.verification import (
    findings_table,
    run_verification,
    verification_document,
)
from confiture_flows.report.document import Document
from confiture_flows.tasks._events import StageEvent, severities, tell
from confiture_flows.tasks._guard import Guard
from confiture_flows.tasks._policy import RETRIED
from confiture_flows.tasks.guarded import connect_guarded
from confiture_flows.tasks.publish import publish_document

if TYPE_CHECKING:
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.verification import Verification
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target


@task(name="verify migrations", task_run_name="verify {target.name}", **RETRIED)
def verify_migrations(
    target: Target,
    migrations: tuple[Migration, ...],
    *,
    history: tuple[Migration, ...] | None = None,
) -> tuple[Finding, ...]:
    """Run the verify scripts of applied migrations, and look for what failed steps left behind.

    What is found is written into an artifact of the run, too.

    Args:
        target: The database; only read.
        migrations: Those whose scripts run.
        history: All migrations of the directory: what the ledger says of them is replayed in a
            scratch database, and the database compared with the outcome.

    Raises:
        TargetError: The target does not answer, or refuses.
        RunCancelledError: Somebody cancelled the run.
        RunTimeoutError: The task's timeout_seconds are over.
    """
    with connect_guarded(target, "verify") as (conn, _guard):
        found = run_verification(conn, target, migrations, history=history, watch=Guard)
    if found.findings or found.replay:
        _publish(found, target)
    tell(
        StageEvent.VERIFIED,
        target.name,
        {
            "migrations": found.applied,
            "scripts": found.scripts,
            "replayed": history is not None,
            "findings": severities(found.findings),
        },
    )
    return found.findings


def _publish(found: Verification, target: Target) -> None:
    document = verification_document(found, target.name)
    rest = tuple(each for each in found.findings if each not in found.differences)
    blocks = (*document.blocks, findings_table(rest)) if rest else document.blocks
    shown = Document(document.title, blocks)
    publish_document("verification", target.name, shown, document.title)
