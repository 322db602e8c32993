"""`confiture-flows plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, Outcome, Work, framed
from confiture_flows.config import OutOfOrder  # noqa: TC001 - cyclopts reads the annotations

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.plan import Direction, Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

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


def planned(
    work: Work,
    conn: Connection,
    target: Target,
    direction: Direction,
    to: str | None,
    out_of_order: OutOfOrder | None,
) -> tuple[Plan, tuple[Finding, ...]]:
    """What a run would do, and what validation has found on the way.

    Raises:
        GateError: Findings reach the target's gate; `work.findings` has them.
    """
    from confiture_flows.migrations.edits import with_edits
    from confiture_flows.migrations.ledger import read_ledger
    from confiture_flows.migrations.plain import discover_for, make_plan
    from confiture_flows.migrations.validate import stop_at_gate, validate
    from confiture_flows.report.finding import Severity

    directory = discover_for(work.request(to), target)
    rows = read_ledger(conn, target.ledger)
    findings = validate(
        directory,
        rows,
        direction=direction,
        production=target.production,
        out_of_order=out_of_order or target.out_of_order,
    )
    findings = with_edits(conn, target.ledger, directory, findings)
    work.findings = findings
    stop_at_gate(findings, Severity.of(target.fail_on))
    return make_plan(directory, rows, direction, to), findings


def _run(work: Work, to: str | None, out_of_order: OutOfOrder | None, *, back: bool) -> Outcome:
    from confiture_flows.errors import GateError
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.migrations.report import plan_document, plan_json
    from confiture_flows.target import connect

    direction = Direction.DOWN if back else Direction.UP
    target = work.target()
    with connect(target, "plan") as conn:
        try:
            made, findings = planned(work, conn, target, direction, to, out_of_order)
        except GateError as error:
            return Outcome(findings=work.findings, error=error)
    return Outcome(plan_json(made), plan_document(made, target.name), findings)
