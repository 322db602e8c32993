"""The configuration's deployments and a Prefect server: what differs, and make it so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.actions import DeploymentScheduleCreate, GlobalConcurrencyLimitCreate
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from confiture_flows.blocks._asking import load_block
from confiture_flows.blocks.project import load_migration_project
from confiture_flows.blocks.target import PostgresTarget, unknown_target
from confiture_flows.errors import ConfigError
from confiture_flows.flows._deployment_diff import (
    SLUG,
    DeploymentDiff,
    deployment_diff,
    own_schedule,
    payload_of,
)
from confiture_flows.flows._server import prefect_server, refusal
from confiture_flows.flows._wanted import WantedDeployment, wanted_deployments
from confiture_flows.report.document import Block, Document, Paragraph, Table
from confiture_flows.target import IN_VARIABLE

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

    from confiture_flows.config import Project

_VERBS = {"create": "to create", "change": "to change", "nothing": "as they are"}


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What a deploy would do.

    Attributes:
        server: The address of the API.
        diffs: A deployment each, in the order of the configuration.
    """

    server: str
    diffs: tuple[DeploymentDiff, ...]

    @property
    def to_do(self) -> tuple[DeploymentDiff, ...]:
        """Those where something has to change."""
        return tuple(each for each in self.diffs if each.action != "nothing")

    @property
    def headline(self) -> str:
        """How many are to be created, changed, or are as they should be."""
        actions = [each.action for each in self.diffs]
        parts = [f"{n} {verb}" for key, verb in _VERBS.items() if (n := actions.count(key))]
        return f"Deployments on {self.server}: {', '.join(parts)}"

    def document(self) -> Document:
        """For people: each field that differs."""
        blocks: list[Block] = []
        rows = tuple(
            (each.wanted.name if first else "", change.field, change.before or "-", change.after)
            for each in self.to_do
            for first, change in zip((True, *[False] * 99), each.changes, strict=False)
        )
        if rows:
            blocks.append(Table(("deployment", "field", "on the server", "configuration"), rows))
        blocks += [
            Paragraph(
                f"{each.wanted.name} also runs by schedules that are not of the configuration: "
                f"{', '.join(each.other_schedules)}. They stay; delete them on its page."
            )
            for each in self.diffs
            if each.other_schedules
        ]
        return Document(self.headline, tuple(blocks))

    def done_document(self) -> Document:
        """For people: what was done, and who runs it."""
        said = [f"{_DONE[each.action]} {each.wanted.name}." for each in self.to_do]
        pools = sorted({each.wanted.work_pool for each in self.diffs})
        start = [f"prefect worker start --pool {pool}" for pool in pools]
        last = f"Runs need a worker: {'; '.join(start)}"
        return Document(" ".join(said), (Paragraph(last),))

    def json(self, *, done: bool) -> dict[str, Any]:
        """For programs."""
        return {
            "server": self.server,
            "done": done,
            "deployments": [
                {
                    "name": each.wanted.name,
                    "action": each.action,
                    "other_schedules": list(each.other_schedules),
                    "changes": [
                        {"field": change.field, "before": change.before, "after": change.after}
                        for change in each.changes
                    ],
                }
                for each in self.diffs
            ],
        }


_DONE = {"create": "Created", "change": "Changed"}


def plan_deployments(project: Project, pool: str | None = None) -> DeployPlan:
    """Compare the configuration's deployments with those on the server; changes nothing.

    Args:
        project: The configuration.
        pool: The work pool of those that name none.

    Raises:
        ConfigError: The configuration is wrong, or names what is not on the server.
        PrefectUnreachableError: No server is configured, or it does not answer.
    """
    with prefect_server() as client:
        wanted = wanted_deployments(project, pool)
        for name in sorted({each.work_pool for each in wanted}):
            _check_pool(client, name)
        git = {name: _is_git(name) for name in {each.project for each in wanted} if name}
        for each in wanted:
            if not (each.project and git[each.project]):
                _check_targets(each, project)
        diffs = tuple(
            deployment_diff(
                each,
                _existing(client, each.name),
                in_folder=not (each.project and git[each.project]),
            )
            for each in wanted
        )
        return DeployPlan(str(client.api_url).rstrip("/"), diffs)


