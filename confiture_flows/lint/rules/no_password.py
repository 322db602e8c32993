r"""Write no password into a migration.

A password in a file is in the history of the repository for ever, and in the server's log.

**Anti-pattern**

```sql
CREATE ROLE app LOGIN PASSWORD 'secret';
```

**Best practice**

```sql
CREATE ROLE app LOGIN;
-- the password is set by whoever keeps secrets: \\password app
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateObject | op.AlterObject, scene: Scene) -> Iterator[Problem]:
    if said.password:
        yield Problem(
            f"The password of {said.name} stands in the file.",
            "Take it out, set another one by hand or from a secret store.",
        )


RULES = (
    Rule(
        code="CF79",
        name="security.no_password",
        category="security",
        severity=Severity.ERROR,
        on=(
            op.CreateObject,
            op.AlterObject,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
