"""Add primary keys by an index that was built concurrently.

ADD PRIMARY KEY builds its index under ACCESS EXCLUSIVE. `--fix` builds it before where no column
can be null; where one can, PostgreSQL would read all rows for nulls all the same (CF1G).

**Anti-pattern**

```sql
ALTER TABLE users ADD PRIMARY KEY (id);
```

**Best practice**

```sql
CREATE UNIQUE INDEX CONCURRENTLY users_pkey ON users (id);
ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey;
```

Source: PostgreSQL docs, ALTER TABLE, ADD table_constraint_using_index
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._steps import take_index_over
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddConstraint | op.AddColumn, scene: Scene) -> Iterator[Problem]:
    given = said.column.constraints if isinstance(said, op.AddColumn) else (said.constraint,)
    if scene.empty(said.table):
        return
    for each in given:
        if each.kind is not ConstraintKind.PRIMARY_KEY or each.using_index:
            continue
        table = scene.table(said.table)
        proven = table and all(map(table.never_null, each.columns))
        yield Problem(
            f"Nobody can use {said.table} while the index of its primary key is built.",
            "Build a unique index CONCURRENTLY, then ADD PRIMARY KEY USING INDEX.",
            table=said.table,
            edits=take_index_over(scene, said, each, said.table) if proven else (),
        )


RULES = (
    Rule(
        code="CF17",
        name="safety.primary_key_using_index",
        category="locks",
        severity=Severity.ERROR,
        on=(
            op.AddConstraint,
            op.AddColumn,
        ),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
