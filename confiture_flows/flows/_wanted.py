"""Configuration -> the deployments that ought to be on the server. Asks no server."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.settings import get_current_settings
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import ValidationError as WrongParameters
from prefect.utilities.schema_tools.validation import validate
from pydantic import ValidationError

from confiture_flows._deployment_config import DeploymentConfig, FlowName, OnCollision
from confiture_flows.errors import ConfigError
from confiture_flows.target import IN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prefect import Flow

    from confiture_flows.config import Project

_MODULES: dict[FlowName, str] = {
    "migrate": "confiture_flows.flows.migrate.migrate_flow",
    "rollback": "confiture_flows.flows.rollback.rollback_flow",
    "dry-run": "confiture_flows.flows.dry_run.dry_run_flow",
    "lint": "confiture_flows.flows.lint.lint_flow",
    "anonymize": "confiture_flows.flows.anonymize.anonymize_flow",
    "drift": "confiture_flows.flows.drift.drift_flow",
}
# These write on their `target`, and wait for one another unless they are told otherwise.
_WRITING = ("migrate", "rollback", "anonymize")
_ON_DEMAND: tuple[FlowName, ...] = ("migrate", "rollback", "dry-run")
_TAG = "confiture"
_MIDNIGHT = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WantedDeployment:
    """A deployment as it ought to be.

    Attributes:
        name: With its flow's, as Prefect writes it: "migrate/prod".
        entrypoint: Module and name of the flow.
        parameters: Those of the flow that are not asked for.
        form: The schema of the flow's parameters, which the web pages make a form of.
        work_pool: Whose workers run it.
        schedule: When it runs by itself.
        schedule_text: The same in words; empty where there is none.
        limit: The concurrency limit of one run that it shares with others; None for none.
        on_collision: What becomes of a run that finds it taken.
        tags: Sorted.
        description: What it is for.
        folder: Where the project is on the worker.
        project: The MigrationProject block that it names.
        version: Of this package.
    """

    name: str
    entrypoint: str
    parameters: Mapping[str, Any]
    form: Mapping[str, Any]
    work_pool: str
    schedule: CronSchedule | IntervalSchedule | None
    schedule_text: str
    limit: str | None
    on_collision: OnCollision
    tags: tuple[str, ...]
    description: str
    folder: str
    project: str | None
    version: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that its parameters name."""
        given = (self.parameters.get(name) for name in ("source", "target"))
        return tuple(each for each in given if isinstance(each, str))


def wanted_deployments(project: Project, pool: str | None = None) -> tuple[WantedDeployment, ...]:
    """What the configuration asks for; without [deployments], three on demand for each target.

    Args:
        project: The configuration.
        pool: The work pool of those that name none.

    Raises:
        ConfigError: There is nothing to deploy, or something in it is wrong.
    """
    if project.source is None:
        raise ConfigError(
            "There is no confiture.toml here or above, and deployments are described there.",
            next_step="Change into the project's folder.",
        )
    described = project.deployments or tuple(
        DeploymentConfig(target, flow, {"target": target})
        for target in project.targets
        for flow in _ON_DEMAND
    )
    if not described:
        raise ConfigError(
            "There is nothing to deploy: neither [deployments] nor [targets].",
            file=project.source,
            next_step="See docs/guides/scheduling.md.",
        )
    pool = pool or get_current_settings().deployments.default_work_pool_name
    return tuple(_wanted(each, project, pool) for each in described)


