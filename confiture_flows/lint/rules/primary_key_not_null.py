"""Let the columns of a primary key be NOT NULL before an index becomes it.

ADD PRIMARY KEY USING INDEX makes its columns NOT NULL. Where one is not so yet, and no valid CHECK
says it, all rows are read for nulls under ACCESS EXCLUSIVE.

**Anti-pattern**

```sql
CREATE TABLE users (id bigint);
CREATE UNIQUE INDEX users_id ON users (id);
-- in a later migration:
ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id;
```

**Best practice**

```sql
ALTER TABLE users ADD CONSTRAINT id_is_set CHECK (id IS NOT NULL) NOT VALID;
-- in a later migration:
ALTER TABLE users VALIDATE CONSTRAINT id_is_set;
ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id;
ALTER TABLE users DROP CONSTRAINT id_is_set;
```

Source: PostgreSQL docs, ALTER TABLE, ADD table_constraint_using_index
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddConstraint, scene: Scene) -> Iterator[Problem]:
    table, key = scene.table(said.table), said.constraint
    if table is None or key.kind is not ConstraintKind.PRIMARY_KEY or scene.empty(said.table):
        return
    index = table.indexes.get(key.using_index)
    names = [name for name in index.names if not table.never_null(name)] if index else []
    if names:
        yield Problem(
            f"{said.table} is read for nulls: {', '.join(names)} may be null.",
            "Let the columns be NOT NULL first, by a validated CHECK.",
            table=said.table,
        )


RULES = (
    Rule(
        code="CF1G",
        name="safety.primary_key_not_null",
        category="locks",
        severity=Severity.ERROR,
        on=(op.AddConstraint,),
        check=_check,
        modes="H",
        doc=__doc__,
    ),
)
