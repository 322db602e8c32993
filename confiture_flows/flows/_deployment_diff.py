"""A wanted deployment + what is on the server -> what differs, field by field. Pure values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prefect.client.schemas.objects import DeploymentSchedule
    from prefect.client.schemas.responses import DeploymentResponse

    from confiture_flows.flows._wanted import WantedDeployment

SLUG = "confiture-flows"  # of the schedule that is ours; others on a deployment are left alone
_IN_FOLDER = "prefect.deployments.steps.set_working_directory"


@dataclass(frozen=True, slots=True)
class DeploymentChange:
    """A field that is not as it ought to be; empty text is no value."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DeploymentDiff:
    """A deployment, and what has to change about it.

    Attributes:
        wanted: As it ought to be.
        existing: As it is; None where it has to be created.
        pull_steps: Those it ought to have.
        changes: What differs.
    """

    wanted: WantedDeployment
    existing: DeploymentResponse | None
    pull_steps: tuple[dict[str, Any], ...]
    changes: tuple[DeploymentChange, ...]

    @property
    def action(self) -> str:
        """What is to be done: "create", "change" or "nothing"."""
        if self.existing is None:
            return "create"
        return "change" if self.changes else "nothing"

    @property
    def other_schedules(self) -> tuple[str, ...]:
        """Schedules that are not of the configuration; they stay, and start runs too."""
        found = self.existing.schedules if self.existing else []
        return tuple(_schedule_text(each) for each in found if each.slug != SLUG and each.active)

    @property
    def changed(self) -> frozenset[str]:
        """The names of the fields that differ."""
        return frozenset(change.field.partition(" ")[0] for change in self.changes)


def deployment_diff(
    wanted: WantedDeployment, existing: DeploymentResponse | None, *, in_folder: bool
) -> DeploymentDiff:
    """Compare a deployment with what is there.

    Args:
        wanted: As it ought to be.
        existing: As it is on the server; None where there is none.
        in_folder: Whether its runs start in the project's folder on the worker.
    """
    steps = ({_IN_FOLDER: {"directory": wanted.folder}},) if in_folder else ()
    before = _fields_of(existing) if existing else {}
    after = _wanted_fields(wanted, steps)
    changes = [
        DeploymentChange(name, before.get(name, ""), after.get(name, ""))
        for name in dict.fromkeys((*after, *before))
        if before.get(name, "") != after.get(name, "")
    ]
    if existing and _asked(existing.parameter_openapi_schema) != _asked(wanted.form):
        changes.append(DeploymentChange("form", "of another version", "of this version"))
    return DeploymentDiff(wanted, existing, steps, tuple(changes))


def _wanted_fields(wanted: WantedDeployment, steps: tuple[dict[str, Any], ...]) -> dict[str, str]:
    return {
        "entrypoint": wanted.entrypoint,
        **_parameters(wanted.parameters),
        "work_pool": wanted.work_pool,
        "schedule": wanted.schedule_text,
        "limit": wanted.limit or "",
        "on_collision": wanted.on_collision if wanted.limit else "",
        "folder": _folder(steps),
        "tags": ", ".join(wanted.tags),
        "description": wanted.description,
        "version": wanted.version,
    }


def _fields_of(existing: DeploymentResponse) -> dict[str, str]:
    limit, options = existing.global_concurrency_limit, existing.concurrency_options
    schedule = own_schedule(existing)
    return {
        "entrypoint": existing.entrypoint or "",
        **_parameters(existing.parameters),
        "work_pool": existing.work_pool_name or "",
        "schedule": _schedule_text(schedule) if schedule else "",
        "limit": limit.name if limit else "",
        "on_collision": (
            options.collision_strategy.value.lower().replace("_", "-") if limit and options else ""
        ),
        "folder": _folder(tuple(existing.pull_steps or ())),
        "tags": ", ".join(sorted(existing.tags)),
        "description": existing.description or "",
        "version": existing.version or "",
    }


def own_schedule(existing: DeploymentResponse) -> DeploymentSchedule | None:
    """The schedule of a deployment that an earlier `deploy` has made."""
    return next((each for each in existing.schedules if each.slug == SLUG), None)


def _schedule_text(found: DeploymentSchedule) -> str:
    schedule: Any = found.schedule
    if hasattr(schedule, "cron"):
        when = schedule.cron
    elif hasattr(schedule, "interval"):
        when = f"every {schedule.interval.total_seconds():g} s"
    else:
        when = getattr(schedule, "rrule", "no schedule")
    return f"{when} ({getattr(schedule, 'timezone', None) or 'UTC'})"


def _parameters(given: Mapping[str, Any]) -> dict[str, str]:
    return {f"parameter {name}": json.dumps(value) for name, value in sorted(given.items())}


def _folder(steps: tuple[dict[str, Any], ...]) -> str:
    """Where runs start; steps that are not ours are shown as they are."""
    if len(steps) == 1 and list(steps[0]) == [_IN_FOLDER]:
        return str(steps[0][_IN_FOLDER].get("directory", ""))
    return json.dumps(steps) if steps else ""


def _asked(form: Mapping[str, Any] | None) -> object:
    """What a form asks for; servers add to the rest."""
    form = form or {}
    return form.get("properties", {}), sorted(form.get("required") or ())


def payload_of(diff: DeploymentDiff) -> Iterator[tuple[str, Any]]:
    """The fields of a request that changes what differs, but for schedule and limit."""
    wanted, changed = diff.wanted, diff.changed
    plain: dict[str, tuple[str, Any]] = {
        "entrypoint": ("entrypoint", wanted.entrypoint),
        "work_pool": ("work_pool_name", wanted.work_pool),
        "folder": ("pull_steps", list(diff.pull_steps)),
        "tags": ("tags", list(wanted.tags)),
        "description": ("description", wanted.description),
        "version": ("version", wanted.version),
    }
    for name, pair in plain.items():
        if name in changed:
            yield pair
    if changed & {"parameter", "form"}:  # the server looks whether they fit
        yield "parameters", dict(wanted.parameters)
        yield "parameter_openapi_schema", dict(wanted.form)
