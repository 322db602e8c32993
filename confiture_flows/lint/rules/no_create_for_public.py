"""Let not everybody create objects in a schema.

Who can create objects in a schema of the search_path can put functions and operators before
those that others call (CVE-2018-1058).

**Anti-pattern**

```sql
GRANT CREATE ON SCHEMA public TO PUBLIC;
```

**Best practice**

```sql
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
```

Source: PostgreSQL wiki, A Guide to CVE-2018-1058
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Grant, scene: Scene) -> Iterator[Problem]:
    creates = not said.privileges or "create" in said.privileges
    if said.object_kind == "schema" and creates and not said.revoke and "public" in said.grantees:
        yield Problem(
            f"Every role may create objects in {', '.join(map(str, said.objects))}.",
            "Grant CREATE to the roles that need it; USAGE is enough for the others.",
        )


RULES = (
    Rule(
        code="CF78",
        name="security.no_create_for_public",
        category="security",
        severity=Severity.ERROR,
        on=(op.Grant,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
