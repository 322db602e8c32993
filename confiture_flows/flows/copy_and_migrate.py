"""Flow: make an anonymized copy, and apply what is pending to it."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.states import Cancelled

from confiture_flows.flows._plan_file import named_after
from confiture_flows.flows.anonymize import anonymize_flow
from confiture_flows.flows.migrate import migrate_flow
from confiture_flows.migrations.lifecycle import RunReport


@flow(
    name="copy and migrate",
    flow_run_name=named_after("copy and migrate"),
    validate_parameters=True,
)
def copy_and_migrate_flow(plan_file: str, project: str | None = None) -> RunReport:
    """Copy a database, anonymized, and apply the pending migrations to the copy.

    Args:
        plan_file: What the wizard has saved, with the path "migrate-and-copy".
        project: Name of a MigrationProject block; the worker's own project when empty.

    Returns:
        How the migration went.

    Raises:
        ConfitureFlowsError: The copy failed, and the target is as it was; or a migration did,
            and what was applied before stays applied.
    """
    anonymize_flow(plan_file=plan_file, project=project)
    ended: Any = migrate_flow(plan_file=plan_file, project=project, return_state=True)
    if ended.is_cancelled():
        # What nobody approved, or somebody cancelled, has not failed.
        return Cancelled(name=ended.name, message=ended.message)  # pyright: ignore[reportReturnType]
    return ended.result()
