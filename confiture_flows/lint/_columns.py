"""The columns whose types a statement writes. Shared by the rules about types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import TypeName


def written_types(said: op.Operation) -> Iterator[tuple[str, TypeName]]:
    """Columns, with their table, and the types that are written for them."""
    if isinstance(said, op.CreateTable | op.AddColumn | op.AlterColumnType):
        for column, kind in column_types(said):
            yield f"{said.table}.{column}", kind


def column_types(
    said: op.CreateTable | op.AddColumn | op.AlterColumnType,
) -> tuple[tuple[str, TypeName], ...]:
    """Columns and the types that are written for them: a dozen rules ask for each statement."""
    if isinstance(said, op.CreateTable):
        return tuple([(each.name, each.type) for each in said.columns])
    if isinstance(said, op.AddColumn):
        return ((said.column.name, said.column.type),)
    return ((said.column, said.type),)
