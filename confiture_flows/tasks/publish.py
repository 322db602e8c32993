"""Task: report -> artifacts on the run's page in Prefect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.logging import get_run_logger

from confiture_flows.errors import (
    ApprovalRejectedError,
    ApprovalTimeoutError,
    ConfitureFlowsError,
    RunCancelledError,
)
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.report import failure_document, run_headline
from confiture_flows.report.markdown import render_markdown
from confiture_flows.tasks._events import StageEvent, severities, tell, tell_of_migration
from confiture_flows.tasks._policy import COMPUTED

if TYPE_CHECKING:
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.report.document import Document

# Of these a run has not failed: somebody did not want it, or nobody answered.
NOT_FAILED = (RunCancelledError, ApprovalRejectedError, ApprovalTimeoutError)
_DONE = {Direction.UP: "applied", Direction.DOWN: "rolled back"}


@task(name="publish report", task_run_name="publish report", **COMPUTED)
def publish_report(report: RunReport) -> None:
    """Write a table of what was done, and on failure what stands where and what to do next."""
    logger = get_run_logger()
    if report.ok:
        logger.info(run_headline(report))
    else:
        logger.error(run_headline(report))
    for finding in report.findings:
        logger.warning("%s: %s [%s]", finding.severity.label, finding.message, finding.code)
    if report.plan and report.plan.steps:
        create_table_artifact(
            key=artifact_key("migrations", report.target),
            table=_table(report),
            description=run_headline(report),
            _sync=True,  # pyright: ignore[reportCallIssue]
        )
    if not report.ok:
        document = failure_document(report)
        publish_document("failure", report.target, document, run_headline(report))
    _tell(report)


def _tell(report: RunReport) -> None:
    error = report.error
    known = error if isinstance(error, ConfitureFlowsError) else None
    payload: dict[str, Any] = {
        "headline": run_headline(report),
        "direction": str(report.direction),
        "plan": report.plan.span if report.plan else None,
        "done": None if report.done is None else len(report.done),
        "findings": severities(report.findings),
        "seconds": round(report.elapsed, 3),
    }
    if error is None:
        tell(StageEvent.RUN_COMPLETED, report.target, payload)
        return
    payload["error"] = {
        "code": known.code if known else type(error).__name__,
        "message": known.message if known else str(error),
        "next_step": known.next_step if known else None,
        "version": known.version if known else None,
        "file": str(known.file) if known and known.file else None,
        "line": known.line if known else None,
        "sqlstate": known.sqlstate if known else None,
    }
    # Nobody has to be woken for what somebody wanted.
    wanted = not isinstance(error, Exception) or isinstance(error, NOT_FAILED)
    if not wanted:
        for step in report.plan.steps if report.plan else ():
            if known and step.migration.version == known.version:
                told = {**payload["error"], "direction": payload["direction"]}
                tell_of_migration(StageEvent.MIGRATION_FAILED, report.target, step.migration, told)
    tell(StageEvent.RUN_CANCELLED if wanted else StageEvent.RUN_FAILED, report.target, payload)


def publish_document(what: str, target: str, document: Document, description: str) -> None:
    """Write a document as an artifact of the run.

    Prefect's page shows the description above it, so a title that says the same is left out.

    Args:
        what: The kind of report, for the key.
        target: What it is about.
        document: The report.
        description: One line, for lists of artifacts.
    """
    titled = document.title != description or not document.blocks
    create_markdown_artifact(
        key=artifact_key(what, target),
        markdown=render_markdown(document, titled=titled),
        description=description,
        _sync=True,  # pyright: ignore[reportCallIssue]
    )


def artifact_key(what: str, target: str) -> str:
    """The key of an artifact about a target; Prefect takes lower case and dashes only."""
    slug = re.sub(r"[^a-z0-9]+", "-", target.lower()).strip("-")
    return f"confiture-{what}-{slug}"


def _table(report: RunReport) -> list[dict[str, str | int | None]]:
    done = {row.version: row for row in report.done or ()}
    failed = getattr(report.error, "version", None)
    rows: list[dict[str, str | int | None]] = []
    for step in report.plan.steps if report.plan else ():
        migration = step.migration
        row = done.get(migration.version)
        if row:
            result = _DONE[step.direction]
        elif migration.version == failed:
            result = "failed"
        else:
            result = "unknown" if report.done is None else "not run"
        rows.append(
            {
                "version": migration.version,
                "name": migration.name,
                "result": result,
                "milliseconds": row.execution_time_ms if row else None,
            }
        )
    return rows
