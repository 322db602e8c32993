"""Task: report -> artifacts on the run's page in Prefect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.logging import get_run_logger

from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.report import failure_document, run_headline
from confiture_flows.report.markdown import render_markdown
from confiture_flows.tasks._policy import COMPUTED

if TYPE_CHECKING:
    from confiture_flows.migrations.lifecycle import RunReport

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
        create_markdown_artifact(
            key=artifact_key("failure", report.target),
            markdown=render_markdown(failure_document(report)),
            description=run_headline(report),
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
