"""`confiture-flows status`."""

from __future__ import annotations

from confiture_flows.cli._frame import Options, Outcome, Work, framed

_DEFAULTS = Options()


def status(*, options: Options = _DEFAULTS) -> int:
    """Show which migrations are applied, which are pending, and what does not match.

    Changes nothing. Exits 5 when history and files do not match, so CI may call it.
    """
    return framed("status", options, _run)


def _run(work: Work) -> Outcome:
    from confiture_flows.errors import GateError
    from confiture_flows.migrations.edits import with_edits
    from confiture_flows.migrations.ledger import read_ledger
    from confiture_flows.migrations.plain import discover_for
    from confiture_flows.migrations.report import status_document, status_json
    from confiture_flows.migrations.resolve import read_unfinished
    from confiture_flows.migrations.status import read_status
    from confiture_flows.migrations.validate import stop_at_gate, validate
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    target = work.target()
    directory = discover_for(work.request(), target)
    with connect(target, "status") as conn:
        rows = read_ledger(conn, target.ledger)
        findings = validate(
            directory, rows, production=target.production, out_of_order=target.out_of_order
        )
        findings = with_edits(conn, target.ledger, directory, findings)
        half_done = {each.version: each.direction for each in read_unfinished(conn, target.ledger)}
    error = None
    try:
        stop_at_gate(findings, Severity.of(target.fail_on))
    except GateError as gate:
        error = gate
    entries = read_status(directory, rows, half_done)
    return Outcome(status_json(entries), status_document(entries, target.name), findings, error)
