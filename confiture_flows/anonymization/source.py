"""conn -> SourceCatalog: what a copy must know of a database. Only reads its catalog.

Tables are those that hold rows themselves: of a partitioned table its leaves, which also know the
names above them, since rules may name those. What cannot be copied is said in words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.strategy import Column
from confiture_flows.catalog.locked import LOCK_WAIT_MS, ask_unlocked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

# A page of a table that was never analyzed holds about this many rows.
_ROWS_A_PAGE = 60


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of the source.

    Attributes:
        column: As a strategy sees it.
        declared: Its type as people write it, such as "character varying(40)".
        written: False for a generated column.
        always_identity: Whether it is GENERATED ALWAYS AS IDENTITY.
        made_of: Of a generated column, those that its expression reads.
        of_domain: Whether its type is a domain, which may have conditions of its own.
        comment: What COMMENT ON says.
    """

    column: Column
    declared: str
    written: bool = True
    always_identity: bool = False
    made_of: tuple[str, ...] = ()
    of_domain: bool = False
    comment: str | None = None

    @property
    def name(self) -> str:
        """Its own name."""
        return self.column.name


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A unique index, which a primary key and a UNIQUE constraint have too.

    Attributes:
        name: The index's.
        columns: In its order; of expressions, those that they read.
        primary: Whether it is the primary key's.
        partial: Whether it has a WHERE.
        of_expressions: Whether it is over expressions.
    """

    name: str
    columns: tuple[str, ...]
    primary: bool = False
    partial: bool = False
    of_expressions: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SourceTable:
    """A table that holds rows; told apart by identity, as it is a key of many dictionaries.

    Attributes:
        schema: Its schema.
        name: Its name.
        columns: In its order.
        keys: Its unique indexes, the primary key first.
        above: Of a partition, the tables it is a part of, the nearest first.
        partition_key: The columns that decide in which partition a row is.
        rows: About how many.
        size: Bytes, without indexes.
        readable: Whether the user may read it.
        row_security: Whether policies hide rows from the user.
        comment: What COMMENT ON says.
    """

    schema: str
    name: str
    columns: tuple[SourceColumn, ...]
    keys: tuple[UniqueKey, ...] = ()
    above: tuple[tuple[str, str], ...] = ()
    partition_key: frozenset[str] = frozenset()
    rows: int = 0
    size: int = 0
    readable: bool = True
    row_security: bool = False
    comment: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """By which rules may call it: its own, and those above it."""
        return ((self.schema, self.name), *self.above)

    @property
    def family(self) -> tuple[str, str]:
        """The table that it is all or a part of."""
        return self.names[-1]

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that tell its rows apart: the primary key's, or those of a key like it."""
        required = {each.name for each in self.columns if not each.column.nullable}
        for key in self.keys:
            whole = not key.partial and not key.of_expressions
            if key.primary or (whole and required.issuperset(key.columns)):
                return key.columns
        return ()

    def column(self, name: str) -> SourceColumn:
        """The column of that name."""
        return next(each for each in self.columns if each.name == name)


@dataclass(frozen=True, slots=True)
class ForeignKeyOf:
    """A foreign key; its ends may be partitioned tables.

    Attributes:
        name: The constraint's.
        table: Schema and name of the referring table.
        columns: Its columns.
        parent: Schema and name of the table it refers to.
        referenced: The columns there, in the same order.
    """

    name: str
    table: tuple[str, str]
    columns: tuple[str, ...]
    parent: tuple[str, str]
    referenced: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} of {'.'.join(self.table)}"


@dataclass(frozen=True, slots=True)
class SourceCatalog:
    """What there is to copy.

    Attributes:
        tables: Sorted by name.
        foreign_keys: Between them.
        left_out: What is not copied, in words.
        locked: Schemas and names of the tables that another session kept locked, so that their
            sizes are unknown.
    """

    tables: tuple[SourceTable, ...]
    foreign_keys: tuple[ForeignKeyOf, ...] = ()
    left_out: tuple[str, ...] = ()
    locked: frozenset[tuple[str, str]] = frozenset()

    def under(self, name: tuple[str, str]) -> tuple[SourceTable, ...]:
        """The tables that hold the rows of a table, which may be partitioned."""
        return tuple(each for each in self.tables if name in each.names)


