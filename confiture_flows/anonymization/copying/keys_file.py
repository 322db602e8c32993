"""A file of primary keys -> conditions, each for some thousand rows.

The keys travel as arrays in the statement: that works on a standby and in a read-only transaction,
where a temporary table does not.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.copying.masking import unescape
from confiture_flows.errors import CopyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confiture_flows.anonymization.copying.source import ColumnType
    from confiture_flows.anonymization.copying.values import Chunk

_AT_ONCE = 10_000


def conditions_on_keys(chunk: Chunk, types: Mapping[str, ColumnType]) -> Iterator[sql.Composable]:
    """The conditions that together give the rows of a chunk.

    Raises:
        CopyError: A line has another number of fields than the key has columns.
    """
    table, span = chunk.table, chunk.keys
    assert table.keys is not None  # noqa: S101 - only such chunks have a span
    assert span is not None  # noqa: S101
    names = [sql.Identifier(table.name, each) for each in table.primary_key]
    kinds = [types[each] for each in table.primary_key]
    with table.keys.open(encoding="utf-8", newline="\n") as file:
        lines = islice(file, *span)
        while some := list(islice(lines, _AT_ONCE)):
            rows = [[unescape(part) for part in line.rstrip("\n").split("\t")] for line in some]
            if {len(row) for row in rows} != {len(names)}:
                raise CopyError(f"The file of keys of {table} does not hold its primary key.")
            arrays = [
                sql.SQL("{}::{}[]").format(
                    sql.Literal(list(column)), sql.Identifier(k.schema, k.name)
                )
                for k, column in zip(kinds, zip(*rows, strict=True), strict=True)
            ]
            yield sql.SQL("({}) IN (SELECT * FROM ROWS FROM (pg_catalog.unnest({})) AS k)").format(
                sql.SQL(", ").join(names), sql.SQL(", ").join(arrays)
            )