def carry_out_deployments(plan: DeployPlan) -> None:
    """Create and change what a plan says.

    Raises:
        ConfigError: The server refuses a deployment; those before it are made.
        PrefectUnreachableError: It does not answer.
    """
    with prefect_server("Run again: what is done already is not done twice.") as client:
        for diff in plan.to_do:
            try:
                _carry_out(client, diff)
            except PrefectHTTPStatusError as error:
                if error.response.status_code not in (400, 409, 422):
                    raise
                raise ConfigError(
                    f"The server refuses {diff.wanted.name}: {refusal(error)}",
                    next_step="Mend its table in the configuration, and run again.",
                ) from None


def _check_pool(client: SyncPrefectClient, name: str) -> None:
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        raise ConfigError(
            f"There is no work pool {name!r} on the server.",
            next_step=f"Create it: prefect work-pool create {name} --type process",
        ) from None


def _is_git(project: str) -> bool:
    return load_migration_project(project).git_url is not None


def _check_targets(wanted: WantedDeployment, project: Project) -> None:
    for name in wanted.targets:
        # A variable is the worker's, and cannot be looked for from here.
        if name not in project.targets and not name.startswith(IN_VARIABLE):
            load_block(PostgresTarget, name, unknown_target(name, project))


def _existing(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def _carry_out(client: SyncPrefectClient, diff: DeploymentDiff) -> None:
    if diff.existing is None:
        number = _create(client, diff)
    else:
        number = diff.existing.id
        _patch(client, number, dict(payload_of(diff)))
        if "schedule" in diff.changed:
            _schedule(client, diff, diff.existing)
    if diff.changed & {"limit", "on_collision"}:
        _limit(client, number, diff.wanted)


def _create(client: SyncPrefectClient, diff: DeploymentDiff) -> UUID:
    wanted = diff.wanted
    flow, _, name = wanted.name.partition("/")
    return client.create_deployment(
        flow_id=client.create_flow_from_name(flow),
        name=name,
        version=wanted.version,
        schedules=[DeploymentScheduleCreate(schedule=wanted.schedule, slug=SLUG)]
        if wanted.schedule
        else [],
        parameters=dict(wanted.parameters),
        description=wanted.description,
        work_pool_name=wanted.work_pool,
        tags=list(wanted.tags),
        entrypoint=wanted.entrypoint,
        parameter_openapi_schema=dict(wanted.form),
        pull_steps=list(diff.pull_steps),
        enforce_parameter_schema=True,
    )


def _schedule(
    client: SyncPrefectClient, diff: DeploymentDiff, existing: DeploymentResponse
) -> None:
    """Set our schedule; whether it is paused, and other schedules, is up to those who did that."""
    wanted, own = diff.wanted.schedule, own_schedule(existing)
    if own is None and wanted is not None:
        given = DeploymentScheduleCreate(schedule=wanted, slug=SLUG)
        client.create_deployment_schedules(existing.id, [given])
    elif own is not None and wanted is not None:
        client.update_deployment_schedule(existing.id, own.id, schedule=wanted)
    elif own is not None:
        client.delete_deployment_schedule(existing.id, own.id)


def _limit(client: SyncPrefectClient, number: UUID, wanted: WantedDeployment) -> None:
    """Have it share a limit of one run with all that write on its target."""
    if wanted.limit is None:
        _patch(client, number, {"global_concurrency_limit_id": None, "concurrency_options": None})
        return
    try:
        found = client.read_global_concurrency_limit_by_name(wanted.limit).id
    except ObjectNotFound:
        found = client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name=wanted.limit, limit=1)
        )
    strategy = wanted.on_collision.upper().replace("-", "_")
    _patch(
        client,
        number,
        {
            "global_concurrency_limit_id": str(found),
            "concurrency_options": {"collision_strategy": strategy},
        },
    )


def _patch(client: SyncPrefectClient, number: UUID, payload: dict[str, Any]) -> None:
    # The client's own method cannot say a shared limit.
    if payload:
        client.request("PATCH", "/deployments/{id}", path_params={"id": number}, json=payload)
