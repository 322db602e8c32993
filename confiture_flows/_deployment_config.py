"""[deployments.NAME] of the configuration as frozen values; Prefect has not looked at them yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows._config_schema import DeploymentTable

FlowName = Literal["migrate", "rollback", "dry-run", "lint", "anonymize", "drift"]
OnCollision = Literal["enqueue", "cancel-new", "allow"]


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """When runs start by themselves; exactly one of `cron` and `interval` is given.

    Attributes:
        cron: Five fields, as in a crontab.
        interval: Seconds, counted from a midnight.
        timezone: Whose clock; a name of the IANA database.
    """

    cron: str | None = None
    interval: float | None = None
    timezone: str = "UTC"

    def __str__(self) -> str:
        when = self.cron if self.cron is not None else f"every {self.interval:g} s"
        return f"{when} ({self.timezone})"


@dataclass(frozen=True, slots=True)
class DeploymentConfig:
    """One [deployments.NAME] table.

    Attributes:
        name: What the deployment is called.
        flow: Which flow it runs.
        parameters: Those of the flow that are not to be asked for.
        work_pool: Whose workers run it; None leaves it to the command, or to Prefect's settings.
        schedule: When it runs by itself; None is on demand only.
        on_collision: What becomes of a run while another one has the target; None lets flows that
            write wait, and others run.
        tags: Beside those that each deployment has.
        description: What it is for; the flow's own when empty.
        folder: Where the project is on the worker; None is where the configuration is.
    """

    name: str
    flow: FlowName
    parameters: Mapping[str, Any] = field(default_factory=dict)
    work_pool: str | None = None
    schedule: ScheduleConfig | None = None
    on_collision: OnCollision | None = None
    tags: tuple[str, ...] = ()
    description: str = ""
    folder: str | None = None


def deployment_configs(
    said: Mapping[str, DeploymentTable], path: Path
) -> tuple[DeploymentConfig, ...]:
    """What [deployments] says, in the order of the file.

    Raises:
        ConfigError: A name or a schedule cannot be.
    """
    return tuple(_deployment(name, each, path) for name, each in said.items())


def _deployment(name: str, said: DeploymentTable, path: Path) -> DeploymentConfig:
    if not name.strip() or set(name) & set("/%&><"):
        raise ConfigError(
            f"deployments.{name}: a name is not empty and has none of / % & > <.", file=path
        )
    schedule = None
    if said.schedule is not None:
        if (said.schedule.cron is None) == (said.schedule.interval is None):
            raise ConfigError(
                f"deployments.{name}.schedule has either a cron or an interval.",
                file=path,
                next_step='Such as: schedule = { cron = "0 2 * * *", timezone = "Europe/Vienna" }',
            )
        schedule = ScheduleConfig(**said.schedule.model_dump())
    values = said.model_dump(exclude={"schedule", "tags"})
    return DeploymentConfig(name=name, schedule=schedule, tags=tuple(said.tags), **values)
