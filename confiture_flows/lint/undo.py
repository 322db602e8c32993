"""A known state and a way back -> the state after it, where all that it does is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.migration import Script
from confiture_flows.sql import operation as op
from confiture_flows.sql.operations import read_once

if TYPE_CHECKING:
    from confiture_flows.lint.script import LintedScript
    from confiture_flows.lint.state import KnownState
    from confiture_flows.migrations.migration import Runnable

# Whose effect nobody can tell, or that hold a transaction which may take things back.
_UNSURE = (op.Unread, op.RunBlock, op.TransactionControl)


def undone_state(
    before: KnownState, state: KnownState, up: LintedScript, down: Runnable | None
) -> KnownState | None:
    """The state after the way back; None when there is none or not all of it is known.

    Args:
        before: The state before the way forward.
        state: The state after it.
        up: The way forward.
        down: The way back.
    """
    if not isinstance(down, Script) or down.placeholders:
        return None
    # What the way forward says is known: it goes first, and spares reading the way back.
    forward = [each for statement in up.statements for each in statement.operations]
    if any(isinstance(each, _UNSURE) for each in forward):
        return None
    dropped = [each for each in forward if isinstance(each, op.DropObject)]
    if any(each.object_kind == "table" and not before.table(each.name) for each in dropped):
        return None  # the history has not made what is dropped
    try:
        back = [
            each
            for piece in down.pieces()
            for statement in read_once(piece.text)
            for each in statement.operations
        ]
    except MigrationFileError:
        return None
    # Without a statement it says that there is nothing to undo, or that nobody cares.
    if not back or any(isinstance(each, _UNSURE) for each in back):
        return None
    undone = state.snapshot()
    for each in back:
        undone.apply(each)
    return undone
