"""Grant nothing to PUBLIC.

PUBLIC is every role, also those that are made later.

**Anti-pattern**

```sql
GRANT SELECT ON orders TO PUBLIC;
```

**Best practice**

```sql
GRANT SELECT ON orders TO reporting;
```

Source: PostgreSQL docs, GRANT
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Grant, scene: Scene) -> Iterator[Problem]:
    if said.revoke or "public" not in said.grantees or said.object_kind in ("type", "language"):
        return
    creates = not said.privileges or "create" in said.privileges
    if said.object_kind == "schema" and creates:
        return
    later = "made later " if said.default else ""
    names = ", ".join(map(str, said.objects)) or f"{said.object_kind}s {later}".strip()
    yield Problem(f"Every role gets rights on {names}.", "Name the roles that need them.")


RULES = (
    Rule(
        code="CF77",
        name="security.no_grant_to_public",
        category="security",
        severity=Severity.WARNING,
        on=(op.Grant,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
