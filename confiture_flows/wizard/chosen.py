"""WizardState -> the plan, the project, the databases and the request that it stands for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import ConfigError
from confiture_flows.plan_file import PlanAnonymization, PlanColumnRule, PlanFile, PlanMigrations

if TYPE_CHECKING:
    from confiture_flows.anonymization.copying.values import CopyOptions
    from confiture_flows.config import Project
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.target import Target
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState


def plan_of(state: WizardState, folder: Path) -> PlanFile:
    """What was chosen, as a plan for a file in a folder.

    Raises:
        ConfigError: No database is chosen yet.
    """
    if state.target is None:
        raise ConfigError("No database is chosen.", next_step="Choose one in the first step.")
    directory = Path(os.path.relpath(state.directory, folder)) if state.directory else None
    anonymization: dict[str, Any] = {}
    if state.copies:
        columns = {
            each.column: PlanColumnRule(**each.model_dump(exclude={"column"}))
            for each in state.rules
        }
        anonymization = {
            "tables": state.tables,
            "allow": state.allow,
            "columns": columns,
            "replace": state.replace,
        }
    return PlanFile(
        path=state.path,
        target=state.target,
        source=state.source if state.copies else None,
        fail_on=state.gate,
        plain=state.plain,
        migrations=PlanMigrations(
            directory=directory.as_posix() if directory else None,
            layout=state.layout,
            to=state.to,
            dry_run=state.dry_run,
        )
        if state.migrates
        else PlanMigrations(),
        anonymization=PlanAnonymization(**anonymization),
    )


def project_of(screen: Screen, state: WizardState) -> Project:
    """The configuration, with what was chosen put before it."""
    return plan_of(state, Path.cwd()).applied_to(screen.project, Path.cwd())


def target_of(screen: Screen, state: WizardState) -> Target:
    """The database that is changed, with the rules of this run."""
    return plan_of(state, Path.cwd()).applied_to_target(own_target(screen, state))


def own_target(screen: Screen, state: WizardState) -> Target:
    """The same with its own rules, by which it is judged whether a person has to approve."""
    return screen.target(str(state.target))


def source_of(screen: Screen, state: WizardState) -> Target:
    """The database that is copied."""
    return screen.target(str(state.source))


def where_migrations_stand(screen: Screen, state: WizardState) -> Target:
    """The database whose ledger says what is pending: a copy will have its source's.

    It is only read; its rules are the target's.
    """
    target = target_of(screen, state)
    return replace(target, dsn=source_of(screen, state).dsn) if state.copies else target


def request_of(project: Project, state: WizardState) -> Request:
    """What is asked of a run."""
    from confiture_flows.migrations.lifecycle import Request

    return Request(
        directory=project.directory,
        layout=project.layout,
        as_written=project.as_written,
        to=state.to,
        replaced=project.replace_placeholders,
        root=project.include_root(project.directory),
        dry_run=state.dry_run,
        fail_on=state.gate,
    )


def options_of(project: Project, state: WizardState) -> CopyOptions:
    """How a copy is done."""
    from confiture_flows.anonymization.copying.values import CopyOptions

    return CopyOptions(replace=state.replace, modules=project.anonymization.strategies)
