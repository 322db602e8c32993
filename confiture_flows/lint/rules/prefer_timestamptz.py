"""Store moments as timestamptz.

timestamp without time zone is the picture of a clock without its place: two sessions with
different time zones read and write different moments.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamp);
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
from confiture_flows.lint._retype import replace_type
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.CreateTable | op.AddColumn | op.AlterColumnType, scene: Scene
) -> Iterator[Problem]:
    for column, kind in written_types(said):
        if not kind.name.schema and kind.name.name == "timestamp":
            yield Problem(
                f"{column} is a timestamp without time zone.",
                "Use timestamptz.",
                edits=replace_type(scene, said, column, {"timestamp": "timestamptz"}),
            )


RULES = (
    Rule(
        code="CF44",
        name="types.prefer_timestamptz",
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
        fixable=True,
    ),
)
