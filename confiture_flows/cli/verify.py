"""`confiture-flows verify`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, Outcome, Work, framed

_DEFAULTS = Options()


def verify(
    *,
    options: Options = _DEFAULTS,
    replay: Annotated[bool, Parameter(negative="")] = False,
    scratch: str | None = None,
) -> int:
    """Check whether the database holds what its migrations promise. Changes nothing in it.

    Runs the verify scripts of all applied migrations and looks for what failed steps left behind.
    Exits 4 when findings reach the gate.

    Args:
        options: Which database and directory.
        replay: Also replay the history in a scratch database and compare the two.
        scratch: Connection string of a server to replay on; one is started by default.
    """
    return framed("verify", options, lambda work: _run(work, scratch, replay=replay))


def _run(work: Work, scratch: str | None, *, replay: bool) -> Outcome:
    from dataclasses import replace

    from confiture_flows.errors import ConfigError, GateError
    from confiture_flows.migrations.ledger import read_ledger
    from confiture_flows.migrations.plain import applied_migrations, discover_for
    from confiture_flows.migrations.validate import contradictions, stop_at_gate
    from confiture_flows.migrations.verification import (
        run_verification,
        verification_document,
        verification_json,
    )
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    if scratch == "":
        raise ConfigError("--scratch is empty.", next_step="Leave it out, or say which server.")
    if scratch and not replay:
        raise ConfigError("--scratch is where to replay.", next_step="Add --replay.")
    target = work.target()
    target = replace(target, scratch=scratch or target.scratch)
    directory = discover_for(work.request(), target)
    with connect(target, "verify") as conn:
        rows = read_ledger(conn, target.ledger)
        found = run_verification(
            conn,
            target,
            applied_migrations(directory, rows),
            history=directory.migrations if replay else None,
            known=contradictions(directory, rows),
        )
    error = None
    try:
        stop_at_gate(found.findings, Severity.of(target.fail_on))
    except GateError as gate:
        error = gate
    document = verification_document(found, target.name)
    told = found.differences
    return Outcome(verification_json(found), document, found.findings, error, told)
