"""Target + Request + an observer -> a run of the lifecycle, plainly or as a flow."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from confiture_flows.runs import quiet_prefect

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.config import Project
    from confiture_flows.migrations.hook_points import HookPoints
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Direction, Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

Granularity = Literal["stage", "migration"]
_TERMINATED = 143  # what a shell says of a process that SIGTERM has ended


def run_plainly(
    project: Project, target: Target, request: Request, direction: Direction, watch: Observer
) -> None:
    """Run the lifecycle on one connection, without Prefect.

    Args:
        project: Its hooks run, and its lint gate holds.
        target: The database.
        request: What to do.
        direction: Up for migrate, down for rollback.
        watch: Hears of it, and is given the report, of a failed run too.

    Raises:
        ConfitureFlowsError: A stage failed.
    """
    from confiture_flows.errors import TargetError
    from confiture_flows.flows._approval_rule import approval_rule
    from confiture_flows.migrations.lifecycle import RunReport, run_lifecycle
    from confiture_flows.migrations.nesting import refuse_nested
    from confiture_flows.migrations.plain import PlainStages
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    refuse_nested(target)
    hooks = _hooks(project, target, direction, watch)
    stages = PlainStages
    if project.lint.gate:
        from confiture_flows.runs.linted import LintedStages as stages
    rule = approval_rule(target, project, direction)
    connected = False
    try:
        with connect(target, "migrate" if direction == "up" else "rollback") as conn:
            connected = True
            run_lifecycle(
                stages(conn, target, request, watch, watch.ended, hooks, _rehearse, rule),
                target=target.name,
                direction=direction,
                gate=Severity.of(request.fail_on or target.fail_on),
                hooks=hooks,
                on_error=target.on_error,
            )
    except TargetError as error:
        if not connected:  # in a flow that is a stage
            hooks.on_error(RunReport(target.name, direction, error=error))
        raise


def _hooks(project: Project, target: Target, direction: Direction, watch: Observer) -> HookPoints:
    """What is called at the hook points of a plain run."""
    from confiture_flows.migrations.hook_points import NO_HOOKS

    if not project.hooks:
        return NO_HOOKS
    import signal
    from uuid import uuid4

    from confiture_flows.hooks.executor import HookExecutor
    from confiture_flows.hooks.loading import load_hooks

    # Without it SIGTERM would end the process before it could tell its hooks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    hooks = load_hooks(project, target.name)
    return HookExecutor(hooks, target, uuid4().hex, direction, tell=watch.said)


def _rehearse(conn: Connection, target: Target, plan: Plan) -> tuple[Finding, ...]:
    from confiture_flows.dryrun.gate import rehearse_first

    return rehearse_first(conn, target, plan)


def run_as_flow(
    target: Target,
    request: Request,
    direction: Direction,
    watch: Observer,
    granularity: Granularity,
) -> None:
    """Run the same as a flow of Prefect's, on the server of its current profile.

    Raises:
        ConfitureFlowsError: A stage failed.
        ConfigError: The Prefect server cannot be reached.
    """
    quiet_prefect()
    from confiture_flows.flows import run
    from confiture_flows.migrations.observer import watched_by

    with watched_by(watch):
        run.run_as_flow(target, request, direction, granularity, watch.said)
