"""`confiture-flows dry-run`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, Outcome, Work, framed
from confiture_flows.config import GateName, OutOfOrder  # noqa: TC001 - cyclopts reads them

if TYPE_CHECKING:
    from confiture_flows.dryrun.report import DryRunReport

_DEFAULTS = Options()
Format = Literal["text", "json", "markdown", "html"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The command's own options."""

    to: str | None
    back: bool
    on: str
    form: Format
    fail_on: GateName | None
    rows: int | None
    scratch: str | None
    prove: bool
    budget: float
    out_of_order: OutOfOrder | None
    since: str | None


def dry_run(
    *,
    options: Options = _DEFAULTS,
    to: str | None = None,
    back: Annotated[bool, Parameter(negative="")] = False,
    on: Literal["static", "scratch", "target"] = "scratch",
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: GateName | None = None,
    rows: int | None = None,
    scratch: str | None = None,
    no_proof: Annotated[bool, Parameter(negative="")] = False,
    budget: float = 2.0,
    out_of_order: OutOfOrder | None = None,
    since: str | None = None,
) -> int:
    """See what migrate would do: locks, times, changes, and whether it can be undone.

    Executes the plan in a scratch database. Exits 0 when it is safe, 4 when findings reach the
    gate, 1 when the plan would fail.

    Args:
        options: Which database and directory.
        to: The version to reach.
        back: Look at what rollback would do instead.
        on: static executes nothing; target also executes it on the target, and rolls it back.
        format: How the report is printed; html is one file that needs nothing else.
        fail_on: The severity at which findings count as a failure, instead of the target's.
        rows: How many rows of each table to rehearse with at most [default: 20000].
        scratch: Connection string of a server to rehearse on; one is started by default.
        no_proof: Compare no catalogs and go no way back, which takes longest.
        budget: Seconds for which locks may be held with --on target [default: 2].
        out_of_order: What becomes of a migration that is pending though a later one is applied.
        since: Judge only migrations whose files changed since a revision of git; what is pending
            before them runs too, but is not judged.
    """
    asked = _Asked(
        *(to, back, on, format, fail_on, rows, scratch, not no_proof, budget, out_of_order, since)
    )
    if format == "json":
        options = replace(options, json=True)
    return framed("dry-run", options, lambda work: _run(work, asked))


def _run(work: Work, asked: _Asked) -> Outcome:
    from confiture_flows.cli.plan import planned
    from confiture_flows.dryrun.dry_run import dry_run as run
    from confiture_flows.dryrun.dry_run import stop_if_unsafe
    from confiture_flows.dryrun.since import only_added, through_last
    from confiture_flows.errors import ConfitureFlowsError, GateError
    from confiture_flows.lint.selection import changed_versions
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    _check(asked)
    target = work.target()
    target = replace(target, scratch=asked.scratch or target.scratch)
    direction = Direction.DOWN if asked.back else Direction.UP
    with connect(target, "dry run") as conn:
        try:
            plan, known = planned(work, conn, target, direction, asked.to, asked.out_of_order)
        except GateError as error:
            return Outcome(findings=work.findings, error=error)
        added = None
        if asked.since is not None:
            added = changed_versions(
                work.request().directory, (step.migration for step in plan.steps), asked.since
            )
            plan = through_last(plan, added)
        report = run(
            conn,
            plan,
            target=target,
            on=asked.on,
            rows=asked.rows,
            prove=asked.prove,
            budget=asked.budget,
        )
    if added is not None:
        report = only_added(report, added, str(asked.since))
    error = None
    try:
        stop_if_unsafe(report, Severity.of(asked.fail_on or target.fail_on))
    except ConfitureFlowsError as unsafe:
        error = unsafe
    return _outcome(replace(report, findings=(*known, *report.findings)), asked.form, error)


def _check(asked: _Asked) -> None:
    from confiture_flows.errors import ConfigError

    wrong = {
        "--scratch is empty.": asked.scratch == "",
        "--rows is a number of rows; 0 copies none.": (asked.rows or 0) < 0,
        "--budget is a number of seconds.": asked.budget <= 0,
        "--scratch is where to rehearse, and static executes nothing.": asked.on == "static"
        and asked.scratch is not None,
        "--since is for what is to be applied, --back for what is to be undone.": asked.back
        and asked.since is not None,
        "--since is empty.": asked.since == "",
    }
    for message, is_so in wrong.items():
        if is_so:
            raise ConfigError(message, next_step="Leave it out, or see dry-run --help.")


def _outcome(report: DryRunReport, form: Format, error: BaseException | None) -> Outcome:
    from confiture_flows.dryrun.document import dry_run_document
    from confiture_flows.dryrun.values import report_json

    page = None
    if form == "markdown":
        from confiture_flows.report.markdown import render_markdown

        page = render_markdown(dry_run_document(report))
    elif form == "html":
        from confiture_flows.report.html import render_html

        page = render_html(dry_run_document(report))
    document = dry_run_document(report, findings=False)
    return Outcome(report_json(report), document, report.findings, error, page=page)
