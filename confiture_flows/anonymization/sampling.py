"""conn + SourceCatalog -> the columns with samples of their values. Reads little, changes nothing.

Each table is read in a read-only transaction of its own with time limits; one that cannot be read
is named with the reason. Values stay in the memory of this process: they are in no message.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from confiture_flows.anonymization.detection import SampledColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.anonymization.source import SourceCatalog, SourceColumn, SourceTable
    from confiture_flows.anonymization.strategy import Column

_MOST_PARTS = 3  # partitions of a table that are read, the largest first
_ROWS_A_BLOCK = 4  # a sample comes from about so many rows a block, to be of many blocks
_SMALL = 1 << 20  # bytes; below, a table is read from its start
_TEXT, _DOCUMENT = 500, 20_000  # characters of a text, bytes of a document that are read
_WAIT_MS, _LEAST_MS = 200, 100

# Values of these say nothing that a detector could read.
_UNREAD = frozenset(
    (
        *("bool", "tsvector", "tsquery", "xid", "oid", "regclass", "pg_lsn", "interval", "bit"),
        *("varbit", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"),
    )
)
_WHOLE_DOCUMENTS = frozenset(("json", "jsonb"))
# What the server says, in words without the values that its own words may quote.
_REASONS = {
    "42501": "its rows may not be read",
    "57014": "reading it took too long",
    "55P03": "somebody holds a lock on it",
}


@dataclass(frozen=True, slots=True)
class SampleLimits:
    """How much is read.

    Attributes:
        rows: Of each table; 0 looks at names alone.
        table_seconds: The longest a table may take.
        seconds: The longest all may take; the tables after that are not read.
    """

    rows: int = 200
    table_seconds: float = 5.0
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class SampledSource:
    """All columns, with what could be read of them.

    Attributes:
        columns: Of tables and partitioned tables, once each.
        rows: How many rows were looked at.
        unread: Tables whose rows were not, with the reason.
    """

    columns: tuple[SampledColumn, ...]
    rows: int = 0
    unread: tuple[tuple[str, str], ...] = ()


def sample_source(
    conn: Connection,
    source: SourceCatalog,
    limits: SampleLimits = SampleLimits(),
    wants: Callable[[tuple[str, str], str], bool] = lambda _table, _column: True,
) -> SampledSource:
    """Read samples of columns.

    Args:
        conn: In autocommit; may be on a standby.
        source: What there is.
        limits: How much is read.
        wants: Whether values of a table's column are read; the others have their names alone.
    """
    families: dict[tuple[str, str], list[SourceTable]] = defaultdict(list)
    for table in source.tables:
        if not table.family[1].startswith("tb_confiture"):  # the ledger's own
            families[table.family].append(table)
    deadline = time.monotonic() + limits.seconds
    columns: list[SampledColumn] = []
    unread: list[tuple[str, str]] = []
    rows = 0
    for name, parts in families.items():
        wanted = tuple(
            each for each in parts[0].columns if _is_read(each) and wants(name, each.name)
        )
        values: list[tuple[str | None, ...]] = []
        most = _MOST_PARTS if limits.rows and wanted else 0
        largest = sorted(parts, key=lambda each: -each.size)[:most]
        for part in largest:
            left = min(limits.table_seconds, deadline - time.monotonic())
            try:
                values += _read(conn, part, wanted, -(-limits.rows // len(largest)), left)
            except psycopg.Error as error:
                if conn.closed or conn.broken:
                    raise
                unread.append((str(part), _REASONS.get(error.sqlstate or "", "reading it failed")))
            except TimeoutError:
                unread.append((str(part), "the time for all tables was up"))
        rows += len(values)
        referring = {
            column for key in source.foreign_keys if key.table == name for column in key.columns
        }
        columns += _columns(name, parts[0], wanted, values, referring)
    return SampledSource(tuple(columns), rows, tuple(unread))


def _columns(
    name: tuple[str, str],
    table: SourceTable,
    wanted: tuple[SourceColumn, ...],
    values: list[tuple[str | None, ...]],
    referring: set[str],
) -> list[SampledColumn]:
    found: list[SampledColumn] = []
    for each in table.columns:
        place = wanted.index(each) if each in wanted else None
        samples = () if place is None else tuple(row[place] for row in values)
        found.append(
            SampledColumn(
                _named(each, name),
                each.comment or "",
                tuple(value for value in samples if value is not None and value.strip()),
                _is_document(each),
                each.name in referring,
            )
        )
    return found


def _named(column: SourceColumn, name: tuple[str, str]) -> Column:
    """The column as one of the table that it is a part of."""
    return replace(column.column, schema=name[0], table=name[1])


def _is_read(column: SourceColumn) -> bool:
    return column.column.type not in _UNREAD and not column.column.labels


def _is_document(column: SourceColumn) -> bool:
    return column.column.type in _WHOLE_DOCUMENTS or column.column.type.endswith("[]")


def _read(
    conn: Connection,
    table: SourceTable,
    wanted: tuple[SourceColumn, ...],
    rows: int,
    seconds: float,
) -> list[tuple[str | None, ...]]:
    """Rows of one table as text.

    Raises:
        TimeoutError: There is no time left.
    """
    if seconds <= 0:
        raise TimeoutError
    if not wanted:
        return []
    with conn.transaction():
        conn.execute("SET TRANSACTION READ ONLY")
        for setting, value in (
            ("statement_timeout", max(_LEAST_MS, round(seconds * 1000))),
            ("lock_timeout", _WAIT_MS),
        ):
            conn.execute("SELECT set_config(%s, %s, true)", (setting, str(value)))
        conn.execute("SET LOCAL DateStyle = ISO")
        query = sql.SQL("SELECT {} FROM ONLY {} ").format(
            sql.SQL(", ").join(_as_text(each) for each in wanted),
            sql.Identifier(table.schema, table.name),
        )
        found: list[tuple[str | None, ...]] = []
        if table.size > _SMALL and table.rows > rows:
            share = min(100.0, 100 * _ROWS_A_BLOCK * rows / table.rows)
            sample = sql.SQL("TABLESAMPLE SYSTEM ({}) LIMIT {}")
            found = conn.execute(query + sample.format(share, rows)).fetchall()
        # Blocks that happen to be empty tell nothing of the table.
        if len(found) < rows // 4:
            found = conn.execute(query + sql.SQL("LIMIT {}").format(rows)).fetchall()
        return found


def _as_text(column: SourceColumn) -> sql.Composed:
    name = sql.Identifier(column.name)
    if column.column.type.endswith("[]"):
        text = sql.SQL("array_to_json({})::text").format(name)
    elif column.column.type in _WHOLE_DOCUMENTS:
        text = sql.SQL("{}::text").format(name)
    else:
        return sql.SQL("left({}::text, {})").format(name, _TEXT)
    # A document that is cut is none.
    return sql.SQL("CASE WHEN pg_column_size({}) <= {} THEN {} END").format(name, _DOCUMENT, text)
