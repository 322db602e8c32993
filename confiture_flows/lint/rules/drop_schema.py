"""Drop a schema or database only when nothing in it is used.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. With CASCADE all that is in it goes too.

**Anti-pattern**

```sql
DROP SCHEMA shop CASCADE;
```

**Best practice**

```sql
-- drop what is in it one by one, then, knowingly:
DROP SCHEMA shop; -- noqa: CF29
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._breaking import made_before
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.DropObject, scene: Scene) -> Iterator[Problem]:
    if said.object_kind not in ("schema", "database"):
        return
    if scene.new(said.name) or made_before(scene, said):
        return
    yield Problem(
        f"All that is in {said.name} is gone for those who use it.",
        "Release a version that does not use it first; drop it in a later migration.",
    )


RULES = (
    Rule(
        code="CF29",
        name="compat.drop_schema",
        category="breaking",
        severity=Severity.ERROR,
        on=(op.DropObject,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
