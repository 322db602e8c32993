"""Whether two indexes are one. Shared by the rules about indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.lint.catalog import KnownIndex
    from confiture_flows.sql import operation as op


def same_index(known: KnownIndex, said: op.CreateIndex) -> bool:
    """Whether an index does all that a new one would do."""
    same = (known.columns, known.method, known.include) == (said.columns, said.method, said.include)
    condition = said.where.sql if said.where else ""
    return same and known.partial == condition and (known.unique or not said.unique)
