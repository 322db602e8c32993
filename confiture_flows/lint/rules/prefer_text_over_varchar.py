"""Limit the length of text by a CHECK, if at all.

varchar(n) is stored like text. A CHECK says the same, and can be changed without a lock that
blocks readers for long.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, name varchar(50));
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, name text CHECK (length(name) <= 50));
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
        if not kind.name.schema and kind.name.name == "varchar" and kind.modifiers:
            yield Problem(
                f"{column} is limited to {kind.modifiers[0]} characters by its type.",
                "Use text, with a CHECK where the length matters.",
            )


RULES = (
    Rule(
        code="CF49",
        name="types.prefer_text_over_varchar",
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
