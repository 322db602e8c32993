"""Drop what nothing else reads.

The history has made a view of the table or view that is dropped. Without CASCADE the statement
fails; with CASCADE the view goes too, whoever uses it.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE VIEW totals AS SELECT count(*) FROM orders;
-- in a later migration:
DROP TABLE orders CASCADE;
```

**Best practice**

```sql
-- in a later migration:
DROP VIEW totals;
DROP TABLE orders;
```

Source: PostgreSQL docs, Dependency Tracking
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


_READ = ("table", "foreign table", "view", "materialized view")


def _check(said: op.DropObject, scene: Scene) -> Iterator[Problem]:
    if said.object_kind not in _READ or said.inside is not Inside.SCRIPT:
        return
    name = scene.state.full(said.name)
    together = {
        scene.state.full(each.name)
        for each in scene.statement.operations
        if isinstance(each, op.DropObject) and each.object_kind in _READ
    }
    if name not in scene.state.tables and name not in scene.state.views:
        return
    readers = [
        str(view.name)
        for view in scene.state.views.values()
        if name in view.reads and view.name not in together
    ]
    if not readers:
        return
    if said.cascade:
        yield Problem(
            f"CASCADE also drops what reads {said.name}: {', '.join(readers)}.",
            "Drop it by name first, so that a reader sees what goes.",
            severity=Severity.WARNING,
        )
    else:
        yield Problem(
            f"PostgreSQL refuses to drop {said.name}, which is read by {', '.join(readers)}.",
            "Drop or replace the view first.",
        )


RULES = (
    Rule(
        code="CF43",
        name="compat.drop_with_dependents",
        category="breaking",
        severity=Severity.ERROR,
        on=(op.DropObject,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
