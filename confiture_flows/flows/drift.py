"""Flow: is a database still what its migrations make?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from prefect import flow, tags
from prefect.states import Completed
from prefect.utilities.annotations import opaque

from confiture_flows import tasks
from confiture_flows.config import GateName
from confiture_flows.flows._project import project_of
from confiture_flows.flows._request import make_request
from confiture_flows.flows._targets import resolve_target
from confiture_flows.migrations.drift import DriftReport
from confiture_flows.migrations.texts import Texts
from confiture_flows.migrations.validate import stop_at_gate
from confiture_flows.report.finding import Severity


@flow(name="drift", flow_run_name="drift {target}", validate_parameters=True)
def drift_flow(
    target: str,
    directory: str | None = None,
    layout: str | None = None,
    scratch: str | None = None,
    fail_on: GateName | Literal["never"] | None = None,
    project: str | None = None,
) -> DriftReport:
    """Compare a database with what the migrations in its ledger make, replayed elsewhere.

    Args:
        target: Name of a target in confiture.toml, or of a PostgresTarget block; only read.
        directory: Where the migrations are; as confiture.toml says when empty.
        layout: How they are written down; detected when empty.
        scratch: Name of a target on whose server a scratch database is made; as the target says
            when empty, or else a server is started for it.
        fail_on: The severity at which differences fail the run; "never" only reports them. As the
            target says when empty.
        project: Name of a MigrationProject block; the worker's own project when empty.

    Returns:
        The report, which is an artifact of the run too.

    Raises:
        GateError: There are differences at or above the gate.
        ConfitureFlowsError: The migrations or the target cannot be read.
    """
    with project_of(project):
        resolved = resolve_target(target)
        if scratch:
            resolved = replace(resolved, scratch=resolve_target(scratch).dsn)
        request = make_request(directory, layout, None, None)
        with tags(f"target:{resolved.name}"):
            found = tasks.discover_migrations(
                request.directory,
                layout=request.layout,
                as_written=request.as_written,
                texts=Texts(resolved.placeholders, request.replaced, request.root),
            )
            # Prefect need not look into each part of each migration for results of other runs.
            history: Any = opaque(found.migrations)
            report = tasks.detect_drift(resolved, history)
        gate = fail_on or resolved.fail_on
        if gate != "never":
            stop_at_gate(report.findings, Severity.of(gate))
        # The state says what was found; who calls the flow gets the report.
        return Completed(message=report.verdict, data=report)  # pyright: ignore[reportReturnType]
