"""Write no policy that lets everybody do everything.

USING (true) for all commands lets anybody with rights on the table see and change all rows, as
if there were no row security.

**Anti-pattern**

```sql
CREATE POLICY open ON notes USING (true);
```

**Best practice**

```sql
CREATE POLICY own ON notes USING (owner = current_user);
```

Source: PostgreSQL docs, CREATE POLICY
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.WritePolicy, scene: Scene) -> Iterator[Problem]:
    conditions = [each for each in (said.using, said.check) if each]
    true = bool(conditions) and all(each.literal == "true" for each in conditions)
    if true and said.permissive and said.command != "select" and set(said.roles) <= {"public"}:
        yield Problem(
            f"The policy {said.name} lets everybody write all rows of {said.table}.",
            "Say which rows, or for which role.",
        )


RULES = (
    Rule(
        code="CF76",
        name="security.no_policy_for_all",
        category="security",
        severity=Severity.WARNING,
        on=(op.WritePolicy,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
