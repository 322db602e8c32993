"""Fix the search_path of SECURITY DEFINER functions.

The function runs with its owner's rights and the caller's search_path: who can create objects
in any schema there decides what its names mean.

**Anti-pattern**

```sql
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
```

**Best practice**

```sql
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
```

Source: PostgreSQL docs, CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateFunction, scene: Scene) -> Iterator[Problem]:
    if not said.security_definer or "search_path" in said.sets:
        return
    for each in scene.later():
        if isinstance(each, op.AlterObject) and each.object_kind == "function":
            fixed = each.name == said.name
            if fixed:
                return
    yield Problem(
        f"{said.name} runs with its owner's rights and its caller's search_path.",
        "Add SET search_path = '' and qualify the names in its body.",
    )


RULES = (
    Rule(
        code="CF73",
        name="security.definer_search_path",
        category="security",
        severity=Severity.WARNING,
        on=(op.CreateFunction,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
