"""PlanReview: what is going to happen, what speaks against it, the way back; then a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from confiture_flows.errors import ConfigError
from confiture_flows.report.document import Document, Paragraph, Table
from confiture_flows.report.finding import Severity
from confiture_flows.wizard.chosen import (
    project_of,
    request_of,
    source_of,
    target_of,
    where_migrations_stand,
)
from confiture_flows.wizard.migrations_folder import DIRECTORY_KEY, ask_directory, shortly
from confiture_flows.wizard.prefect_profile import prefect_is_configured
from confiture_flows.wizard.prompts import Back, Choice, Leave, NeedsAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

    from confiture_flows.config import Project
    from confiture_flows.dryrun.report import DryRunReport
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_ALL = "all"
_LEDGER_TABLES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = %s AND (c.relname = %s OR c.relname LIKE %s)
"""


class PlanReview:
    """What is going to happen."""

    name: ClassVar[str] = "review"
    title: ClassVar[str] = "Review"
    keys: ClassVar[tuple[str, ...]] = (
        "review.replace",
        DIRECTORY_KEY,
        "review.to",
        "review.at_gate",
        "review.way",
        "review.confirm",
    )

    def skipped(self, state: WizardState) -> str | None:
        """Never."""
        return None

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """See `WizardStep`.

        Raises:
            GateError: Findings stop the run, and there is nobody to choose otherwise.
        """
        found: list[Finding] = []
        things: list[str] = []
        if state.copies:
            state = _with_ledger(screen, state)
            tables, more = _copy(screen, state)
            found += more
            things.append(f"copy {_count(tables, 'table')} of {state.source}")
            state = _replacing(screen, state)
        if state.migrates:
            state, steps, more = _migrations(screen, state)
            found += more
            if steps or not state.copies:
                things.append(f"apply {_count(steps, 'migration')}")
            if not steps and not state.copies:
                screen.say("There is nothing to apply; the next steps look at what is there.")
                return state
        _stop_at_gate(screen, state, found)
        state = _way(screen, state)
        said = " and ".join(things)  # with names, whose letters stay as they are
        message = f"{said[0].upper()}{said[1:]} to {state.target} now?"
        if not screen.prompter.confirm("review.confirm", message):
            raise Leave(state)
        return state


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _show(screen: Screen, document: Document, findings: tuple[Finding, ...] = ()) -> None:
    from confiture_flows.report.text import print_document, print_findings

    print_document(screen.console, document)
    if findings:
        print_findings(screen.console, findings)
    screen.say("")


# The copy


def _with_ledger(screen: Screen, state: WizardState) -> WizardState:
    """A copy of some tables that is to be migrated needs the ledger's, too."""
    if not state.migrates or state.tables is None:
        return state
    from confiture_flows.anonymization.proposal import pattern_of
    from confiture_flows.migrations.ledger import locate_ledger
    from confiture_flows.target import connect

    with connect(source_of(screen, state), "wizard") as conn:
        ledger = locate_ledger(conn, target_of(screen, state).ledger)
        like = ledger.name.replace("\\", r"\\").replace("_", r"\_").replace("%", r"\%")
        values = (ledger.schema, ledger.name, f"{like}\\_%")
        rows = conn.execute(_LEDGER_TABLES, values).fetchall()
    found = (pattern_of(*row) for row in rows)
    return state.but(tables=tuple(dict.fromkeys((*state.tables, *found))))


def _copy(screen: Screen, state: WizardState) -> tuple[int, tuple[Finding, ...]]:
    from confiture_flows.anonymization.outlook import plan_document
    from confiture_flows.anonymization.prepare import prepared
    from confiture_flows.wizard.masked_samples import preview_secret

    project, target = project_of(screen, state), target_of(screen, state)
    secret, for_now = preview_secret(project)
    screen.say("Planning the copy, and trying its rules on some rows ...", "dim")
    with prepared(project, source_of(screen, state), target, secret) as (_, planned):
        plan = planned.plan
    gate = Severity.of(target.fail_on)
    source = source_of(screen, state).name
    _show(screen, plan_document(plan, source, target.name, gate=gate, findings=False))
    _show_findings(screen, plan.findings)
    if for_now and project.anonymization.secret_block is None:
        screen.say("The rules were tried with a secret made for now; the copy needs its own.")
    return sum(each.copied for each in plan.tables), plan.findings


