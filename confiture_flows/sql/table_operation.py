"""Operation, and what is done to tables, their rows and the session. Pure values."""

from __future__ import annotations

from confiture_flows.sql.parts import (
    ColumnSpec,
    ConstraintSpec,
    Expression,
    IndexColumn,
    Inside,
    LockMode,
    ObjectName,
    TypeName,
)
from confiture_flows.sql.value import value


@value(kw_only=True)
class Operation:
    """One thing that a statement does.

    Attributes:
        offset: Where it stands in the text, in characters; of a line inside a body, its start.
        line: 1-based line of the text.
        inside: The script itself, or the body of a DO block or a function.
    """

    offset: int = 0
    line: int = 1
    inside: Inside = Inside.SCRIPT


@value(kw_only=True)
class TableOperation(Operation):
    """What is done to a table, which may also be a view or the like; `only` leaves children out."""

    table: ObjectName
    if_exists: bool = False
    only: bool = False


@value(kw_only=True)
class CreateTable(Operation):
    """CREATE TABLE, CREATE TABLE AS, SELECT INTO, CREATE FOREIGN TABLE.

    Attributes:
        persistence: "permanent", "unlogged" or "temporary".
        partition_of: The table whose partition it becomes.
        partition_key: The columns by which it is partitioned; "" stands for an expression.
        partitioned: "", "list", "range" or "hash".
        from_query: Whether a query fills it, which also gives its columns.
        foreign: Whether it is a foreign table.
    """

    table: ObjectName
    columns: tuple[ColumnSpec, ...] = ()
    constraints: tuple[ConstraintSpec, ...] = ()
    if_not_exists: bool = False
    persistence: str = "permanent"
    inherits: tuple[ObjectName, ...] = ()
    like: tuple[ObjectName, ...] = ()
    partition_of: ObjectName | None = None
    partition_key: tuple[str, ...] = ()
    partitioned: str = ""
    from_query: bool = False
    reads: tuple[ObjectName, ...] = ()
    foreign: bool = False

    @property
    def all_constraints(self) -> tuple[ConstraintSpec, ...]:
        """Those of the table and those written with its columns."""
        return (
            *(each for column in self.columns for each in column.constraints),
            *self.constraints,
        )


@value(kw_only=True)
class AddColumn(TableOperation):
    """ALTER TABLE ... ADD COLUMN."""

    column: ColumnSpec
    if_not_exists: bool = False


@value(kw_only=True)
class DropColumn(TableOperation):
    """ALTER TABLE ... DROP COLUMN."""

    column: str
    missing_ok: bool = False
    cascade: bool = False


@value(kw_only=True)
class AlterColumnType(TableOperation):
    """ALTER TABLE ... ALTER COLUMN ... TYPE."""

    column: str
    type: TypeName
    using: Expression | None = None
    collation: str = ""


@value(kw_only=True)
class AlterColumn(TableOperation):
    """ALTER TABLE ... ALTER COLUMN, but its type.

    Attributes:
        change: "set default", "drop default", "set not null", "drop not null", "set statistics",
            "set options", "set storage", "set compression", "add identity", "set identity",
            "drop identity", "set expression" or "drop expression".
        default: The new default.
    """

    column: str
    change: str
    default: Expression | None = None


@value(kw_only=True)
class AddConstraint(TableOperation):
    """ALTER TABLE ... ADD CONSTRAINT."""

    constraint: ConstraintSpec


@value(kw_only=True)
class AlterConstraint(TableOperation):
    """ALTER TABLE ... ALTER CONSTRAINT, VALIDATE CONSTRAINT or DROP CONSTRAINT.

    Attributes:
        name: The constraint.
        change: "alter", "validate" or "drop".
        missing_ok: DROP CONSTRAINT IF EXISTS.
        cascade: DROP CONSTRAINT ... CASCADE.
    """

    name: str
    change: str
    missing_ok: bool = False
    cascade: bool = False


@value(kw_only=True)
class ChangePartition(TableOperation):
    """ALTER TABLE ... ATTACH or DETACH PARTITION.

    Attributes:
        partition: The partition.
        change: "attach", "detach" or "finalize detach".
        concurrently: Of a detach.
        default: Whether the default partition is attached.
    """

    partition: ObjectName
    change: str
    concurrently: bool = False
    default: bool = False


