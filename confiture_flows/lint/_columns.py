"""The columns whose types a statement writes. Shared by the rules about types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import TypeName


def written_types(said: op.Operation) -> Iterator[tuple[str, TypeName]]:
    """Columns, with their table, and the types that are written for them."""
    match said:
        case op.CreateTable(columns=columns, table=table):
            for each in columns:
                yield f"{table}.{each.name}", each.type
        case op.AddColumn(column=column, table=table):
            yield f"{table}.{column.name}", column.type
        case op.AlterColumnType(column=name, type=kind, table=table):
            yield f"{table}.{name}", kind
        case _:
            return
