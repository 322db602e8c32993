"""Texts -> SQL: literals, lists, and a digest that is computed once a row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def literal(text: str) -> str:
    """A text as an SQL literal, whatever standard_conforming_strings is."""
    quoted = text.replace("'", "''")
    return f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if chr(92) in text else f"'{quoted}'"


def entry(texts: Sequence[str], index: str) -> str:
    """The SQL for one of a list, by an index from 0.

    A document finds its n-th text at once; an array of texts walks there, which takes half a
    microsecond with 449 of them.
    """
    document = json.dumps(tuple(texts), ensure_ascii=False)
    return f"({literal(document)}::jsonb ->> ({index})::int)"


def once(expression: str, name: str, within: str) -> str:
    """The SQL of an expression that uses another one several times, computed once a row.

    Args:
        expression: What is computed.
        name: As `within` calls it.
        within: What uses it.
    """
    # OFFSET 0 keeps the planner from putting the expression wherever its name stands.
    inner = f"SELECT {expression} AS {name} OFFSET 0"
    return f"(SELECT {within} FROM ({inner}) AS computed)"  # noqa: S608 - SQL is what it makes
