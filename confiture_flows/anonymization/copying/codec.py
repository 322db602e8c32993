"""A column's oid -> from PostgreSQL's text to psycopg's objects, and back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from psycopg import DataError
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format

from confiture_flows.anonymization.strategy import UnfitValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

_JSON = ("json", "jsonb")
_HALVES = re.compile("[\ud800-\udfff]")


def codec_for(
    oid: int, kind: str, conn: Connection
) -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    """How values of a type become objects, and objects text again.

    The first raises UnfitValue where Python has no such object: infinity and years before Christ
    are no date, and numbers of thousands of digits are not read.

    Args:
        oid: The type's; one that psycopg does not know gives text.
        kind: Its name in pg_type.
        conn: Whose adapters are used.
    """
    if kind in _JSON:
        # Text as it is: an adapter would have to be told that a dict or a list is meant as JSON.
        return _load_json, _dump_json
    transformer = Transformer(conn)
    load_bytes = transformer.get_loader(oid, Format.TEXT).load

    def load(value: str) -> Any:
        try:
            return load_bytes(value.encode())
        except (DataError, ValueError):
            raise UnfitValue from None

    def dump(value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, bytes | bytearray | memoryview):
            return "\\x" + bytes(value).hex()
        if isinstance(value, bool):
            return "t" if value else "f"
        made = transformer.get_dumper(value, PyFormat.TEXT).dump(value)
        return "" if made is None else bytes(made).decode()

    return load, dump


def _load_json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise UnfitValue from None


def _dump_json(value: Any) -> str:
    made = json.dumps(value, ensure_ascii=False)
    # A json may hold half a character, if it is written as an escape.
    return made if made.isascii() or not _HALVES.search(made) else json.dumps(value)
