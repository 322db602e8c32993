"""Give a foreign key the type of the key that it points to.

PostgreSQL compares int4 with int8, and an index cannot always help; when the key passes
2,147,483,647 the smaller column cannot hold it.

**Anti-pattern**

```sql
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id int REFERENCES users);
```

**Best practice**

```sql
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._types import base_type
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.CreateTable | op.AddColumn | op.AddConstraint, scene: Scene
) -> Iterator[Problem]:
    table = scene.table(said.table)
    columns = dict(table.columns) if table else {}
    if isinstance(said, op.CreateTable):
        columns, given = {each.name: each for each in said.columns}, said.all_constraints
    elif isinstance(said, op.AddColumn):
        columns[said.column.name], given = said.column, said.column.constraints
    else:
        given = (said.constraint,)
    for each in given:
        other = scene.table(each.references)
        if other is None:
            continue
        key = each.referenced or (other.primary_key.columns if other.primary_key else ())
        for own_name, other_name in zip(each.columns, key, strict=False):
            own, theirs = columns.get(own_name), other.columns.get(other_name)
            if own and theirs and base_type(own.type) != base_type(theirs.type):
                yield Problem(
                    f"{said.table}.{own_name} is {own.type}, {each.references}.{other_name} is "
                    f"{theirs.type}.",
                    "Give both the same type.",
                )


RULES = (
    Rule(
        code="CF70",
        name="constraint.foreign_key_types",
        category="constraint",
        severity=Severity.WARNING,
        on=(
            op.CreateTable,
            op.AddColumn,
            op.AddConstraint,
        ),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
