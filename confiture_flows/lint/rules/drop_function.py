"""Drop a function only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. To change a function, use CREATE OR REPLACE FUNCTION.

**Anti-pattern**

```sql
DROP FUNCTION total(int);
```

**Best practice**

```sql
CREATE OR REPLACE FUNCTION total(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
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
    if said.object_kind not in ("function", "procedure", "routine", "aggregate"):
        return
    if scene.new(said.name) or made_before(scene, said):
        return
    yield Problem(
        f"Programs that still call {said.name} fail.",
        "Release a version that does not use it first; drop it in a later migration.",
    )


RULES = (
    Rule(
        code="CF32",
        name="compat.drop_function",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.DropObject,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
