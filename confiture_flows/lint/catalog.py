"""What a history has made so far, as abstract tables, indexes and the like. Pure values."""

from __future__ import annotations

from dataclasses import field

from confiture_flows.sql.parts import (
    ColumnSpec,
    ConstraintKind,
    ConstraintSpec,
    IndexColumn,
    ObjectName,
    TypeName,
)
from confiture_flows.sql.value import value


@value()
class KnownIndex:
    """An index of a table.

    Attributes:
        name: Its name, in the schema of its table.
        columns: Its parts in order.
        unique: Whether it allows no value twice.
        partial: The condition, for an index of some rows.
        include: Columns that it holds besides.
        method: Such as "btree".
        constraint: Whether it belongs to a constraint of the same name.
        condition: The columns that `partial` reads.
    """

    name: str
    columns: tuple[IndexColumn, ...]
    unique: bool = False
    partial: str = ""
    include: tuple[str, ...] = ()
    method: str = "btree"
    constraint: bool = False
    condition: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns; "" stands for an expression."""
        return tuple(each.name for each in self.columns)


@value()
class KnownPolicy:
    """A row security policy, and what its conditions read and call."""

    name: str
    roles: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    reads: tuple[ObjectName, ...] = ()
    functions: tuple[str, ...] = ()


@value()
class KnownTable:
    """A table, as far as the history tells.

    Attributes:
        name: With its schema.
        columns: By name, in order.
        constraints: By name.
        indexes: By name.
        persistence: "permanent", "unlogged" or "temporary".
        partition_of: The table that it is a partition of.
        partitioned: "", "list", "range" or "hash".
        partition_key: The columns by which it is partitioned; "" stands for an expression.
        made_in: The migration that created it.
        complete: Whether all columns are known: not of a table made by a query, or like another.
        row_security: Whether it is on.
        policies: By name.
        granted: Whether rights on it were given to anybody.
        triggers: The function that each carries out.
    """

    name: ObjectName
    columns: dict[str, ColumnSpec] = field(default_factory=dict)
    constraints: dict[str, ConstraintSpec] = field(default_factory=dict)
    indexes: dict[str, KnownIndex] = field(default_factory=dict)
    persistence: str = "permanent"
    partition_of: ObjectName | None = None
    partitioned: str = ""
    partition_key: tuple[str, ...] = ()
    made_in: str = ""
    complete: bool = True
    row_security: bool = False
    policies: dict[str, KnownPolicy] = field(default_factory=dict)
    granted: bool = False
    triggers: dict[str, ObjectName] = field(default_factory=dict)

    @property
    def primary_key(self) -> ConstraintSpec | None:
        """Its primary key."""
        kind = ConstraintKind.PRIMARY_KEY
        return next((each for each in self.constraints.values() if each.kind is kind), None)

    @property
    def foreign_keys(self) -> tuple[ConstraintSpec, ...]:
        """Its foreign keys."""
        kind = ConstraintKind.FOREIGN_KEY
        return tuple(each for each in self.constraints.values() if each.kind is kind)

    def never_null(self, column: str) -> bool:
        """Whether a valid check, or NOT NULL, keeps a column from being null."""
        known = self.columns.get(column)
        if known and known.not_null:
            return True
        return any(
            each.valid and each.expression and column in each.expression.never_null
            for each in self.constraints.values()
        )

    def index_for(self, columns: tuple[str, ...]) -> KnownIndex | None:
        """An index that starts with these columns, in any order, and holds all rows."""
        count = len(columns)
        for index in self.indexes.values():
            whole = not index.partial or "IS NOT NULL" in index.partial
            fits = index.method == "btree" or (index.method == "hash" and count == 1)
            if fits and whole and set(index.names[:count]) == set(columns):
                return index
        return None


@value()
class KnownView:
    """A view, what it reads and calls, and the migration that created it."""

    name: ObjectName
    reads: tuple[ObjectName, ...] = ()
    columns: frozenset[tuple[ObjectName, str]] = frozenset()
    functions: tuple[str, ...] = ()
    materialized: bool = False
    indexes: dict[str, KnownIndex] = field(default_factory=dict)
    made_in: str = ""


@value()
class KnownFunction:
    """A function or procedure.

    Attributes:
        name: With its schema.
        arguments: The types of what goes in.
        returns: The type of what comes out.
        body: Its text.
        sets: The settings that it fixes.
        touches: The tables that the statements of its body read and write.
    """

    name: ObjectName
    arguments: tuple[TypeName, ...] = ()
    returns: TypeName | None = None
    body: str = ""
    sets: tuple[str, ...] = ()
    touches: frozenset[ObjectName] = frozenset()


@value()
class KnownType:
    """An enum, with its values, or a domain, with its constraints, or another type."""

    name: ObjectName
    kind: str
    values: tuple[str, ...] = ()
    base: TypeName | None = None
    constrained: bool = False
