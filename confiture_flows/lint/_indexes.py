"""Whether one index makes another superfluous. Shared by the rules about indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._names import index_name
from confiture_flows.lint._steps import leave_out

if TYPE_CHECKING:
    from confiture_flows.lint.catalog import KnownIndex, KnownTable
    from confiture_flows.lint.rule import Scene, TextEdit
    from confiture_flows.sql import operation as op

# Bytes of a value. What has no width of its own may have any.
_WIDTHS = {
    "bool": 1,
    "int2": 2,
    "int4": 4,
    "int8": 8,
    "serial": 4,
    "bigserial": 8,
    "float4": 4,
    "float8": 8,
    "date": 4,
    "time": 8,
    "timestamp": 8,
    "timestamptz": 8,
    "uuid": 16,
}
_LITTLE = 16


def same_index(known: KnownIndex, said: op.CreateIndex) -> bool:
    """Whether an index does all that a new one would do."""
    same = (known.columns, known.method, known.include) == (said.columns, said.method, said.include)
    condition = said.where.sql if said.where else ""
    return same and known.partial == condition and (known.unique or not said.unique)


def is_little_wider(table: KnownTable, said: op.CreateIndex, known: KnownIndex) -> bool:
    """Whether a longer index is little larger than a new one, by the types of its columns."""
    names = (*(each.name for each in known.columns[len(said.columns) :]), *known.include)
    types = [table.columns[name].type if name in table.columns else None for name in names]
    widths = [
        _WIDTHS.get(each.name.name) if each and not each.array and not each.name.schema else None
        for each in types
    ]
    return None not in widths and sum(filter(None, widths)) <= _LITTLE


def left_out(
    scene: Scene, said: op.CreateIndex, known: KnownIndex
) -> tuple[tuple[TextEdit, ...], tuple[str, str] | None]:
    """How a new index goes that another one makes superfluous.

    A unique one stays where the other may be that of a deferrable constraint, which serves no ON
    CONFLICT, and one of a partitioned table, whose parts may have theirs from elsewhere.

    Returns:
        The edits, and the names that they exchange.
    """
    table = scene.table(said.table)
    doubtful = said.nulls_equal or (said.unique and known.constraint)
    if table is None or table.partitioned or table.partition_of or doubtful:
        return (), None
    name = said.name or index_name(said.table.name, said.columns, table.indexes)
    return leave_out(scene, said), (name, known.name)