def _wanted(said: DeploymentConfig, project: Project, pool: str | None) -> WantedDeployment:
    wrong = _Wrong(said.name, project)
    flow = _flow(said, wrong)
    form = parameter_form(flow)
    _check_parameters(said, form, wrong)
    pool = said.work_pool or pool
    if pool is None:
        raise wrong(
            "no work pool is named.",
            'Add work_pool = "...", give --pool, or set '
            "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME.",
        )
    target = said.parameters.get("target")
    tags = {_TAG, *said.tags, *([f"target:{target}"] if target else [])}
    default: OnCollision = "enqueue" if said.flow in _WRITING else "allow"
    collision = said.on_collision or default
    return WantedDeployment(
        name=f"{flow.name}/{said.name}",
        entrypoint=_MODULES[said.flow],
        parameters=dict(said.parameters),
        form=form,
        work_pool=pool,
        schedule=_schedule(said, wrong),
        schedule_text=str(said.schedule or ""),
        limit=None if collision == "allow" else _limit(target or f"deployment {said.name}"),
        on_collision=collision,
        tags=tuple(sorted(tags)),
        description=said.description or (flow.description or "").partition("\n\n")[0],
        folder=said.folder or str(project.source.parent if project.source else ""),
        project=said.parameters.get("project"),
        version=version("confiture-flows"),
    )


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Makes errors about one deployment."""

    name: str
    project: Project

    def __call__(self, what: str, next_step: str) -> ConfigError:
        where = f"deployments.{self.name}" if self.project.deployments else f"Target {self.name}"
        return ConfigError(f"{where}: {what}", file=self.project.source, next_step=next_step)


def _flow(said: DeploymentConfig, wrong: _Wrong) -> Flow[..., Any]:
    module, _, name = _MODULES[said.flow].rpartition(".")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise wrong(
            f"this version of confiture-flows has no flow {said.flow}.", "Install a newer one."
        ) from None


def parameter_form(flow: Flow[..., Any]) -> dict[str, Any]:
    """The schema of a flow's parameters, with names and descriptions that read well in a form."""
    form = parameter_schema(flow).model_dump()
    for name, each in form["properties"].items():
        each["title"] = name.replace("_", " ").capitalize()
        each["description"] = " ".join(each.get("description", "").split())
    return form


def _check_parameters(said: DeploymentConfig, form: dict[str, Any], wrong: _Wrong) -> None:
    known = form["properties"]
    if unknown := sorted(set(said.parameters) - set(known)):
        raise wrong(
            f"the flow {said.flow} has no parameter {', '.join(unknown)}.",
            f"It has: {', '.join(known)}.",
        )
    for name in ("source", "target"):
        if {":", "="} & set(str(said.parameters.get(name, "")).removeprefix(IN_VARIABLE)):
            # Parameters are stored and shown; a password in one would be too.
            raise wrong(
                f"{name} looks like a connection string, and has to be a name.",
                "Put it into [targets.NAME], a PostgresTarget block, or a variable of the worker, "
                f'and name that ("{IN_VARIABLE}NAME" is a variable).',
            )
    try:
        json.dumps(said.parameters)
        validate(dict(said.parameters), form, raise_on_error=True, ignore_required=True)
    except TypeError:
        raise wrong("parameters are text, numbers and lists.", "Write dates as text.") from None
    except WrongParameters as error:
        raise wrong(f"its parameters do not fit: {error}.", "See the flow's page.") from None
    needed = set(form.get("required", ()))
    if "plan_file" in form["properties"] and "plan_file" not in said.parameters:
        needed.add(next(iter(form["properties"])))  # the database, which a plan file would name
    missing = sorted(needed - set(said.parameters))
    if said.schedule is not None and missing:
        raise wrong(
            f"it runs by a schedule, where nobody can be asked for {', '.join(missing)}.",
            "Add it to its parameters.",
        )


def _schedule(said: DeploymentConfig, wrong: _Wrong) -> CronSchedule | IntervalSchedule | None:
    if said.schedule is None:
        return None
    try:
        if said.schedule.cron is not None:
            return CronSchedule(cron=said.schedule.cron, timezone=said.schedule.timezone)
        return IntervalSchedule(
            interval=timedelta(seconds=said.schedule.interval or 0),
            anchor_date=_MIDNIGHT,
            timezone=said.schedule.timezone,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        text = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise wrong(
            f"its schedule cannot be: {text}.",
            "A cron has five fields; a time zone is a name such as Europe/Vienna.",
        ) from None


def _limit(what: str) -> str:
    # It is part of the path of a URL too.
    return f"confiture-flows.{re.sub(r'[^A-Za-z0-9_.-]+', '-', what)}"
