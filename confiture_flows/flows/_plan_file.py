"""The parameter `plan_file` of flows: a file that the wizard has saved, and what it stands for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prefect.runtime import flow_run

from confiture_flows.errors import ConfigError
from confiture_flows.plan_file import read_plan_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confiture_flows.plan_file import PlanFile


def planned(plan_file: str | None, command: Literal["migrate", "anonymize"]) -> PlanFile | None:
    """The plan that a flow was given, if it was given one.

    Raises:
        ConfigError: It cannot be read, or is for the other flow.
    """
    if plan_file is None:
        return None
    path = Path(plan_file)
    plan = read_plan_file(path)
    plan.require(command, path)
    return plan


def target_of(parameters: Mapping[str, Any], name: str = "target") -> str | None:
    """The target, or the source, that a run's parameters name, in a plan file too."""
    if (given := parameters.get(name)) is not None:
        return str(given)
    path = parameters.get("plan_file")
    try:
        return getattr(read_plan_file(Path(str(path))), name) if path else None
    except ConfigError:
        return None  # the run itself tells what is wrong with it


def named_after(verb: str, name: str = "target") -> Callable[[], str]:
    """What makes the name of a run of what its parameters name."""

    def run_name() -> str:
        return f"{verb} {target_of(flow_run.parameters or {}, name) or 'nothing'}"

    return run_name


def required(target: str | None) -> str:
    """A target that neither the parameters nor a plan may leave open.

    Raises:
        ConfigError: They do.
    """
    if not target:
        raise ConfigError(
            "The flow is given neither a target nor a plan file.",
            next_step="Give it the name of a target, or plan_file.",
        )
    return target
