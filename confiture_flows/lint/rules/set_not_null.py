"""Prove that a column has no nulls before it becomes NOT NULL.

SET NOT NULL reads the whole table under ACCESS EXCLUSIVE, unless a valid CHECK (column IS NOT
NULL) has proven it already (PostgreSQL 12).

**Anti-pattern**

```sql
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_user_set CHECK (user_id IS NOT NULL) NOT VALID;
-- in a later migration:
ALTER TABLE orders VALIDATE CONSTRAINT orders_user_set;
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_user_set;
```

`--fix` writes these four steps where the statement is alone in its file, or runs outside of a
transaction already: in one transaction the first step would lock the table until the last.

Source: PostgreSQL docs, ALTER TABLE, SET NOT NULL
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._steps import prove_not_null
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AlterColumn, scene: Scene) -> Iterator[Problem]:
    if said.change != "set not null" or scene.empty(said.table):
        return
    table = scene.table(said.table)
    if table and table.never_null(said.column):
        return
    yield Problem(
        f"Nobody can use {said.table} while it is read for nulls in {said.column}.",
        f"Add CHECK ({said.column} IS NOT NULL) NOT VALID and validate it in a migration before.",
        table=said.table,
        edits=prove_not_null(scene, said),
    )


RULES = (
    Rule(
        code="CF12",
        name="safety.set_not_null_without_valid_check",
        category="locks",
        severity=Severity.ERROR,
        on=(op.AlterColumn,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
