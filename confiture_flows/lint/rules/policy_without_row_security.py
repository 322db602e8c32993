"""Enable row security where there are policies.

A policy does nothing until the table says ENABLE ROW LEVEL SECURITY: all rows stay visible.

**Anti-pattern**

```sql
CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
CREATE POLICY own ON notes USING (owner = current_user);
```

**Best practice**

```sql
CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user);
```

Source: PostgreSQL docs, Row Security Policies
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import End
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: End, scene: Scene) -> Iterator[Problem]:
    for each in scene.operations(op.WritePolicy):
        table = scene.table(each.table)
        if table and not table.row_security:
            yield Problem(
                f"The policy {each.name} does nothing: row security of {each.table} is off.",
                "Add ALTER TABLE ... ENABLE ROW LEVEL SECURITY.",
                at=each,
            )


RULES = (
    Rule(
        code="CF74",
        name="security.policy_without_row_security",
        category="security",
        severity=Severity.ERROR,
        on=(End,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
