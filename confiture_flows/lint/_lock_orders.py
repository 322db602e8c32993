"""The transactions of a script -> which tables each locks before which others. Pure values."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside, LockMode, ObjectName
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.lint.script import LintedScript
    from confiture_flows.lint.state import KnownState

TablePair = tuple[ObjectName, ObjectName]

# Tables of one transaction: pairs grow with their square, and a script may lock them all.
_MOST_TABLES = 40


def lock_orders(
    script: LintedScript, before: KnownState, pending: frozenset[str]
) -> Iterator[dict[TablePair, tuple[op.Operation, LockMode]]]:
    """The pairs of tables that each transaction locks against writes, the first of both first.

    Args:
        script: The script.
        before: What there was before it; what is made later is nobody's yet.
        pending: The versions that are judged with it.

    Returns:
        A mapping a transaction, of the pairs to what locks the second of them, and how.
    """
    made = {each.table for each in _operations(script) if isinstance(each, op.CreateTable)}
    last: int | None = None
    held: dict[ObjectName, tuple[op.Operation, LockMode]] = {}
    for number, statement in enumerate(script.statements):
        transaction = script.transactions[number]
        if transaction is None or transaction != last:
            if len(held) > 1:
                yield _pairs(held)
            held = {}
        last = transaction
        for each in statement.operations:
            if each.inside is Inside.FUNCTION or len(held) >= _MOST_TABLES:
                continue
            for lock in work_of(each).locks:
                if not lock.mode.blocks_writes or lock.object_kind != "table":
                    continue
                name = before.full(lock.name)
                if name not in held and lock.name not in made and _is_used(before, name, pending):
                    held[name] = each, lock.mode
    if len(held) > 1:
        yield _pairs(held)


def _operations(script: LintedScript) -> Iterator[op.Operation]:
    for statement in script.statements:
        yield from statement.operations


def _is_used(before: KnownState, name: ObjectName, pending: frozenset[str]) -> bool:
    """Whether others may use a table: it was there before, or may have been."""
    known = before.tables.get(name)
    if known is None:
        return not before.complete and name not in before.views
    return known.made_in not in pending and known.persistence != "temporary"


def _pairs(
    held: dict[ObjectName, tuple[op.Operation, LockMode]],
) -> dict[TablePair, tuple[op.Operation, LockMode]]:
    return {(first, second): held[second] for first, second in combinations(held, 2)}
