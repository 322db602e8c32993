"""The project that a flow works on: the worker's own files, or a MigrationProject block."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from prefect.runtime import deployment

from confiture_flows.blocks.project import load_migration_project
from confiture_flows.blocks.settings import ConfitureFlowsSettings
from confiture_flows.config import DRY_RUNS, project_in_force
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.config import Project
    from confiture_flows.target import Target


@contextmanager
def project_of(block: str | None) -> Iterator[None]:
    """Work on the project of a block in a `with` block.

    Args:
        block: Its name. When None: the block that the worker's settings name for runs of
            deployments, or else the worker's own files.

    Raises:
        ConfigError: There is no such block, or its files cannot be had.
    """
    if block is None and deployment.id:
        block = ConfitureFlowsSettings().project
    if block is None:
        yield
        return
    with load_migration_project(block).checked_out() as project, project_in_force(project):
        yield


def under(project: Project, target: Target) -> Target:
    """The target, at least as strict as its project."""
    fail_on, dry_run = target.fail_on, target.dry_run
    if project.fail_on is not None and Severity.of(project.fail_on) < Severity.of(fail_on):
        fail_on = project.fail_on
    if project.dry_run is not None:
        dry_run = max(dry_run, project.dry_run, key=DRY_RUNS.index)
    return replace(target, fail_on=fail_on, dry_run=dry_run)
