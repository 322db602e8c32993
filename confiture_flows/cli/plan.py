"""`confiture-flows plan`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, Outcome, Work, framed
from confiture_flows.config import OutOfOrder  # noqa: TC001 - cyclopts reads the annotations

_DEFAULTS = Options()


def plan(
    *,
    options: Options = _DEFAULTS,
    to: str | None = None,
    back: Annotated[bool, Parameter(negative="")] = False,
    out_of_order: OutOfOrder | None = None,
) -> int:
    """Show what migrate would apply, or with --back what rollback would undo. Changes nothing.

    Args:
        options: Which database and directory.
        to: The version to reach.
        back: Plan the way back instead of the way forward.
        out_of_order: What becomes of a migration that is pending though a later one is applied.
    """
    return framed("plan", options, lambda work: _run(work, to, out_of_order, back=back))


def _run(work: Work, to: str | None, out_of_order: OutOfOrder | None, *, back: bool) -> Outcome:
    from confiture_flows.errors import GateError
    from confiture_flows.migrations.edits import with_edits
    from confiture_flows.migrations.ledger import read_ledger
    from confiture_flows.migrations.plain import discover_for, make_plan
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.migrations.report import plan_document, plan_json
    from confiture_flows.migrations.validate import stop_at_gate, validate
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    direction = Direction.DOWN if back else Direction.UP
    target = work.target()
    directory = discover_for(work.request(to), target)
    with connect(target, "plan") as conn:
        rows = read_ledger(conn, target.ledger)
        findings = validate(
            directory,
            rows,
            direction=direction,
            production=target.production,
            out_of_order=out_of_order or target.out_of_order,
        )
        findings = with_edits(conn, target.ledger, directory, findings)
    try:
        stop_at_gate(findings, Severity.of(target.fail_on))
    except GateError as error:
        return Outcome(findings=findings, error=error)
    made = make_plan(directory, rows, direction, to)
    return Outcome(plan_json(made), plan_document(made, target.name), findings)
