"""Change the type of a column only where its values stay as they are.

Most changes of a type write the table and its indexes anew under ACCESS EXCLUSIVE. Some do not:
a longer or unlimited varchar, varchar to text, more digits of a numeric at the same scale, cidr
to inet, and a timestamp to timestamptz where the file has SET timezone = 'UTC' before. They are
recognised where the history tells the old type.

**Anti-pattern**

```sql
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN id_new bigint;
-- keep it in step by a trigger, fill old rows in batches, then swap the two
```

Source: PostgreSQL docs, ALTER TABLE, Notes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._types import keeps_rows
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AlterColumnType, scene: Scene) -> Iterator[Problem]:
    if scene.empty(said.table):
        return
    table = scene.table(said.table)
    old = table.columns.get(said.column) if table else None
    if keeps_rows(said, scene, scene.state):
        return
    was = f" from {old.type}" if old else ""
    unsure = old is None and (said.type.name.name in ("text", "varchar") or not said.type.builtin)
    yield Problem(
        f"{said.table} may be written anew: {said.column} changes{was} to {said.type}.",
        "Add a column of the new type, fill it in batches, and swap the two.",
        table=said.table,
        severity=Severity.WARNING if unsure else None,
    )


RULES = (
    Rule(
        code="CF11",
        name="safety.change_column_type",
        category="rewrite",
        severity=Severity.ERROR,
        on=(op.AlterColumnType,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
