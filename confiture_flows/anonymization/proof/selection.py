"""A planned table -> what of it is compared, and the SQL that reads it on both sides."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from confiture_flows.anonymization.copying.keys_file import conditions_on_keys
from confiture_flows.anonymization.copying.source import types_of
from confiture_flows.anonymization.copying.strategies import strategies_of
from confiture_flows.anonymization.copying.values import Chunk, Way
from confiture_flows.anonymization.copying.way import conditions_of, where
from confiture_flows.anonymization.proof.sessions import one_row
from confiture_flows.anonymization.proof.streams import (
    gathered,
    gathered_texts,
    row_by_row,
    texts_row_by_row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.plan import PlannedTable
    from confiture_flows.anonymization.proof.hashing import Hashing
    from confiture_flows.anonymization.strategy import Column, StrategyBase

# Each session has a "now" of its own: such a condition selects other rows when asked again.
_MOVING = re.compile(
    r"\b(now\s*\(|current_(date|time)|local(time|timestamp)|random\s*\(|clock_timestamp"
    r"|(transaction|statement)_timestamp|timeofday|age\s*\()",
    re.IGNORECASE,
)
TEXTS = ("text", "varchar", "bpchar", "citext", "name", "uuid")
SAMPLED_OF = 16
_SMALL = 10_000
# What one job reads: small enough that all end at about the same time.
_PIECE = 16 << 20
# Of so much, the numbers may come in one row; and of so many pages of a larger table.
_AT_ONCE = 1 << 20
_PAGES_AT_ONCE = 32
_PAGE = 8192
_TID_RANGE_SCANS = 140_000
_ANY_WAY = Way("pipe", "binary", "")
_PAGES_OF: LiteralString = """
SELECT am.amname = 'heap',
    pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint
FROM pg_catalog.pg_class AS c LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
WHERE c.oid = {}::pg_catalog.regclass
"""
_LONG_VALUES: LiteralString = """
SELECT reltoastrelid <> 0 AND pg_catalog.pg_relation_size(reltoastrelid) > 0
FROM pg_catalog.pg_class WHERE oid = {}::pg_catalog.regclass
"""
# Every table's columns hide these names from what stands within.
_PAGE_BY_PAGE: LiteralString = (
    "SELECT confiture_rows.* FROM pg_catalog.generate_series({}, {}, {}) "
    "AS confiture_pages (confiture_page) CROSS JOIN LATERAL ({}) AS confiture_rows"
)
_WITHIN: LiteralString = (
    "{0} >= ('(' || confiture_page || ',0)')::pg_catalog.tid "
    "AND {0} < ('(' || least(confiture_page + {1}, {2}) || ',0)')::pg_catalog.tid"
)


@dataclass(frozen=True, slots=True)
class MaskedColumn:
    """A column whose values have to be others.

    Attributes:
        number: Its place among the masked ones of the table.
        column: What it is.
        strategy: What has masked it.
        telling: Whether its values may be looked for elsewhere.
    """

    number: int
    column: Column
    strategy: StrategyBase
    telling: bool


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """What is compared of a table.

    Attributes:
        table: As planned; with conditions that are the same whenever they are asked.
        kept: The names of columns that are copied as they are.
        masked: The others that are written.
        moving: Whether conditions on the time were left out, so that the source has more rows.
        sampled: Whether only a share of the rows is looked at.
    """

    table: PlannedTable
    kept: tuple[str, ...]
    masked: tuple[MaskedColumn, ...]
    moving: bool
    sampled: bool = False

    @property
    def keyed(self) -> bool:
        """Whether rows of both sides can be matched."""
        key = self.table.primary_key
        return bool(key) and set(key) <= set(self.kept)

    def reference(self, column: str) -> sql.Identifier:
        """A column in the query of either side."""
        return sql.Identifier(self.table.name, column)

    def value(self, column: str, kind: str, hashing: Hashing) -> sql.Composed:
        """The hash of a column's values; of texts, that by which they are found elsewhere."""
        of = hashing.of_text if kind in TEXTS else hashing.of_value
        return of(self.reference(column))

    def numbers(self, hashing: Hashing) -> list[sql.Composable]:
        """The hashes that are compared: of the row without masked columns, and of their values."""
        row = hashing.of_row([self._typed(each) for each in self.kept])
        return [row, *(self.masked_value(each, hashing) for each in self.masked)]

    def masked_value(self, masked: MaskedColumn, hashing: Hashing) -> sql.Composed:
        """The hash of a masked column's values."""
        return self.value(masked.column.name, masked.column.type, hashing)

    def matched(self, masked: MaskedColumn, hashing: Hashing) -> list[sql.Composable]:
        """The hash of the key with a masked column's value, and that of the value alone."""
        key = [self._typed(each) for each in self.table.primary_key]
        value = self._typed(masked.column.name)
        return [hashing.of_row([*key, value]), self.masked_value(masked, hashing)]

    def of_source(
        self,
        conn: Connection,
        hashing: Hashing,
        numbers: Sequence[sql.Composable],
        conditions: tuple[sql.Composable, ...] = (),
    ) -> Iterator[bytes]:
        """The queries for numbers of the rows that were to be copied, under more conditions.

        Together they read all of them; each is one for `read_numbers`.
        """
        table = self.table
        more = [*conditions, *self._share(hashing)]
        if table.keys is None:
            yield from self._reading(conn, table, gathered(numbers), row_by_row(numbers), more)
            return
        with table.keys.open("rb") as file:
            lines = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
        chunk = Chunk(table, _ANY_WAY, keys=(0, lines))
        for condition in conditions_on_keys(chunk, types_of(conn, table)):
            query = self._query(gathered(numbers), [*conditions_of(chunk), condition, *more])
            yield query.as_bytes(conn)

    def of_copy(
        self,
        conn: Connection,
        hashing: Hashing,
        numbers: Sequence[sql.Composable],
        conditions: tuple[sql.Composable, ...] = (),
    ) -> Iterator[bytes]:
        """The queries that together read the same rows of the copy."""
        loaded = replace(self.table, where=())
        more = [*conditions, *self._share(hashing)]
        yield from self._reading(conn, loaded, gathered(numbers), row_by_row(numbers), more)

    def texts(self, conn: Connection, columns: list[str]) -> Iterator[bytes]:
        """The queries that together read columns of the whole copy; each is one for `read_texts`.

        Values that are kept apart from their rows may be too long to be gathered.
        """
        loaded = replace(self.table, where=())
        values = [self.reference(each) for each in columns]
        few = None if _has_long_values(conn, loaded) else gathered_texts(values)
        yield from self._reading(conn, loaded, few, texts_row_by_row(values))

    def _typed(self, column: str) -> tuple[sql.Composable, str]:
        (kind,) = [each.column.type for each in self.table.columns if each.column.name == column]
        return self.reference(column), kind

    def _share(self, hashing: Hashing) -> list[sql.Composable]:
        if not self.sampled:
            return []
        key = hashing.of_row([self._typed(each) for each in self.table.primary_key])
        return [sql.SQL("{} % {} = 0").format(key, sql.Literal(SAMPLED_OF))]

    def _reading(
        self,
        conn: Connection,
        table: PlannedTable,
        few: sql.Composable | None,
        many: sql.Composable,
        more: Sequence[sql.Composable] = (),
    ) -> Iterator[bytes]:
        """Read a table by the fields for a few rows or pages, or else by those for many rows."""
        for pages in pages_of(conn, table):
            if few is not None and pages is not None:
                conditions = [*conditions_of(Chunk(table, _ANY_WAY)), *more]
                yield self._page_by_page(few, conditions, pages).as_bytes(conn)
                continue
            # A query of rows would be planned as a part of the one around it, which joins: it has
            # its pages from here, as only aggregates read those that another row names.
            conditions = [*conditions_of(Chunk(table, _ANY_WAY, pages=pages)), *more]
            fields = few if few is not None and table.size <= _AT_ONCE else many
            yield self._query(fields, conditions).as_bytes(conn)

    def _page_by_page(
        self, fields: sql.Composable, conditions: list[sql.Composable], pages: tuple[int, int]
    ) -> sql.Composed:
        """A row for some pages each."""
        first, end = pages
        within = sql.SQL(_WITHIN).format(
            self.reference("ctid"), sql.Literal(_PAGES_AT_ONCE), sql.Literal(end)
        )
        return sql.SQL(_PAGE_BY_PAGE).format(
            sql.Literal(first),
            sql.Literal(end - 1),
            sql.Literal(_PAGES_AT_ONCE),
            self._query(fields, [within, *conditions]),
        )

    def _query(self, fields: sql.Composable, conditions: list[sql.Composable]) -> sql.Composed:
        name = sql.Identifier(self.table.schema, self.table.name)
        return sql.SQL("SELECT {} FROM ONLY {}{}").format(fields, name, where(conditions))


