"""Store exact numbers as numeric.

float4 has six digits, float8 fifteen, and both round in binary: sums of amounts are wrong by a
bit. For measurements they are right; say so with noqa, or switch the rule off.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, price real);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, price numeric(12, 2));
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
        if not kind.name.schema and kind.name.name == "float4":
            yield Problem(
                f"{column} is a float4, which has six digits.",
                "Use numeric for amounts, double precision for measurements.",
            )


RULES = (
    Rule(
        code="CF50",
        name="types.no_float",
        category="types",
        severity=Severity.INFO,
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
