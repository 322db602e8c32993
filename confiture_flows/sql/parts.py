"""What operations are made of: names, types, expressions, columns, constraints. Pure values."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from confiture_flows.sql.value import value


class ObjectName(NamedTuple):
    """The name of an object as it was written; `schema` is empty where none was."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@value()
class TypeName:
    """A type as it was written, under PostgreSQL's own name.

    Attributes:
        name: Such as "int4", "varchar", "serial"; the schema is empty for built-in ones.
        modifiers: What stands in parentheses; empty for none.
        array: Whether it is an array of it.
    """

    name: ObjectName
    modifiers: tuple[int, ...] = ()
    array: bool = False

    @property
    def builtin(self) -> bool:
        """Whether PostgreSQL brings it."""
        return not self.name.schema and self.name.name in BUILTIN_TYPES

    @property
    def serial(self) -> bool:
        """Whether it is no type but a column with a sequence."""
        return not self.name.schema and self.name.name in SERIAL_TYPES

    def __str__(self) -> str:
        inside = f"({','.join(map(str, self.modifiers))})" if self.modifiers else ""
        return f"{self.name}{inside}{'[]' if self.array else ''}"


SERIAL_TYPES = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}
_BUILTIN_TYPES_WORDS = """
    bit bool box bpchar bytea char cidr circle date daterange datemultirange float4 float8 inet
    int2 int4 int4range int4multirange int8 int8range int8multirange interval json jsonb jsonpath
    line lseg macaddr macaddr8 money name numeric numrange nummultirange oid path pg_lsn point
    polygon regclass regproc regtype text time timestamp timestamptz timetz tsmultirange tsquery
    tsrange tstzmultirange tstzrange tsvector txid_snapshot uuid varbit varchar xid xml
    """
BUILTIN_TYPES = frozenset(_BUILTIN_TYPES_WORDS.split())


@value()
class Expression:
    """A default, a check, a condition.

    Attributes:
        sql: As PostgreSQL's parser writes it; two that differ in nothing but spelling are equal.
        functions: The functions it calls, lower case, without pg_catalog.
        columns: The columns it reads.
        literal: Its text when it is one constant, with or without a cast; None otherwise.
        null: Whether it is NULL.
        never_null: The columns that it says are not null, for all rows where it is true.
        tables: The tables that it reads, as a policy may.
    """

    sql: str
    functions: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    literal: str | None = None
    null: bool = False
    never_null: tuple[str, ...] = ()
    tables: tuple[ObjectName, ...] = ()


class ConstraintKind(StrEnum):
    """What a constraint demands."""

    CHECK = "check"
    EXCLUSION = "exclusion"
    FOREIGN_KEY = "foreign key"
    NOT_NULL = "not null"
    PRIMARY_KEY = "primary key"
    UNIQUE = "unique"


@value()
class ConstraintSpec:
    """A constraint as a statement writes it.

    Attributes:
        kind: What it demands.
        name: Empty when PostgreSQL is to choose one.
        columns: Those it is about; of a check those it reads.
        valid: False with NOT VALID.
        expression: Of a check.
        references: The table that a foreign key points to.
        referenced: Its columns there; empty for the primary key.
        using_index: The index that becomes the constraint.
        on_delete: "", "cascade", "restrict", "set null" or "set default".
        deferrable: Whether it is checked at the end of a transaction, if asked to.
        enforced: False with NOT ENFORCED.
        nulls_equal: Of UNIQUE NULLS NOT DISTINCT.
        include: Columns that its index holds besides.
        method: Of an exclusion constraint's index.
        offset: Where it stands.
    """

    kind: ConstraintKind
    name: str = ""
    columns: tuple[str, ...] = ()
    valid: bool = True
    expression: Expression | None = None
    references: ObjectName | None = None
    referenced: tuple[str, ...] = ()
    using_index: str = ""
    on_delete: str = ""
    deferrable: bool = False
    enforced: bool = True
    nulls_equal: bool = False
    include: tuple[str, ...] = ()
    method: str = ""
    offset: int = 0


@value()
class ColumnSpec:
    """A column as a statement writes it.

    Attributes:
        name: Its name.
        type: Its type.
        not_null: Whether NOT NULL or PRIMARY KEY is said.
        default: What it has where nothing is given.
        generated: "", "stored" or "virtual".
        generation: The expression of a generated column.
        identity: "", "always" or "by default".
        collation: Empty for the type's own.
        constraints: Those written with the column, but NOT NULL.
        offset: Where it stands.
    """

    name: str
    type: TypeName
    not_null: bool = False
    default: Expression | None = None
    generated: str = ""
    generation: Expression | None = None
    identity: str = ""
    collation: str = ""
    constraints: tuple[ConstraintSpec, ...] = ()
    offset: int = 0


@value()
class IndexColumn:
    """A part of an index; `name` is empty for an expression."""

    name: str
    expression: Expression | None = None
    descending: bool = False
    operators: str = ""
    collation: str = ""


class Inside(StrEnum):
    """Where an operation stands."""

    SCRIPT = "script"
    DO = "do block"
    FUNCTION = "function"


# For what asks once an operation or more: Python looks the member of an enum up ten times as long.
IN_SCRIPT, IN_FUNCTION = Inside.SCRIPT, Inside.FUNCTION


class LockMode(StrEnum):
    """PostgreSQL's table locks, from the weakest to the strongest."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @cached_property
    def strength(self) -> int:
        """1 to 8; the number by which PostgreSQL's source knows it."""
        return _STRENGTH[self]

    @cached_property
    def blocks_reads(self) -> bool:
        """Whether SELECT waits for it."""
        return self is LockMode.ACCESS_EXCLUSIVE

    @cached_property
    def blocks_writes(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait for it."""
        return self.strength >= LockMode.SHARE.strength


_STRENGTH = {mode: number for number, mode in enumerate(LockMode, 1)}
