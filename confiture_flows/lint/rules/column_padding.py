"""Put wide columns before narrow ones.

A bigint begins at a multiple of eight bytes: a boolean before it takes eight bytes, not one, in
each row. Told from eight bytes a row on, of the columns before the first whose length differs
from row to row.

**Anti-pattern**

```sql
CREATE TABLE t (paid boolean, id bigint PRIMARY KEY, sent boolean, at timestamptz);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz, paid boolean, sent boolean);
```

Source: PostgreSQL docs, pg_type, typlen and typalign
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import SERIAL_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import TypeName

# Bytes a row. Less is nothing that anybody would write a table anew for.
_TOLD = 8
# Length and alignment. Source: typlen and typalign of pg_type, PostgreSQL 15 to 18.
_FIXED = {
    "bool": (1, 1),
    "uuid": (16, 1),
    "int2": (2, 2),
    "int4": (4, 4),
    "float4": (4, 4),
    "date": (4, 4),
    "oid": (4, 4),
    "macaddr": (6, 4),
    "macaddr8": (8, 4),
    "int8": (8, 8),
    "float8": (8, 8),
    "money": (8, 8),
    "time": (8, 8),
    "timetz": (12, 8),
    "timestamp": (8, 8),
    "timestamptz": (8, 8),
    "interval": (16, 8),
    "point": (16, 8),
}


def _check(said: op.CreateTable, scene: Scene) -> Iterator[Problem]:
    if said.inherits or said.like or said.partition_of or said.foreign:
        return
    sizes: list[tuple[int, int]] = []
    for column in said.columns:
        size = _size(column.type, scene)
        if size is None:
            break
        sizes.append(size)
    lost = _length(sizes) - _length(sorted(sizes, key=lambda each: -each[1]))
    if lost >= _TOLD:
        yield Problem(
            f"The order of its columns costs {said.table} {lost} bytes in each row.",
            "Put columns of eight bytes first, then of four, then of two and of one.",
        )


def _size(kind: TypeName, scene: Scene) -> tuple[int, int] | None:
    """The length and alignment of a type, if all its values have one length."""
    if kind.array:
        return None
    known = scene.state.types.get(scene.state.full(kind.name))
    if known and known.kind == "enum":
        return 4, 4
    name = SERIAL_TYPES.get(kind.name.name, kind.name.name)
    return None if kind.name.schema else _FIXED.get(name)


def _length(sizes: list[tuple[int, int]]) -> int:
    at = 0
    for length, alignment in sizes:
        at += -at % alignment + length
    return at


RULES = (
    Rule(
        code="CF59",
        name="design.column_padding",
        category="design",
        severity=Severity.INFO,
        on=(op.CreateTable,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