def _show_findings(screen: Screen, findings: tuple[Finding, ...]) -> None:
    if findings:
        from confiture_flows.report.text import print_findings

        print_findings(screen.console, findings)
        screen.say("")


def _replacing(screen: Screen, state: WizardState) -> WizardState:
    """Ask before a target is replaced that no copy has made."""
    from confiture_flows.anonymization.copying.refusals import foreign_tables
    from confiture_flows.wizard.trial import try_database

    target = target_of(screen, state)
    if try_database(target, may_be_missing=True).missing:
        return state.but(replace=False)
    number = foreign_tables(target)
    if not number:
        return state.but(replace=False)
    screen.say(
        f"{target.name} holds {_count(number, 'table')} that no earlier copy has made. The copy "
        "takes its name, and what is there now is dropped.",
        "yellow",
    )
    if not screen.prompter.confirm("review.replace", f"Replace {target.name}?", False):
        if not screen.attended:
            raise ConfigError(
                f"{target.name} is not replaced, so nothing was copied.",
                next_step="Let the answers say replace = true in [review], or choose a target "
                "that an earlier copy has made or that is not there yet.",
            )
        raise Back(state)
    return state.but(replace=True)


# The migrations


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of the database that says what is pending."""

    conn: Connection
    target: Target
    directory: Directory
    rows: tuple[LedgerRow, ...]


def _migrations(screen: Screen, state: WizardState) -> tuple[WizardState, int, tuple[Finding, ...]]:
    from confiture_flows.migrations.ledger import read_ledger
    from confiture_flows.migrations.plain import discover_for, make_plan
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.migrations.report import plan_document
    from confiture_flows.target import connect

    state = ask_directory(screen, state) or state
    project, target = project_of(screen, state), where_migrations_stand(screen, state)
    directory = discover_for(request_of(project, state), target)
    with connect(target, "wizard") as conn:
        read = _Read(conn, target, directory, read_ledger(conn, target.ledger))
        findings = _validated(read)
        plan = make_plan(directory, read.rows, Direction.UP, None)
        _show(screen, plan_document(plan, target.name), findings)
        if not plan.steps:
            return state, 0, findings
        state = _how_far(screen, state, plan)
        if state.to is not None:
            plan = make_plan(directory, read.rows, Direction.UP, state.to)
        findings += _lint(screen, project, read)
        report = _dry_run(screen, conn, plan, target)
    _show(screen, _ways_back(plan, report))
    return state, len(plan.steps), (*findings, *(report.findings if report else ()))


def _how_far(screen: Screen, state: WizardState, plan: Plan) -> WizardState:
    """Ask for the last version to apply, where there are several."""
    found = [step.migration for step in plan.steps if not step.migration.repeatable]
    if len(found) < 2:
        return state.but(to=None)
    last = found[-1].version
    choices = [Choice(_ALL, f"All of them, to {last}")]
    choices += [
        Choice(each.version, f"To {each.version}", f"{each.shown_name}, {number} of {len(found)}")
        for number, each in enumerate(found[:-1], 1)
    ]
    known = any(each.value == state.to for each in choices)
    default = state.to if known else _ALL
    to = screen.prompter.select("review.to", "How far?", choices, default)
    screen.say("")
    return state.but(to=None if to == _ALL else to)


def _validated(read: _Read) -> tuple[Finding, ...]:
    from confiture_flows.migrations.edits import with_edits
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.migrations.validate import validate

    findings = validate(
        read.directory,
        read.rows,
        direction=Direction.UP,
        production=read.target.production,
        out_of_order=read.target.out_of_order,
    )
    return with_edits(read.conn, read.target.ledger, read.directory, findings)


def _lint(screen: Screen, project: Project, read: _Read) -> tuple[Finding, ...]:
    """What lint says; it stops a run only where the project says so (lint.gate)."""
    from confiture_flows.lint.pending import lint_pending

    report = lint_pending(
        read.conn,
        project,
        read.directory,
        read.rows,
        target=read.target,
        history=False,  # which validation has told
    )
    _show(screen, report.document(shortly(read.directory.path)))
    return report.plain if project.lint.gate else ()


def _dry_run(screen: Screen, conn: Connection, plan: Plan, target: Target) -> DryRunReport | None:
    from confiture_flows.dryrun.document import dry_run_document
    from confiture_flows.dryrun.dry_run import dry_run

    if target.dry_run == "off":
        screen.say("No dry run: the rules of this run leave it out (dry_run = off).\n", "dim")
        return None
    if target.dry_run == "scratch":
        screen.say("Running it in a scratch database ...", "dim")
    report = dry_run(conn, plan, target=target, on=target.dry_run)
    document = dry_run_document(report, findings=False)  # which says what is unknown
    _show(screen, document, tuple(f for f in report.findings if f.code != "rehearsal.unknown"))
    if report.error:
        raise report.error
    return report


def _ways_back(plan: Plan, report: DryRunReport | None) -> Document:
    """Which migrations can be undone, and how that is known."""
    proofs = {each.version: each.proof for each in report.migrations} if report else {}
    rows: list[tuple[str, str, str]] = []
    stuck: list[str] = []
    for step in reversed(plan.steps):
        migration, proof = step.migration, proofs.get(step.migration.version)
        if migration.repeatable:
            way = "stays: it is repeatable"
        elif migration.down is None:
            way = "none: it has no down script"
            stuck.append(migration.version)
        else:
            way = f"its down script ({proof.verdict if proof else 'not tried'})"
        rows.append((migration.version, migration.shown_name, way))
    said = (
        f"{', '.join(stuck)} cannot be undone: once it is applied, this run cannot be rolled back."
        if stuck
        else "All of it can be rolled back."
    )
    table = Table(("version", "name", "way back"), tuple(rows))
    return Document("Rollback plan", (table, Paragraph(said, "plain" if stuck else "good")))


# The end


def _stop_at_gate(screen: Screen, state: WizardState, findings: Iterable[Finding]) -> None:
    """Refuse what the run would refuse.

    Raises:
        Back: To change it.
        Leave: To mend it.
        GateError: There is nobody to choose.
    """
    from confiture_flows.errors import GateError
    from confiture_flows.migrations.validate import stop_at_gate

    gate = Severity.of(target_of(screen, state).fail_on)
    try:
        stop_at_gate(tuple(findings), gate)
    except GateError as error:
        screen.say(f"Findings at the gate ({gate.label}) would stop this run.", "bold red")
        choices = (
            Choice("leave", "Leave, mend them, and resume"),
            Choice("back", "Go back, and choose otherwise"),
        )
        try:
            answer = screen.prompter.select("review.at_gate", "What now?", choices)
        except NeedsAnswer:
            raise error from None
        if answer == "back" and not screen.attended:
            raise error from None
        raise (Back if answer == "back" else Leave)(state) from None


def _way(screen: Screen, state: WizardState) -> WizardState:
    """As a flow run, or plainly."""
    if screen.offline:
        return state.but(plain=True)
    known = prefect_is_configured()
    note = "" if known else "starts a Prefect server for this run, which takes some seconds"
    choices = (
        Choice("flow", "As a Prefect flow run", note),
        Choice("plain", "Plainly, in this process", "nothing of it is on a Prefect server"),
    )
    default = "plain" if state.plain or not known else "flow"
    return state.but(
        plain=screen.prompter.select("review.way", "How does it run?", choices, default) == "plain"
    )
