"""The stages as plain calls on one connection: the lifecycle without an orchestrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.errors import ApprovalError
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.approval import ApprovalRule
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.durability import read_lasting_ledger
from confiture_flows.migrations.edits import with_edits
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.lookout import another_connection
from confiture_flows.migrations.plan import Direction, Plan, plan_back, plan_forward
from confiture_flows.migrations.texts import Texts
from confiture_flows.migrations.validate import validate
from confiture_flows.migrations.verification import run_verification
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import Request, RunReport
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target


def discover_for(request: Request, target: Target) -> Directory:
    """Discover as a request says, with the target's values for placeholders."""
    return discover(
        request.directory,
        layout=request.layout,
        as_written=request.as_written,
        texts=Texts(target.placeholders, request.replaced, request.root),
    )


def make_plan(
    directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction, to: str | None
) -> Plan:
    """Plan in one direction.

    Raises:
        PlanError: There is no such plan.
        MigrationFileError: A script of the way back cannot be run; validation has read those of
            the way forward.
    """
    if direction is Direction.UP:
        return plan_forward(directory.migrations, rows, to)
    plan = plan_back(directory.migrations, rows, to)
    for step in plan.steps:
        step.script.batches()
    return plan


def applied_migrations(directory: Directory, rows: tuple[LedgerRow, ...]) -> tuple[Migration, ...]:
    """The migrations of a directory that ledger rows name, in the directory's order."""
    versions = {row.version for row in rows}
    return tuple(each for each in directory.migrations if each.version in versions)


@dataclass(frozen=True, slots=True)
class PlainStages:
    """Implements `Stages` with direct calls.

    Attributes:
        conn: In autocommit; used by all stages.
        target: Where `conn` leads.
        request: What to do.
        observer: Hears how the apply stage goes.
        publish: Gets the report.
        hooks: Called around each step.
        rehearsal: Dry-runs a plan on the connection; see `confiture_flows.dryrun.gate`.
        rule: When the plan has to be approved; None is as the target says.
    """

    conn: Connection
    target: Target
    request: Request
    observer: Observer
    publish: Callable[[RunReport], None]
    hooks: HookPoints = NO_HOOKS
    rehearsal: Callable[[Connection, Target, Plan], tuple[Finding, ...]] | None = None
    rule: ApprovalRule | None = None

    def discover(self) -> Directory:
        """Read the directory."""
        return discover_for(self.request, self.target)

    def read_ledger(self) -> tuple[LedgerRow, ...]:
        """Read what is applied."""
        if self.conn.closed or self.conn.broken:
            # Asked after a failure: what had been committed when the connection broke?
            with connect(self.target, "read ledger") as conn:
                return read_lasting_ledger(conn, self.target)
        return read_lasting_ledger(self.conn, self.target)

    def validate(
        self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction
    ) -> tuple[Finding, ...]:
        """Compare the two."""
        findings = validate(
            directory,
            rows,
            direction=direction,
            production=self.target.production,
            out_of_order=self.request.out_of_order or self.target.out_of_order,
        )
        findings = with_edits(self.conn, self.target.ledger, directory, findings)
        self.observer.found(findings)
        return findings

    def plan(self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction) -> Plan:
        """Decide what to do."""
        return make_plan(directory, rows, direction, self.request.to)

    def rehearse(self, plan: Plan) -> tuple[Finding, ...]:
        """Dry-run it, where the target says so."""
        target = self.request.applied_to(self.target)
        if target.dry_run == "off" or self.rehearsal is None:
            return ()
        return self.rehearsal(self.conn, target, plan)

    def approve(self, plan: Plan, findings: tuple[Finding, ...]) -> None:
        """Refuse what has to be approved: only a flow run can ask for that."""
        target = self.target
        rule = self.rule or ApprovalRule(target.approve)
        if rule.asks_of_run(target, self.request, findings):
            raise ApprovalError(
                f"{target.name} wants its plans approved ({rule.when}), which only a flow run can "
                "ask for.",
                next_step="Leave out --plain.",
            )

    def apply(self, plan: Plan) -> tuple[LedgerRow, ...]:
        """Do it."""
        return apply_plan(
            self.conn,
            plan,
            limits=self.target.limits,
            ledger=self.target.ledger,
            observer=self.observer,
            another=another_connection(self.target),
            single_transaction=self.request.single_transaction,
            flush=self.target.flush,
            hooks=self.hooks,
        )

    def take_back(
        self, directory: Directory, done: tuple[LedgerRow, ...], half_done: str | None
    ) -> tuple[LedgerRow, ...]:
        """Undo what the run has done, after it failed."""
        from confiture_flows.migrations.take_back import take_back

        with connect(self.target, "roll back") as conn:
            return take_back(
                conn,
                self.target,
                directory.migrations,
                done,
                half_done=half_done,
                another=another_connection(self.target),
            )

    def verify(self, directory: Directory, done: tuple[LedgerRow, ...]) -> tuple[Finding, ...]:
        """Check the migrations that were applied, as far as the target says."""
        if self.target.verify == "off":
            return ()
        history = directory.migrations if self.target.verify == "replay" else None
        checked = applied_migrations(directory, done)
        return run_verification(self.conn, self.target, checked, history=history).findings
