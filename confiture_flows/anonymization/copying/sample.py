"""Rows of a chunk -> whether the SQL of its strategies changes values at all.

What the source masks travels as bytes that nobody looks at; so the first rows of each chunk are
asked for what a batch in Python is looked through for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.copying.masking import chance_matches
from confiture_flows.anonymization.copying.way import conditions_of, masked_field, where
from confiture_flows.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

    from confiture_flows.anonymization.copying.source import ColumnType
    from confiture_flows.anonymization.copying.values import Chunk
    from confiture_flows.anonymization.strategy import StrategyBase

_ROWS = 500


def refuse_unchanged(
    conn: Connection,
    chunk: Chunk,
    strategies: Mapping[str, StrategyBase],
    types: Mapping[str, ColumnType],
) -> None:
    """Look at some rows.

    Raises:
        StrategyError: More values than chance explains come out as they were.
    """
    looked = [each for each in chunk.way.in_sql if not strategies[each].keeps]
    if not looked:
        return
    name = sql.Identifier(chunk.table.schema, chunk.table.name)
    pairs = [
        part
        for each in looked
        for part in (
            sql.SQL("{}::text").format(sql.Identifier(chunk.table.name, each)),
            sql.SQL("({})::text").format(masked_field(strategies[each], types[each])),
        )
    ]
    query = sql.SQL("SELECT {} FROM ONLY {}{} LIMIT {}").format(
        sql.SQL(", ").join(pairs), name, where(conditions_of(chunk)), _ROWS
    )
    # Two rows of a column each: compared here, since the server would sort for DISTINCT.
    columns = list(zip(*conn.execute(query).fetchall(), strict=True))
    for place, each in enumerate(looked if columns else ()):
        before, after = columns[2 * place], columns[2 * place + 1]
        values = {one for one in before if one is not None}
        same = {one for one, other in zip(before, after, strict=True) if one == other} - {None}
        if len(same) > chance_matches(strategies[each], len(values)):
            raise StrategyError(
                f"{strategies[each].column}: the SQL of the strategy {strategies[each].name!r} "
                f"gave {len(same):,} of {len(values):,} different values back unchanged.",
                next_step="Mend it, and check it: confiture-flows strategies test "
                f"{strategies[each].name}",
            )
