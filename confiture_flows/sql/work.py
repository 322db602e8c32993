"""Operation -> what PostgreSQL locks and does for it. Pure: nothing but the statement is known.

Source: PostgreSQL docs, Explicit Locking; ALTER TABLE, Notes; and AlterTableGetLockLevel in the
server's source. tests/integration/test_work.py asks a server for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind, ConstraintSpec, LockMode, ObjectName
from confiture_flows.sql.value import value
from confiture_flows.sql.volatility import is_volatile

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCESS_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_UPDATE = LockMode.SHARE_UPDATE_EXCLUSIVE
_SHARE_ROW = LockMode.SHARE_ROW_EXCLUSIVE


@value()
class TableLock:
    """A lock that is taken.

    Attributes:
        mode: Its mode.
        name: What it is taken on.
        object_kind: What the name is: "table" (a view or the like counts as one), "index", or
            "table of" an index or constraint, whose own name is not in the statement.
    """

    mode: LockMode
    name: ObjectName
    object_kind: str = "table"


@value()
class TableWork:
    """What PostgreSQL does for an operation.

    Attributes:
        locks: Held until the transaction ends. None on objects that the operation itself makes.
        rewrites: Whether the whole table is written anew under the lock; None where that depends
            on what the statement does not tell, such as a column's old type.
        scans: Whether the whole table is read under the lock, or None.
        builds_index: Whether an index is built under the lock, or None.
        since: The first major version that does it so; older ones do more or do not know it.
        note: What else somebody should know.
    """

    locks: tuple[TableLock, ...] = ()
    rewrites: bool | None = False
    scans: bool | None = False
    builds_index: bool | None = False
    since: int | None = None
    note: str = ""

    @property
    def strongest(self) -> LockMode | None:
        """The mode of the strongest lock."""
        return max((each.mode for each in self.locks), key=lambda mode: mode.strength, default=None)


def work_of(operation: op.Operation) -> TableWork:
    """What PostgreSQL does for an operation."""
    judge = _JUDGES.get(type(operation))
    return judge(operation) if judge else TableWork()


def _on(mode: LockMode, *names: ObjectName | None) -> tuple[TableLock, ...]:
    return tuple(TableLock(mode, name) for name in names if name)


def _create_table(said: op.CreateTable) -> TableWork:
    referenced = (each.references for each in said.all_constraints if each.references != said.table)
    return TableWork(
        (
            *_on(_ACCESS_EXCLUSIVE, said.partition_of),
            *_on(_SHARE_UPDATE, *said.inherits),
            *_on(_SHARE_ROW, *dict.fromkeys(referenced)),
            *_on(LockMode.ACCESS_SHARE, *said.like, *said.reads),
        )
    )


def _add_column(said: op.AddColumn) -> TableWork:
    column = said.column
    locks = _on(_ACCESS_EXCLUSIVE, said.table)
    referenced = (each.references for each in column.constraints if each.references != said.table)
    locks += _on(_SHARE_ROW, *referenced)
    builds = any(_has_index(each) for each in column.constraints)
    checked = any(each.kind is ConstraintKind.CHECK and each.valid for each in column.constraints)
    default = column.default
    if column.generated == "stored" or column.identity or column.type.serial:
        return TableWork(locks, rewrites=True, builds_index=builds, scans=True)
    volatile = is_volatile(default) if default else False
    known = column.type.builtin or column.type.array
    # A type of somebody's own may be a domain with constraints, which rewrites.
    rewrites = volatile if known or volatile else None
    validates = default is not None and any(each.references for each in column.constraints)
    scans = bool(rewrites) or checked or validates or (column.not_null and default is None)
    note = "Before PostgreSQL 11 a default rewrites the table." if default else ""
    return TableWork(locks, rewrites, scans, builds, 11 if default else None, note)


def _has_index(constraint: ConstraintSpec) -> bool:
    kinds = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUSION)
    return constraint.kind in kinds and not constraint.using_index


def _add_constraint(said: op.AddConstraint) -> TableWork:
    constraint = said.constraint
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        locks = _on(_SHARE_ROW, *dict.fromkeys((said.table, constraint.references)))
        return TableWork(locks, scans=constraint.valid and constraint.enforced)
    locks = _on(_ACCESS_EXCLUSIVE, said.table)
    if _has_index(constraint):
        return TableWork(locks, builds_index=True, scans=True)
    if constraint.using_index:
        # A primary key demands NOT NULL of its columns, and looks for NULLs where it is not said.
        primary = constraint.kind is ConstraintKind.PRIMARY_KEY
        return TableWork(locks, scans=None if primary else False)
    since = 18 if constraint.kind is ConstraintKind.NOT_NULL else None
    return TableWork(locks, scans=constraint.valid and constraint.enforced, since=since)


def _alter_constraint(said: op.AlterConstraint) -> TableWork:
    if said.change == "validate":
        note = "A foreign key also takes ROW SHARE on the table that it points to."
        return TableWork(_on(_SHARE_UPDATE, said.table), scans=True, note=note)
    note = "Of a foreign key, also on the table that it points to."
    return TableWork(_on(_ACCESS_EXCLUSIVE, said.table), note=note if said.change == "drop" else "")


def _column_type(said: op.AlterColumnType) -> TableWork:
    note = "Nothing is rewritten where the new type reads the old one's values as they are."
    locks = _on(_ACCESS_EXCLUSIVE, said.table)
    return TableWork(locks, rewrites=None, scans=None, builds_index=None, note=note)


_GENTLE_COLUMN_CHANGES = {"set statistics", "set options"}


def _alter_column(said: op.AlterColumn) -> TableWork:
    gentle = said.change in _GENTLE_COLUMN_CHANGES
    locks = _on(_SHARE_UPDATE if gentle else _ACCESS_EXCLUSIVE, said.table)
    if said.change == "set not null":
        note = "A valid CHECK that says so spares the scan, since PostgreSQL 12."
        return TableWork(locks, scans=True, since=12, note=note)
    return TableWork(locks, rewrites=said.change == "set expression")


def _partition(said: op.ChangePartition) -> TableWork:
    if said.change == "attach":
        note = "A valid CHECK with the bounds spares the scan. A default partition is locked too."
        locks = (*_on(_SHARE_UPDATE, said.table), *_on(_ACCESS_EXCLUSIVE, said.partition))
        return TableWork(locks, scans=True, builds_index=None, since=12, note=note)
    if said.concurrently or said.change == "finalize detach":
        locks = (*_on(_SHARE_UPDATE, said.table), *_on(_ACCESS_EXCLUSIVE, said.partition))
        return TableWork(locks, since=14)
    return TableWork(_on(_ACCESS_EXCLUSIVE, said.table, said.partition))


_ALTER_TABLE = {
    "cluster on": _SHARE_UPDATE,
    "set without cluster": _SHARE_UPDATE,
    "enable trigger": _SHARE_ROW,
    "disable trigger": _SHARE_ROW,
}
# Storage parameters that readers have to see at once; all others take the weaker lock.
_EXCLUSIVE_OPTIONS = {"user_catalog_table", "security_barrier", "security_invoker", "check_option"}
_REWRITES = {"set logged", "set unlogged", "set access method", "set tablespace"}


def _alter_table(said: op.AlterTable) -> TableWork:
    mode = _ALTER_TABLE.get(said.change, _ACCESS_EXCLUSIVE)
    if said.change in ("set options", "reset options") and said.object_kind != "foreign table":
        strict = said.object_kind == "view" or _EXCLUSIVE_OPTIONS & set(said.subject)
        mode = _ACCESS_EXCLUSIVE if strict else _SHARE_UPDATE
    kind = "index" if said.object_kind == "index" else "table"
    locks = (TableLock(mode, said.table, kind),)
    if said.change == "inherit" and said.subject:
        schema, _, name = said.subject[0].rpartition(".")
        locks += _on(_SHARE_UPDATE, ObjectName(schema, name))
    return TableWork(locks, rewrites=said.change in _REWRITES)


def _create_index(said: op.CreateIndex) -> TableWork:
    mode = _SHARE_UPDATE if said.concurrently else LockMode.SHARE
    return TableWork(_on(mode, said.table), scans=True, builds_index=True)


def _create_trigger(said: op.CreateTrigger) -> TableWork:
    return TableWork(_on(_SHARE_ROW, said.table, said.other_table))


def _policy(said: op.WritePolicy) -> TableWork:
    return TableWork(_on(_ACCESS_EXCLUSIVE, said.table))


def _modify(said: op.ModifyData) -> TableWork:
    mode = LockMode.ACCESS_SHARE if said.command == "copy to" else LockMode.ROW_EXCLUSIVE
    whole = said.command in ("update", "delete") and not said.filtered
    locks = (*_on(mode, said.table), *_on(LockMode.ACCESS_SHARE, *said.reads))
    return TableWork(locks, scans=True if whole else None if said.command != "insert" else False)


def _truncate(said: op.Truncate) -> TableWork:
    note = "CASCADE also empties the tables that point to it." if said.cascade else ""
    return TableWork(_on(_ACCESS_EXCLUSIVE, *said.tables), note=note)


def _lock(said: op.LockTable) -> TableWork:
    return TableWork(_on(said.mode, *said.tables))


def _query(said: op.Query) -> TableWork:
    mode = LockMode.ROW_SHARE if said.locks_rows else LockMode.ACCESS_SHARE
    return TableWork(_on(mode, *said.reads), scans=None if said.reads else False)


def _maintain(said: op.Maintain) -> TableWork:
    match said.command:
        case "vacuum full" | "cluster":
            locks = _on(_ACCESS_EXCLUSIVE, *said.names)
            return TableWork(locks, rewrites=True, scans=True, builds_index=True)
        case "refresh":
            mode = LockMode.EXCLUSIVE if said.concurrently else _ACCESS_EXCLUSIVE
            full = said.with_data and not said.concurrently
            return TableWork(_on(mode, *said.names), rewrites=full, builds_index=full)
        case "reindex" if said.object_kind == "index":
            mode = _SHARE_UPDATE if said.concurrently else _ACCESS_EXCLUSIVE
            weaker = _SHARE_UPDATE if said.concurrently else LockMode.SHARE
            locks = tuple(TableLock(mode, each, "index") for each in said.names)
            locks += tuple(TableLock(weaker, each, "table of") for each in said.names)
            return TableWork(locks, scans=True, builds_index=True)
        case "reindex":
            mode = _SHARE_UPDATE if said.concurrently else LockMode.SHARE
            names = said.names if said.object_kind == "table" else ()
            note = "" if said.concurrently else "Its indexes are locked ACCESS EXCLUSIVE."
            return TableWork(_on(mode, *names), scans=True, builds_index=True, note=note)
        case _:
            return TableWork(_on(_SHARE_UPDATE, *said.names))


def _create_view(said: op.CreateView) -> TableWork:
    replaced = _on(_ACCESS_EXCLUSIVE, said.view) if said.replace else ()
    return TableWork((*replaced, *_on(LockMode.ACCESS_SHARE, *said.reads)))


_RELATIONS = {"table", "view", "materialized view", "foreign table", "sequence"}


def _rename(said: op.RenameObject) -> TableWork:
    if said.object_kind == "index":
        lock = TableLock(_SHARE_UPDATE, said.name, "index")
        return TableWork(
            (lock,), since=12, note="Before PostgreSQL 12 the lock is ACCESS EXCLUSIVE."
        )
    on_relation = {"column", "constraint", "trigger", "policy", "rule"} | _RELATIONS
    return TableWork(_on(_ACCESS_EXCLUSIVE, said.name) if said.object_kind in on_relation else ())


def _alter_object(said: op.AlterObject) -> TableWork:
    if said.change == "comment":
        table = said.table if said.object_kind != "constraint" else None
        of = table or (said.name if said.object_kind in _RELATIONS else None)
        return TableWork(_on(_SHARE_UPDATE, of))
    return TableWork(_on(_ACCESS_EXCLUSIVE, said.name) if said.object_kind in _RELATIONS else ())


def _drop(said: op.DropObject) -> TableWork:
    if said.object_kind == "index":
        mode = _SHARE_UPDATE if said.concurrently else _ACCESS_EXCLUSIVE
        both = ("index", "table of")
        return TableWork(tuple(TableLock(mode, said.name, each) for each in both))
    if said.object_kind in _RELATIONS:
        note = "Also on each table that its foreign keys point to."
        return TableWork(_on(_ACCESS_EXCLUSIVE, said.name), note=note)
    return TableWork(_on(_ACCESS_EXCLUSIVE, said.table))


def _create_object(said: op.CreateObject) -> TableWork:
    modes = {"rule": _ACCESS_EXCLUSIVE, "statistics": _SHARE_UPDATE, "publication": _SHARE_UPDATE}
    mode = modes.get(said.object_kind)
    return TableWork(_on(mode, *said.tables) if mode else ())


def _sequence(said: op.WriteSequence) -> TableWork:
    return TableWork(_on(_SHARE_ROW, said.name) if said.alter else ())


def _drop_column(said: op.DropColumn) -> TableWork:
    return TableWork(_on(_ACCESS_EXCLUSIVE, said.table))


# Each judge is asked only for operations of its own class.
_JUDGES: dict[type[op.Operation], Callable[..., TableWork]] = {
    op.AddColumn: _add_column,
    op.AddConstraint: _add_constraint,
    op.AlterColumn: _alter_column,
    op.AlterColumnType: _column_type,
    op.AlterConstraint: _alter_constraint,
    op.AlterObject: _alter_object,
    op.AlterTable: _alter_table,
    op.ChangePartition: _partition,
    op.CreateIndex: _create_index,
    op.CreateObject: _create_object,
    op.CreateTable: _create_table,
    op.CreateTrigger: _create_trigger,
    op.CreateView: _create_view,
    op.DropColumn: _drop_column,
    op.DropObject: _drop,
    op.LockTable: _lock,
    op.Maintain: _maintain,
    op.ModifyData: _modify,
    op.Query: _query,
    op.RenameObject: _rename,
    op.Truncate: _truncate,
    op.WritePolicy: _policy,
    op.WriteSequence: _sequence,
}