@value(kw_only=True)
class AlterTable(TableOperation):
    """Any other ALTER TABLE.

    Attributes:
        change: In words: "enable row security", "disable trigger", "set logged", "owner", ...
        subject: What it is about: a trigger, an option, a parent.
        object_kind: "table", "view", "index", "sequence", ...
    """

    change: str
    subject: tuple[str, ...] = ()
    object_kind: str = "table"


@value(kw_only=True)
class CreateIndex(TableOperation):
    """CREATE INDEX; `name` is empty where PostgreSQL is to choose it."""

    name: str
    columns: tuple[IndexColumn, ...]
    include: tuple[str, ...] = ()
    unique: bool = False
    concurrently: bool = False
    if_not_exists: bool = False
    method: str = "btree"
    where: Expression | None = None
    nulls_equal: bool = False


@value(kw_only=True)
class CreateTrigger(TableOperation):
    """CREATE TRIGGER."""

    name: str
    function: ObjectName
    replace: bool = False
    constraint: bool = False
    other_table: ObjectName | None = None


@value(kw_only=True)
class WritePolicy(TableOperation):
    """CREATE POLICY, ALTER POLICY."""

    name: str
    alter: bool = False
    command: str = "all"
    permissive: bool = True
    roles: tuple[str, ...] = ()
    using: Expression | None = None
    check: Expression | None = None


@value(kw_only=True)
class ModifyData(TableOperation):
    """INSERT, UPDATE, DELETE, MERGE and COPY.

    Attributes:
        command: "insert", "update", "delete", "merge", "copy from" or "copy to".
        filtered: Whether a WHERE is said.
        bounds: The table's columns that WHERE compares with values.
        limited: Whether a LIMIT is said, in WHERE or before.
        columns: Those that are written.
        rows: How many, where VALUES says so.
        reads: Other tables in it.
    """

    command: str
    filtered: bool = False
    bounds: tuple[str, ...] = ()
    limited: bool = False
    columns: tuple[str, ...] = ()
    rows: int | None = None
    reads: tuple[ObjectName, ...] = ()


@value(kw_only=True)
class Truncate(Operation):
    """TRUNCATE."""

    tables: tuple[ObjectName, ...]
    cascade: bool = False


@value(kw_only=True)
class LockTable(Operation):
    """LOCK TABLE."""

    tables: tuple[ObjectName, ...]
    mode: LockMode
    nowait: bool = False


@value(kw_only=True)
class Query(Operation):
    """SELECT and the like.

    Attributes:
        reads: The tables in it.
        functions: The functions that it calls.
        locks_rows: With FOR UPDATE or the like.
    """

    reads: tuple[ObjectName, ...] = ()
    functions: tuple[str, ...] = ()
    locks_rows: bool = False


@value(kw_only=True)
class Maintain(Operation):
    """VACUUM, ANALYZE, CLUSTER, REINDEX and REFRESH MATERIALIZED VIEW.

    Attributes:
        command: "vacuum", "vacuum full", "analyze", "cluster", "reindex" or "refresh".
        object_kind: What the names are: "table", "index", "schema", "database", "system",
            "materialized view".
        names: None for all.
        concurrently: Of REINDEX and REFRESH.
        with_data: False for REFRESH ... WITH NO DATA.
    """

    command: str
    object_kind: str = "table"
    names: tuple[ObjectName, ...] = ()
    concurrently: bool = False
    with_data: bool = True


@value(kw_only=True)
class Setting(Operation):
    """SET, RESET, set_config(): `value` is None for RESET and for what cannot be told."""

    name: str
    value: str | None = None
    local: bool = False


@value(kw_only=True)
class TransactionControl(Operation):
    """BEGIN, COMMIT, ROLLBACK, SAVEPOINT; `command` in lower case."""

    command: str


@value(kw_only=True)
class RunBlock(Operation):
    """DO and CALL; `name` is the procedure. What a block holds follows as operations."""

    language: str = "plpgsql"
    name: ObjectName | None = None


@value(kw_only=True)
class Unread(Operation):
    """What could not be read: its text may do anything.

    Attributes:
        reason: "syntax", "dynamic", "body" or "language".
        message: What is wrong with it, without values.
    """

    reason: str
    message: str


@value(kw_only=True)
class OtherStatement(Operation):
    """A statement that changes nothing in the schema, or nothing that is looked at here."""

    kind: str
