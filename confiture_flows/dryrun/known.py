"""A statement -> what PostgreSQL is known to lock and do for it, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.dryrun.report import LockTaken, StatementImpact
from confiture_flows.sql.operations import operations_of
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confiture_flows.dryrun.probe import Relation
    from confiture_flows.sql.parts import LockMode, ObjectName
    from confiture_flows.sql.statements import Statement
    from confiture_flows.sql.work import TableLock


def documented_work(
    statement: Statement, relations: Mapping[int, Relation], made: frozenset[str] = frozenset()
) -> StatementImpact:
    """What is known of a statement by its words alone.

    Args:
        statement: The statement.
        relations: What is there, by number.
        made: Names of tables that the plan itself makes before: they are new to everybody.
    """
    by_name = _by_name(relations.values())
    locks: dict[tuple[LockMode, str], LockTaken] = {}
    rewrites: list[str] = []
    indexes: list[tuple[str, str]] = []
    scans: list[str] = []
    notes: list[str] = []
    for operation in operations_of(statement.sql):
        work = work_of(operation)
        notes += [work.note.rstrip(".")] if work.note and work.since is None else []
        for lock in work.locks:
            taken = _taken(lock, by_name, relations, made)
            if taken:
                locks.setdefault((taken.mode, taken.relation), taken)
        strongest = max(work.locks, key=lambda lock: lock.mode.strength, default=None)
        taken = _taken(strongest, by_name, relations, made) if strongest else None
        if taken is None or not taken.existed:
            continue
        rewrites += [taken.relation] if work.rewrites else []
        indexes += [("", taken.relation)] if work.builds_index else []
        scans += [taken.relation] if work.scans else []
        notes += [
            f"whether {what} depends on more than the statement"
            for what, answer in (
                ("it rewrites the table", work.rewrites),
                ("it reads the whole table", work.scans),
            )
            if answer is None
        ]
    return StatementImpact(
        statement.number,
        statement.line,
        statement.file,
        statement.excerpt,
        statement.kind,
        locks=tuple(locks.values()),
        rewrites=tuple(dict.fromkeys(rewrites)),
        indexes=tuple(dict.fromkeys(indexes)),
        scans=tuple(dict.fromkeys(scans)),
        note="; ".join(dict.fromkeys(notes)),
    )


def tables_named(statement: Statement) -> tuple[ObjectName, ...]:
    """The tables that a statement locks, as it names them."""
    found = (
        lock.name for operation in operations_of(statement.sql) for lock in work_of(operation).locks
    )
    return tuple(dict.fromkeys(found))


def _by_name(relations: Iterable[Relation]) -> dict[tuple[str, str], Relation]:
    """By schema and name; by name alone where one schema has it, which is how most are written."""
    found: dict[tuple[str, str], Relation] = {}
    for relation in relations:
        schema, _, name = relation.name.partition(".")
        found[schema.strip('"'), name.strip('"')] = relation
        found.setdefault(("", name.strip('"')), relation)
    return found


def _taken(
    lock: TableLock,
    by_name: Mapping[tuple[str, str], Relation],
    relations: Mapping[int, Relation],
    made: frozenset[str],
) -> LockTaken | None:
    relation = by_name.get((lock.name.schema, lock.name.name))
    if lock.object_kind == "table of":
        table = relations.get(relation.table or 0) if relation else None
        return LockTaken(lock.mode, table.name, table.kind, True, False) if table else None
    if relation is None:
        return LockTaken(lock.mode, str(lock.name), lock.object_kind, False, False)
    existed = relation.name not in made and str(lock.name) not in made
    return LockTaken(lock.mode, relation.name, relation.kind, existed, False)
