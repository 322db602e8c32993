"""Store no time of day with a time zone.

Without a date nobody knows whether daylight saving time applies, so the offset of a timetz
means nothing.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timetz);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz);
```

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._columns import written_types
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.CreateTable | op.AddColumn | op.AlterColumnType, scene: Scene
) -> Iterator[Problem]:
    for column, kind in written_types(said):
        if not kind.name.schema and kind.name.name == "timetz":
            yield Problem(
                f"{column} is a time with time zone, which means nothing without a date.",
                "Use timestamptz, or time.",
            )


RULES = (
    Rule(
        code="CF53",
        name="types.no_timetz",
        category="types",
        severity=Severity.WARNING,
        on=(
            op.CreateTable,
            op.AddColumn,
            op.AlterColumnType,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
