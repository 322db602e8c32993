"""Whether an operation leaves the known state saying all there is. Shared with `state.py` only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import IN_FUNCTION, IN_SCRIPT, Expression
from confiture_flows.sql.volatility import is_volatile

if TYPE_CHECKING:
    from confiture_flows.lint.state import KnownState

# What a query may call without making a table; `is_volatile` knows the rest.
_HARMLESS = {"count", "max", "min", "pg_get_serial_sequence", "set_config", "sum"}


def tells_all(state: KnownState, said: op.Operation) -> bool:
    """Whether the state is still all that there is after an operation."""
    if said.inside is IN_FUNCTION:
        return True
    match said:
        case op.Unread() | op.OtherStatement() | op.RenameObject(object_kind="schema"):
            return False
        case op.Query(functions=functions):
            return all(_harmless(each) for each in functions)
        case op.DropObject(object_kind=kind) | op.RenameObject(object_kind=kind):
            # Whether a condition in a DO block was true, nobody knows.
            return said.inside is IN_SCRIPT or kind not in ("table", "schema", "view")
        case op.AlterObject(change="schema", object_kind=kind):
            return kind == "table" and state.table(said.name) is not None
        case op.TableOperation(table=table):
            return state.knows_relation(table)
        case _:
            return True


def _harmless(function: str) -> bool:
    return function in _HARMLESS or is_volatile(Expression("", (function,))) is not None
