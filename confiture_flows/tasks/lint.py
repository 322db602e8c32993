"""Task: directory (+ target) -> LintReport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.config import load_project
from confiture_flows.lint.baseline import without_known
from confiture_flows.lint.history import judge_history
from confiture_flows.lint.judging import judge_migrations
from confiture_flows.lint.pending import lint_pending
from confiture_flows.lint.settings import settings_of
from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.target import connect
from confiture_flows.tasks._policy import RETRIED
from confiture_flows.tasks.publish import publish_document

if TYPE_CHECKING:
    from confiture_flows.config import Project
    from confiture_flows.lint.report import LintReport
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.target import Target


@task(name="lint migrations", task_run_name="lint", **RETRIED)
def lint_migrations(
    directory: Directory, *, pending_on: Target | None = None, history: bool = True
) -> LintReport:
    """Judge migrations by the rules; the report is also an artifact of the run.

    Findings are returned, not raised; `stop_at_gate` turns `report.plain` into an error.

    Args:
        directory: As discovered.
        pending_on: A target: only what is pending there is judged, by what it holds, and where it
            is not what its migrations make is told.
        history: Whether edited, deleted, missing and late migrations are told, which
            `validate_migrations` tells too.

    Raises:
        ConfigError: The configuration names a rule that nobody knows, or a wrong baseline.
        TargetError: The target does not answer, or refuses.
    """
    project = load_project()
    if pending_on is None:
        report = _of_files(directory, project, history=history)
    else:
        with connect(pending_on, "lint") as conn:
            rows = read_ledger(conn, pending_on.ledger)
            report = lint_pending(
                conn, project, directory, rows, target=pending_on, history=history
            )
    if report.plain:
        where = pending_on.name if pending_on else directory.path.name
        publish_document("lint", where, report.document(where), report.verdict)
    return report


def _of_files(directory: Directory, project: Project, *, history: bool) -> LintReport:
    settings = settings_of(project)
    report = judge_migrations(directory.migrations, settings=settings)
    if history:
        report = report.beside(judge_history(directory, settings))
    baseline = project.lint.baseline
    return without_known(report, baseline) if baseline else report
