"""What migrate and rollback share: run the lifecycle, watch it, tell how it went."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from confiture_flows.cli._frame import Outcome, interrupted
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from confiture_flows.cli._frame import Work
    from confiture_flows.config import DryRunName, GateName, OutOfOrder
    from confiture_flows.migrations.lifecycle import RunReport

Granularity = Literal["stage", "migration"]


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
    fail_on: GateName | None = None,
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
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.runs.migrating import run_as_flow, run_plainly
    from confiture_flows.runs.progress import Progress

    way = Direction(direction)
    target, request = work.target(), work.request(to, out_of_order)
    request = replace(
        request, single_transaction=single_transaction, dry_run=dry_run, fail_on=fail_on
    )
    error: BaseException | None = None
    # What a Python migration prints must not get between a program and our JSON.
    with (
        Progress(sys.stderr, quiet=work.options.json) as progress,
        contextlib.redirect_stdout(sys.stderr),
    ):
        try:
            if plain:
                run_plainly(work.project, target, request, way, progress)
            else:
                run_as_flow(target, request, way, progress, granularity)
        except BaseException as raised:
            if progress.report is None:
                raise  # nothing is known that the frame could not say
            error = raised
    report = progress.report
    # Ctrl-C, SIGTERM: what ends a process is no mistake of anybody's.
    if report and report.error and not isinstance(report.error, Exception):
        report = replace(report, error=interrupted())
    return _outcome(report, error, as_json=work.options.json)


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
