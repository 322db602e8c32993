"""A name -> how it has to be written in SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.sql.parts import ObjectName

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")


def quoted_name(name: str) -> str:
    """A name as PostgreSQL reads it back: in quotes where it would become another, or a keyword."""
    import postgast

    if _PLAIN.fullmatch(name):
        (token,) = postgast.scan(name).tokens
        # 0 is no keyword, 1 one that may be a name.
        if token.keyword_kind <= 1:
            return name
    return '"' + name.replace('"', '""') + '"'


def quoted_object(name: ObjectName) -> str:
    """The name of an object, with its schema where it has one."""
    return ".".join(quoted_name(part) for part in name if part)