@dataclass(frozen=True, slots=True)
class _Relation:
    """A row of the block `relations`."""

    oid: int
    schema: str
    name: str
    kind: str
    persistence: str
    tuples: float
    pages: int
    heap: int
    size: int
    ancestors: list[int]
    readable: bool
    row_security: bool
    of_extension: bool
    in_recovery: bool
    comment: str | None

    @property
    def left_out(self) -> str | None:
        """Why its rows are not copied."""
        where = f"{self.schema}.{self.name}"
        if self.kind == "f":
            return f"foreign table {where}: its rows are elsewhere"
        if self.kind == "r" and self.of_extension:
            return f"table {where}: an extension's own"
        if self.kind == "r" and self.persistence == "u" and self.in_recovery:
            return f"unlogged table {where}: a standby does not have its rows"
        return None


def read_source(conn: Connection, *, wait_ms: int = LOCK_WAIT_MS) -> SourceCatalog:
    """Read what a copy must know of its source.

    Args:
        conn: In autocommit, or in a transaction; may be on a standby.
        wait_ms: How long a locked table is waited for; then its size is unknown.

    Raises:
        LockError: Ever other tables were locked.
    """
    rows, locked = ask_unlocked(
        conn, lambda oids: _rows(conn, "relations", {"locked": oids}), wait_ms=wait_ms
    )
    found = [_Relation(*row) for row in rows]
    named = {each.oid: (each.schema, each.name) for each in found}
    held = [each for each in found if each.kind == "r" and each.left_out is None]
    values = {"tables": [each.oid for each in held], "relations": list(named)}
    columns = _columns(conn, values, named)
    keys: dict[int, list[UniqueKey]] = defaultdict(list)
    for oid, name, primary, partial, of_expressions, of in _rows(conn, "keys", values):
        keys[oid].append(UniqueKey(name, tuple(of), primary, partial, of_expressions))
    partition_keys: dict[int, set[str]] = defaultdict(set)
    for oid, name in _rows(conn, "partition_keys", values):
        partition_keys[oid].add(name)
    return SourceCatalog(
        tuple(
            SourceTable(
                each.schema,
                each.name,
                tuple(columns[each.oid]),
                tuple(keys[each.oid]),
                tuple(named[oid] for oid in each.ancestors),
                frozenset().union(*(partition_keys[oid] for oid in each.ancestors)),
                _estimate(each, locked=(each.schema, each.name) in locked),
                each.size,
                each.readable,
                each.row_security,
                each.comment,
            )
            for each in held
        ),
        tuple(
            ForeignKeyOf(name, named[child], tuple(own), named[parent], tuple(other))
            for name, child, parent, own, other in _rows(conn, "foreign_keys", values)
        ),
        (*filter(None, (each.left_out for each in found)), *_large_objects(conn)),
        locked=frozenset(locked),
    )


def _columns(
    conn: Connection, values: Mapping[str, Any], named: Mapping[int, tuple[str, str]]
) -> dict[int, list[SourceColumn]]:
    columns: dict[int, list[SourceColumn]] = defaultdict(list)
    for row in _rows(conn, "columns", values):
        oid, name, kind, kind_oid, of_domain, length, nullable, labels, *rest = row
        written, always, made_of, declared, comment = rest
        column = Column(*named[oid], name, kind, kind_oid, length, nullable, tuple(labels))
        columns[oid].append(
            SourceColumn(column, declared, written, always, tuple(made_of), of_domain, comment)
        )
    return columns


def _rows(conn: Connection, block: str, values: Mapping[str, Any]) -> list[Any]:
    return conn.execute(source_query(block), values).fetchall()


def _estimate(relation: _Relation, *, locked: bool) -> int:
    """As the planner does it: rows a page when it was last analyzed, times the pages now."""
    if locked:
        return max(round(relation.tuples), 0)
    pages = relation.heap // 8192
    known = relation.tuples >= 0 and relation.pages > 0
    return round(pages * (relation.tuples / relation.pages if known else _ROWS_A_PAGE))


def _large_objects(conn: Connection) -> tuple[str, ...]:
    row = conn.execute(source_query("large_objects")).fetchone()
    count = row[0] if row else 0
    return (f"{count} large objects: only their numbers are copied",) if count else ()


@cache
def source_query(block: str) -> bytes:
    """A block of source.sql."""
    text = (
        resources.files("confiture_flows.anonymization").joinpath("source.sql").read_text("utf-8")
    )
    pieces = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))[block].strip().encode()
