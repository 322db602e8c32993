"""Task: target + migrations -> DriftReport, as a value, an artifact and an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task
from prefect.logging import get_run_logger

from confiture_flows.migrations.drift import drift_document, find_drift
from confiture_flows.report.finding import Severity
from confiture_flows.tasks._events import StageEvent, severities, tell
from confiture_flows.tasks._guard import Guard
from confiture_flows.tasks._policy import RETRIED
from confiture_flows.tasks.guarded import connect_guarded
from confiture_flows.tasks.publish import publish_document

if TYPE_CHECKING:
    from confiture_flows.migrations.drift import DriftReport
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.target import Target

_LISTED = 50  # differences in an event


@task(name="detect drift", task_run_name="compare {target.name} with its history", **RETRIED)
def detect_drift(target: Target, migrations: tuple[Migration, ...]) -> DriftReport:
    """Compare a database with what the migrations that are applied to it make.

    They are replayed in a scratch database. What differs is written into an artifact of the run,
    and told by the event `confiture.drift.detected`; findings are returned, not raised.

    Args:
        target: The database; only read.
        migrations: All migrations of the directory.

    Raises:
        TargetError: The target does not answer, or refuses.
        RunCancelledError: Somebody cancelled the run.
        RunTimeoutError: The task's timeout_seconds are over.
    """
    with connect_guarded(target, "drift") as (conn, _guard):
        report = find_drift(conn, target, migrations, watch=Guard)
    logger = get_run_logger()
    for finding in report.findings:
        level = logger.info if finding.severity is Severity.INFO else logger.warning
        level("%s: %s [%s]", finding.severity.label, finding.message, finding.code)
    publish_document("drift", target.name, drift_document(report), report.verdict)
    _tell(report)
    return report


def _tell(report: DriftReport) -> None:
    if report.replay.unknown is not None:
        said = {"verdict": report.verdict, "reason": report.replay.unknown}
        tell(StageEvent.DRIFT_UNKNOWN, report.target, said)
    elif report.changes:
        tell(
            StageEvent.DRIFT_DETECTED,
            report.target,
            {
                "verdict": report.verdict,
                "findings": severities(report.findings),
                "changes": [
                    {"kind": each.kind, "name": each.name, "action": str(each.action)}
                    for each in report.changes[:_LISTED]
                ],
            },
        )
