"""Rules + the source's catalog -> CopyPlan, with all that speaks against it. Only reads.

Nothing is written but files with the keys of a subset, into the folder that the caller gives. What
only values can tell is tried by trial.py; what is wrong is collected, so that it can be mended in
one go, and `stop_if_refused` makes one error of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.anonymization.assignment import assign_rules
from confiture_flows.anonymization.checks import (
    MaskedTable,
    check_access,
    check_foreign_key,
    make_strategies,
    unknown_needs,
)
from confiture_flows.anonymization.ordering import connected, groups_in_order
from confiture_flows.anonymization.personal import personal_findings
from confiture_flows.anonymization.plan import CopyPlan, PlannedColumn, PlannedTable
from confiture_flows.anonymization.selection import select_rows
from confiture_flows.anonymization.source import read_source
from confiture_flows.anonymization.subset import find_subset, write_keys
from confiture_flows.anonymization.uncovered import DEFAULT_SAMPLES, find_uncovered
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from psycopg import Connection

    from confiture_flows.anonymization.assignment import Assignment
    from confiture_flows.anonymization.factory import StrategyFactory
    from confiture_flows.anonymization.ordering import Family
    from confiture_flows.anonymization.rules import Rules
    from confiture_flows.anonymization.selection import Selection
    from confiture_flows.anonymization.source import SourceCatalog, SourceTable
    from confiture_flows.anonymization.subset import Values


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made of.

    Attributes:
        plan: What is copied.
        source: What there is.
        tables: Those whose rows are copied, with their strategies.
    """

    plan: CopyPlan
    source: SourceCatalog
    tables: tuple[MaskedTable, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a person should know."""
        return self.plan.findings

    def with_findings(self, findings: tuple[Finding, ...]) -> Planned:
        """The same, and more findings."""
        plan = replace(self.plan, findings=(*self.plan.findings, *findings))
        return replace(self, plan=plan)


def plan_copy(
    conn: Connection,
    rules: Rules,
    factory: StrategyFactory,
    folder: Path,
    samples: int = DEFAULT_SAMPLES,
) -> Planned:
    """Decide what is copied and what becomes of it.

    Args:
        conn: The source, in autocommit; a standby will do.
        rules: What the configuration says.
        factory: Makes the strategies, with the secret.
        folder: Where the keys of a subset are written.
        samples: How many rows of each table are looked at for what is personal in columns without
            a rule; 0 judges by names alone.

    Raises:
        ConfigError: A detector of another package cannot be used.
    """
    with _one_snapshot(conn):
        source = read_source(conn)
        assignment = assign_rules(rules, source)
        inside = _inside_subset(rules, source)
        selection = select_rows(conn, rules, source, assignment.rules, inside)
        keys: dict[SourceTable, set[Values]] = {}
        more: tuple[Finding, ...] = ()
        if inside:
            keys, more = find_subset(conn, rules, source, selection)
            _leave_out_unreached(selection, source, inside, keys)
    masked, wrong = _strategies(source, selection, assignment, factory)
    bare = find_uncovered(conn, rules, source, masked, samples)
    findings = (
        *assignment.findings,
        *selection.findings,
        *more,
        *wrong,
        *personal_findings(rules, masked, bare.detections, factory.registry),
        *bare.unread,
        *_unmeasured(source),
    )
    tables = _planned_tables(source, selection, assignment, keys, folder)
    plan = CopyPlan(tables, source.left_out, tuple(sorted(findings, key=lambda f: -f.severity)))
    return Planned(plan, source, masked)


def _unmeasured(source: SourceCatalog) -> tuple[Finding, ...]:
    """The tables that another session kept locked while the plan was made."""
    return tuple(
        Finding(
            "source.locked",
            Severity.WARNING,
            f"{schema}.{name} is locked by another session: its size is unknown, and its rows "
            "cannot be read yet.",
            "Begin when that session is done: select * from pg_locks.",
        )
        for schema, name in sorted(source.locked)
    )


@contextmanager
def _one_snapshot(conn: Connection) -> Iterator[None]:
    """A transaction that sees one state and writes nothing."""
    from psycopg import IsolationLevel

    before = (conn.isolation_level, conn.read_only)
    conn.isolation_level, conn.read_only = IsolationLevel.REPEATABLE_READ, True
    try:
        with conn.transaction():
            yield
    finally:
        if not conn.closed:
            conn.isolation_level, conn.read_only = before


def _inside_subset(rules: Rules, source: SourceCatalog) -> frozenset[Family]:
    """The tables that foreign keys tie to those of the seeds."""
    seeds = {
        table.family
        for table in source.tables
        for seed in rules.subset
        if any(seed.pattern.matches(*name) for name in table.names)
    }
    return connected(source, seeds) if seeds else frozenset()


def _leave_out_unreached(
    selection: Selection,
    source: SourceCatalog,
    inside: frozenset[Family],
    keys: Mapping[SourceTable, set[Values]],
) -> None:
    for table in source.tables:
        if table.family in inside and table not in keys:
            selection.empty.add(table)
    whole = [str(table) for table in source.tables if table.family not in inside]
    if whole:
        selection.findings.append(
            Finding(
                "subset.not_reached",
                Severity.INFO,
                f"No foreign key ties these tables to the subset, which says nothing of them: "
                f"{', '.join(whole)}.",
            )
        )


def _strategies(
    source: SourceCatalog, selection: Selection, assignment: Assignment, factory: StrategyFactory
) -> tuple[tuple[MaskedTable, ...], tuple[Finding, ...]]:
    made: list[MaskedTable] = []
    findings: dict[Finding, None] = {}
    for table in source.tables:
        if table in selection.empty:
            continue
        masked, wrong = make_strategies(table, assignment.rules, factory)
        made.append(masked)
        findings |= dict.fromkeys((*wrong, *unknown_needs(masked), *check_access(table)))
        for key in source.foreign_keys:
            if key.table in table.names:
                findings |= dict.fromkeys(check_foreign_key(key, masked.strategies))
    return tuple(made), tuple(findings)


def _planned_tables(
    source: SourceCatalog,
    selection: Selection,
    assignment: Assignment,
    keys: Mapping[SourceTable, set[Values]],
    folder: Path,
) -> tuple[PlannedTable, ...]:
    place = {
        family: number for number, group in enumerate(groups_in_order(source)) for family in group
    }
    planned: list[PlannedTable] = []
    for number, table in enumerate(sorted(source.tables, key=lambda each: place[each.family])):
        file = None
        if table in keys:
            file = folder / f"{number:04}.keys"
            write_keys(file, keys[table])
        planned.append(_planned(table, selection, assignment, file, keys.get(table)))
    return tuple(planned)


def _planned(
    table: SourceTable,
    selection: Selection,
    assignment: Assignment,
    file: Path | None,
    keys: set[Values] | None,
) -> PlannedTable:
    return PlannedTable(
        table.schema,
        table.name,
        tuple(
            PlannedColumn(
                each.column,
                assignment.rules.get(each.column),
                each.written,
                each.always_identity,
            )
            for each in table.columns
        ),
        copied=table not in selection.empty,
        # The keys are what the conditions have left.
        where=() if file else selection.where.get(table, ()),
        keys=file,
        primary_key=table.row_key,
        rows=table.rows if keys is None else len(keys),
        size=table.size,
    )
