"""A plan file -> a Prefect deployment that runs it by a schedule."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import DeploymentApplyError
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from confiture_flows.blocks._asking import NO_ANSWER
from confiture_flows.errors import ConfigError
from confiture_flows.flows.anonymize import anonymize_flow
from confiture_flows.flows.copy_and_migrate import copy_and_migrate_flow
from confiture_flows.flows.migrate import migrate_flow

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.plan_file import PlanFile

_FLOWS: dict[str, Any] = {
    "migrate": migrate_flow,
    "copy": anonymize_flow,
    "migrate-and-copy": copy_and_migrate_flow,
}
_HERE = "process"  # the type of pools whose workers start processes beside the files


@dataclass(frozen=True, slots=True)
class DeployedPlan:
    """A deployment that is there.

    Attributes:
        name: As Prefect names it, "flow/deployment".
        start: The command that starts what runs it.
    """

    name: str
    start: str


def process_pools() -> tuple[str, ...]:
    """The work pools whose workers run where the files are.

    Raises:
        ConfigError: The server does not answer.
    """
    try:
        with get_client(sync_client=True) as client:
            pools = client.read_work_pools()
    except NO_ANSWER as error:
        raise _unasked(error) from None
    return tuple(sorted(each.name for each in pools if each.type == _HERE))


def make_process_pool(name: str) -> None:
    """Make a work pool of type process.

    Raises:
        ConfigError: The server refuses, as where the name is taken by a pool of another type.
    """
    try:
        with get_client(sync_client=True) as client:
            client.create_work_pool(WorkPoolCreate(name=name, type=_HERE))
    except ObjectAlreadyExists:
        raise ConfigError(
            f"There is a work pool {name} already, of another type.",
            next_step="Choose another name.",
        ) from None
    except (*NO_ANSWER, ValueError) as error:
        raise _unasked(error) from None


def deploy_plan(
    plan: PlanFile,
    file: Path,
    *,
    pool: str,
    cron: str | None = None,
    time_zone: str = "UTC",
    name: str | None = None,
) -> DeployedPlan:
    """Make, or replace, a deployment that takes a plan file as it is.

    Its runs start in the folder of the file, so a worker has to run on a machine that has it.

    Args:
        plan: What the file says.
        file: The file.
        pool: A work pool of type process.
        cron: When it runs; None is only when somebody starts it.
        time_zone: Of the cron expression.
        name: Of the deployment; the target's by default.

    Raises:
        ConfigError: The schedule is wrong, or the server refuses.
    """
    flow = _FLOWS[plan.path]
    try:
        deployment = flow.to_deployment(
            name or plan.target.replace("/", "-").replace(":", "-"),
            parameters={"plan_file": file.name},
            schedules=[Cron(cron, timezone=time_zone)] if cron else None,
            tags=["confiture", f"target:{plan.target}"],
            work_pool_name=pool,
            job_variables={"working_dir": str(file.resolve().parent)},
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        deployment.apply()
    except ValueError as error:
        raise ConfigError(f"The schedule is wrong: {error}") from None
    except (DeploymentApplyError, *NO_ANSWER) as error:
        raise _unasked(error) from None
    return DeployedPlan(
        f"{flow.name}/{deployment.name}", f"prefect worker start --pool {shlex.quote(pool)}"
    )


def _unasked(error: Exception) -> ConfigError:
    return ConfigError(
        f"The Prefect server does not answer, or refuses: {error}",
        next_step="Check PREFECT_API_URL, and that the server is running.",
    )
