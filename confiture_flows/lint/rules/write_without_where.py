"""Change rows in batches, by a condition.

An UPDATE or DELETE without WHERE writes all rows in one transaction: their locks, the WAL and
the dead rows last until it ends.

**Anti-pattern**

```sql
UPDATE orders SET paid = false;
```

**Best practice**

```sql
UPDATE orders SET paid = false WHERE id BETWEEN 1 AND 10000;
```

`--fix` mends one case: a column that the statement before has added, filled with a constant. It
gets the constant as its default and loses it again, and no row is written. In what batches other
rows can be written no program can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._fills import fill_by_default
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.severity import Duration
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.ModifyData, scene: Scene) -> Iterator[Problem]:
    if said.command not in ("update", "delete") or said.filtered or scene.new(said.table):
        return
    yield Problem(
        f"{said.command.upper()} without WHERE writes all rows of {said.table} at once.",
        "Add a condition, and do it in batches, outside of the migration that changes the schema.",
        table=said.table,
        duration=Duration.REWRITE,
        edits=fill_by_default(scene, said),
    )


RULES = (
    Rule(
        code="CF41",
        name="compat.write_without_where",
        category="data",
        severity=Severity.WARNING,
        on=(op.ModifyData,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=True,
    ),
)
