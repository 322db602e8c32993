"""Which changes of a type leave values as they are, and what settings say. Shared by the rules."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import SERIAL_TYPES

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene
    from confiture_flows.lint.state import KnownState
    from confiture_flows.sql.parts import TypeName

_STRINGS = {"text", "varchar"}
# Types whose one modifier limits what is stored: more, or none, reads the old values as they are.
_WITH_A_LIMIT = {"varchar", "varbit", "timestamp", "timestamptz", "time", "timetz", "interval"}
_UTC = ("UTC", "GMT", "ETC/UTC", "ETC/GMT", "ZULU")
_UNITS = {"": 1, "ms": 1, "us": 0.001, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def keeps_rows(said: op.AlterColumnType, scene: Scene, known: KnownState) -> bool:
    """Whether a change of a type leaves the rows of the table as they are.

    Args:
        said: The change.
        scene: Where it stands.
        known: What there was before it.
    """
    table = known.table(said.table)
    old = table.columns.get(said.column) if table else None
    if old is None or said.using:
        return False
    zones = (
        each.value or ""
        for each in scene.earlier()
        if isinstance(each, op.Setting) and each.name.lower() == "timezone"
    )
    zone = "".join(deque(zones, maxlen=1))
    return in_place(old.type, said.type, utc=zone.upper() in _UTC)


def in_place(old: TypeName, new: TypeName, *, utc: bool = False) -> bool:
    """Whether PostgreSQL changes a column from one type to the other without writing it anew.

    Args:
        old: The type that it has.
        new: The type that it gets.
        utc: Whether the session's time zone is known to be UTC, where moments with and without a
            time zone are the same bytes.

    Source: PostgreSQL docs, ALTER TABLE, Notes; pg_cast; varchar_support and its like in the
    server's source.
    """
    if old.array != new.array or old.name.schema or new.name.schema:
        return old == new
    before = SERIAL_TYPES.get(old.name.name, old.name.name)
    after = new.name.name
    if before in _STRINGS and after in _STRINGS:
        # Text has no limit; a varchar grows, or loses its limit.
        return not new.modifiers or (bool(old.modifiers) and new.modifiers[0] >= old.modifiers[0])
    if (before, after) == ("cidr", "inet"):
        return True
    if {before, after} == {"timestamp", "timestamptz"}:
        return utc and not new.modifiers
    if before != after:
        return False
    if old.modifiers == new.modifiers:
        return True
    if before in _WITH_A_LIMIT:
        return not new.modifiers or (bool(old.modifiers) and new.modifiers[0] >= old.modifiers[0])
    if before == "numeric":
        return not new.modifiers or (
            bool(old.modifiers)
            and new.modifiers[0] >= old.modifiers[0]
            and old.modifiers[1:] == new.modifiers[1:]
        )
    return False


def milliseconds(value: str) -> float | None:
    """A time setting in milliseconds; None when it cannot be read."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(\w*)\s*", value)
    if match is None or match[2].lower() not in _UNITS:
        return None
    return float(match[1]) * _UNITS[match[2].lower()]


def base_type(kind: TypeName) -> str:
    """A type without its limits; a serial is the integer that it is."""
    name = kind.name.name if not kind.name.schema else str(kind.name)
    plain = SERIAL_TYPES.get(name, name)
    return ("text" if plain in _STRINGS else plain) + ("[]" if kind.array else "")
