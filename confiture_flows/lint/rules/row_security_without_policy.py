"""Give a table with row security a policy.

Row security without a policy hides all rows from everybody but the owner.

**Anti-pattern**

```sql
CREATE TABLE notes (id bigint PRIMARY KEY);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
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
    for each in scene.operations(op.AlterTable):
        table = scene.table(each.table)
        if each.change == "enable row security" and table and not table.policies:
            yield Problem(
                f"Nobody but the owner of {each.table} sees a row: it has no policy.",
                "Create the policies in the same migration.",
                at=each,
            )


RULES = (
    Rule(
        code="CF75",
        name="security.row_security_without_policy",
        category="security",
        severity=Severity.WARNING,
        on=(End,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
