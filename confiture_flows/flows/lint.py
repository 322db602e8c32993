"""Flow: judge migrations by the lint rules."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from confiture_flows import tasks
from confiture_flows.config import GateName
from confiture_flows.flows._project import project_of
from confiture_flows.flows._request import make_request
from confiture_flows.flows._targets import resolve_target
from confiture_flows.lint.report import LintReport, gate_error
from confiture_flows.migrations.texts import Texts
from confiture_flows.report.finding import Severity


def _run_name() -> str:
    given = flow_run.parameters
    return f"lint {given.get('target') or Path(given.get('directory') or 'migrations').name}"


@flow(name="lint", flow_run_name=_run_name, validate_parameters=True)
def lint_flow(
    directory: str | None = None,
    layout: str | None = None,
    target: str | None = None,
    fail_on: GateName = "error",
    project: str | None = None,
) -> LintReport:
    """Lint the migrations of a directory, or what is pending on a target.

    Args:
        directory: Where the migrations are; as confiture.toml says when empty.
        layout: How they are written down; detected when empty.
        target: A target or block: what is pending there is judged by what it holds, and the sizes
            of its tables decide severities. All migrations are judged when empty.
        fail_on: The severity at which the run fails.
        project: Name of a MigrationProject block; the worker's own project when empty.

    Returns:
        The report.

    Raises:
        GateError: There are findings of that severity.
        ConfitureFlowsError: The migrations or the target cannot be read.
    """
    with project_of(project):
        request = make_request(directory, layout, None, None)
        live = resolve_target(target) if target else None
        placeholders = live.placeholders if live else {}
        found = tasks.discover_migrations(
            request.directory,
            layout=request.layout,
            as_written=request.as_written,
            texts=Texts(placeholders, request.replaced, request.root),
        )
        report = tasks.lint_migrations(found, pending_on=live)
        if error := gate_error(report, Severity.of(fail_on)):
            raise error
        return report
