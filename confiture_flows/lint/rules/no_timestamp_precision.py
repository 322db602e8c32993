"""Store moments in full precision.

timestamptz(0) rounds instead of cutting: a moment may be stored that is half a second in the
future.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz(0));
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
from confiture_flows.lint._retype import remove_precision
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.CreateTable | op.AddColumn | op.AlterColumnType, scene: Scene
) -> Iterator[Problem]:
    for column, kind in written_types(said):
        if (
            not kind.name.schema
            and kind.name.name in ("timestamp", "timestamptz")
            and kind.modifiers == (0,)
        ):
            yield Problem(
                f"{column} rounds to whole seconds, also up.",
                "Leave the precision out, and use date_trunc where it is read.",
                edits=remove_precision(scene, said, column),
            )


RULES = (
    Rule(
        code="CF52",
        name="types.no_timestamp_precision",
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
        fixable=True,
    ),
)
