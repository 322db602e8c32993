"""A column -> what stands for "nothing to see" in its type, for values that are redacted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.anonymization.strategy import Column

_BY_TYPE = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name"), ""),
    **dict.fromkeys(("int2", "int4", "int8", "numeric", "float4", "float8", "money"), "0"),
    **dict.fromkeys(("json", "jsonb", "hstore"), "{}"),
    **dict.fromkeys(("date", "timestamp"), "1970-01-01"),
    **dict.fromkeys(("inet", "cidr"), "0.0.0.0"),  # noqa: S104 - a value
    "hstore": "",
    "timestamptz": "1970-01-01 00:00:00+00",
    "time": "00:00:00",
    "timetz": "00:00:00+00",
    "interval": "0",
    "bool": "f",
    "bytea": "\\x",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "macaddr": "00:00:00:00:00:00",
    "point": "(0,0)",
    "xml": "",
    "tsvector": "",
}


def neutral_literal(column: Column) -> str | None:
    """The text form of a value that says nothing; None where the type has none."""
    return "{}" if column.type.endswith("[]") else _BY_TYPE.get(column.type)
