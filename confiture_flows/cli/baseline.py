"""`confiture-flows baseline`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, Outcome, Work, can_ask, framed, says_yes
from confiture_flows.errors import ConfigError, GateError, HistoryError, RunCancelledError

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.adopt import Adoption
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.target import Target

_DEFAULTS = Options()


def baseline(
    *,
    options: Options = _DEFAULTS,
    to: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    table: str | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Mark migrations as applied without running them, as another tool's ledger says.

    Shows what that ledger has applied beside the directory, and marks it when you confirm.

    Args:
        options: Which database and directory.
        to: Mark everything through this version; no other tool's ledger is asked.
        from_: The tool that migrated the database so far [default: recognised].
        table: The tool's table, which may be schema.table [default: its usual name].
        yes: Mark without asking.
    """
    return framed("baseline", options, lambda work: _run(work, to, from_, table, yes=yes))


def _run(work: Work, to: str | None, tool: str | None, table: str | None, *, yes: bool) -> Outcome:
    from confiture_flows.migrations.plain import discover_for
    from confiture_flows.target import connect

    _check_options(to, tool, table)
    target = work.target()
    directory = discover_for(work.request(to), target)
    confirmed = yes or to is not None  # who names a version has said what is applied
    with connect(target, "baseline") as conn:
        adoption = _read(conn, target, directory, to, tool, table)
        if stopped := _stopped(adoption, target):
            return stopped
        if not adoption.marked:
            return _shown(adoption, target, "Nothing is left to mark.")
        if not confirmed:
            if not can_ask(work.options):
                return _unconfirmed(adoption, target)
            _ask(adoption, target)
            # Nobody holds a lock while a person reads.
            if adoption != _read(conn, target, directory, to, tool, table):
                raise HistoryError(
                    "A ledger has changed while you looked; nothing is marked.",
                    next_step="Run again; everything is read anew.",
                )
        return _mark(conn, work, adoption, target, shown=not confirmed)


def _check_options(to: str | None, tool: str | None, table: str | None) -> None:
    for option, value in (("--from", tool), ("--table", table)):
        if value == "":
            raise ConfigError(f"{option} is empty.", next_step="Leave it out, or say which.")
    if to is not None and (tool or table):
        raise ConfigError(
            "--to says what is applied, --from and --table where to read it.",
            next_step="Leave one of them out.",
        )


def _read(
    conn: Connection,
    target: Target,
    directory: Directory,
    to: str | None,
    tool: str | None,
    table: str | None,
) -> Adoption:
    from confiture_flows.migrations.adopt import adopt, adopt_through
    from confiture_flows.migrations.foreign_ledger import find_tool, read_foreign_ledger
    from confiture_flows.migrations.ledger import read_ledger

    rows = read_ledger(conn, target.ledger)
    if to is not None:
        return adopt_through(directory, rows, to)
    foreign = read_foreign_ledger(conn, tool=tool, table=table, layout=directory.layout)
    return adopt(directory, rows, foreign, find_tool(foreign.tool), production=target.production)


def _stopped(adoption: Adoption, target: Target) -> Outcome | None:
    from confiture_flows.migrations.adoption_report import adoption_document, adoption_json
    from confiture_flows.migrations.validate import stop_at_gate
    from confiture_flows.report.document import Paragraph
    from confiture_flows.report.finding import Severity

    try:
        stop_at_gate(adoption.findings, Severity.of(target.fail_on))
    except GateError as error:
        last = Paragraph("Nothing is marked, for the reasons below.", "bad")
        document = adoption_document(adoption, target.name, last)
        return Outcome(adoption_json(adoption), document, adoption.findings, error)
    return None


def _shown(adoption: Adoption, target: Target, last: str) -> Outcome:
    from confiture_flows.migrations.adoption_report import adoption_document, adoption_json
    from confiture_flows.report.document import Paragraph

    document = adoption_document(adoption, target.name, Paragraph(last))
    return Outcome(adoption_json(adoption), document, adoption.findings)


def _unconfirmed(adoption: Adoption, target: Target) -> Outcome:
    from dataclasses import replace

    error = ConfigError(
        "Nothing is marked yet.",
        next_step="If this is what is applied, run the same with --yes.",
    )
    outcome = _shown(adoption, target, f"{error.message} {error.next_step}")
    return replace(outcome, error=error)


def _ask(adoption: Adoption, target: Target) -> None:
    from confiture_flows.migrations.adoption_report import adoption_document
    from confiture_flows.migrations.report import count
    from confiture_flows.report.console import console
    from confiture_flows.report.text import print_document, print_findings

    print_document(console(sys.stdout), adoption_document(adoption, target.name))
    print_findings(console(sys.stdout), adoption.findings)
    if not says_yes(f"Mark {count(len(adoption.marked))} as applied on {target.name}?"):
        raise RunCancelledError("Not confirmed; nothing is marked.")


def _mark(
    conn: Connection, work: Work, adoption: Adoption, target: Target, *, shown: bool
) -> Outcome:
    from confiture_flows.migrations.adoption_report import adoption_json, marked_document
    from confiture_flows.migrations.baseline import baseline as mark
    from confiture_flows.runs.progress import Progress

    with Progress(sys.stderr, quiet=work.options.json) as progress:
        rows = mark(
            conn,
            adoption.migrations,
            adoption.marked,
            limits=target.limits,
            ledger=target.ledger,
            late=adoption.late,
            observer=progress,
        )
    findings = () if shown else adoption.findings
    return Outcome(adoption_json(adoption, rows), marked_document(rows, target.name), findings)
