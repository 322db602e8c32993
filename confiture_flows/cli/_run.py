"""What migrate and rollback share: run the lifecycle, watch it, tell how it went."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from confiture_flows.cli._frame import Outcome, interrupted, quiet_prefect
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.cli._frame import Work
    from confiture_flows.config import DryRunName, OutOfOrder, Project
    from confiture_flows.migrations.hook_points import HookPoints
    from confiture_flows.migrations.lifecycle import Request, RunReport
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Direction, Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

Granularity = Literal["stage", "migration"]
_TERMINATED = 143  # what a shell says of a process that SIGTERM has ended


def run_direction(
    work: Work,
    direction: str,
    to: str | None,
    *,
    plain: bool,
    granularity: Granularity,
    out_of_order: OutOfOrder | None = None,
    single_transaction: bool = False,
    dry_run: DryRunName | None = None,
) -> Outcome:
    """Run migrate or rollback.

    Raises:
        ConfigError: Options that exclude one another.
    """
    if plain and granularity != "stage":
        raise ConfigError(
            "--granularity is about task runs, and --plain makes none.",
            next_step="Leave one of them out.",
        )
    if single_transaction and granularity != "stage":
        raise ConfigError(
            "In a single transaction no migration is done before all are, so none can be a task "
            "run of its own.",
            next_step="Leave out --single-transaction or --granularity.",
        )
    from confiture_flows.cli._progress import Progress
    from confiture_flows.migrations.plan import Direction

    way = Direction(direction)
    target, request = work.target(), work.request(to, out_of_order)
    request = replace(request, single_transaction=single_transaction)
    if dry_run is not None:
        target = replace(target, dry_run=dry_run)
    error: BaseException | None = None
    # What a Python migration prints must not get between a program and our JSON.
    with (
        Progress(sys.stderr, quiet=work.options.json) as progress,
        contextlib.redirect_stdout(sys.stderr),
    ):
        try:
            if plain:
                _run_plain(work.project, target, request, way, progress)
            else:
                _run_flow(target, request, way, progress, granularity)
        except BaseException as raised:
            if progress.report is None:
                raise  # nothing is known that the frame could not say
            error = raised
    report = progress.report
    # Ctrl-C, SIGTERM: what ends a process is no mistake of anybody's.
    if report and report.error and not isinstance(report.error, Exception):
        report = replace(report, error=interrupted())
    return _outcome(report, error, as_json=work.options.json)


def _run_plain(
    project: Project, target: Target, request: Request, direction: Direction, watch: Observer
) -> None:
    from confiture_flows.errors import TargetError
    from confiture_flows.migrations.lifecycle import RunReport, run_lifecycle
    from confiture_flows.migrations.nesting import refuse_nested
    from confiture_flows.migrations.plain import PlainStages
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    refuse_nested(target)
    hooks = _hooks(project, target, direction, watch)
    stages = PlainStages
    if project.lint.gate:
        from confiture_flows.cli._linted import LintedStages as stages
    connected = False
    try:
        with connect(target, "migrate" if direction == "up" else "rollback") as conn:
            connected = True
            run_lifecycle(
                stages(conn, target, request, watch, watch.ended, hooks, _rehearse),
                target=target.name,
                direction=direction,
                gate=Severity.of(target.fail_on),
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


def _run_flow(
    target: Target,
    request: Request,
    direction: Direction,
    watch: Observer,
    granularity: Granularity,
) -> None:
    quiet_prefect()
    from confiture_flows.flows.run import run_as_flow
    from confiture_flows.migrations.observer import watched_by

    with watched_by(watch):
        run_as_flow(target, request, direction, granularity)


def _outcome(report: RunReport | None, error: BaseException | None, *, as_json: bool) -> Outcome:
    from confiture_flows.migrations.report import (
        failure_document,
        run_headline,
        run_json,
    )
    from confiture_flows.report.document import Document

    if report is None:
        return Outcome(error=error)
    if report.error is not None:
        document = failure_document(report)
    else:
        document = Document(run_headline(report))
    # Those were told before it ran, and a person need not read them twice.
    findings = tuple(
        each for each in report.findings if as_json or each.code != "history.down_edited"
    )
    return Outcome(run_json(report), document, findings, report.error or error)