def pages_of(conn: Connection, table: PlannedTable) -> Iterator[tuple[int, int] | None]:
    """The pieces in which a table is read: each the first page and the one after its last.

    None is the whole table, where it is small, or no heap, or the server is older than PostgreSQL
    14 and would read the whole table for every piece. Pages that are added later hold no rows that
    the snapshot sees.
    """
    if table.size <= _AT_ONCE or conn.info.server_version < _TID_RANGE_SCANS:
        yield None
        return
    name = sql.Identifier(table.schema, table.name).as_string(conn)
    heap, pages = one_row(conn, sql.SQL(_PAGES_OF).format(sql.Literal(name)))
    if not heap:
        yield None
        return
    count = max(pages * _PAGE // _PIECE, 1)
    cuts = [pages * each // count for each in range(count + 1)]
    yield from pairwise(cuts)


def _has_long_values(conn: Connection, table: PlannedTable) -> bool:
    """Whether any values are kept apart from their rows."""
    name = sql.Identifier(table.schema, table.name).as_string(conn)
    found: bool = one_row(conn, sql.SQL(_LONG_VALUES).format(sql.Literal(name)))[0]
    return found


def selection_of(table: PlannedTable, secret: Secret | None, *, quick: bool) -> ComparedTable:
    """What is compared of a table.

    Args:
        table: A copied one.
        secret: What its strategies were made from.
        quick: Whether a share of a large table is enough.
    """
    strategies = strategies_of(table, secret)
    masked = tuple(
        MaskedColumn(
            number,
            strategy.column,
            strategy,
            strategy.column.type in TEXTS and not strategy.keeps,
        )
        for number, strategy in enumerate(strategies.values())
    )
    kept = tuple(
        each.column.name
        for each in table.columns
        if each.written and each.column.name not in strategies
    )
    lasting = tuple(each for each in table.where if not _MOVING.search(each))
    moving = len(lasting) < len(table.where)
    selected = ComparedTable(replace(table, where=lasting), kept, masked, moving)
    return replace(selected, sampled=quick and selected.keyed and table.rows > _SMALL)
