"""Refresh materialized views concurrently.

REFRESH MATERIALIZED VIEW keeps readers out until the query has ended. CONCURRENTLY needs a
unique index on plain columns of the view, without a condition.

**Anti-pattern**

```sql
REFRESH MATERIALIZED VIEW totals;
```

**Best practice**

```sql
CREATE UNIQUE INDEX totals_day ON totals (day);
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
```

Source: PostgreSQL docs, REFRESH MATERIALIZED VIEW
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_after
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Maintain, scene: Scene) -> Iterator[Problem]:
    if said.command != "refresh" or not said.with_data:
        return
    view = scene.state.views.get(scene.state.full(said.names[0]))
    usable = view is not None and any(
        each.unique and not each.partial and all(each.names) for each in view.indexes.values()
    )
    if said.concurrently:
        if view is not None and not usable:
            yield Problem(
                f"{said.names[0]} has no unique index, so PostgreSQL refuses CONCURRENTLY.",
                "Create a unique index on plain columns of the view first.",
                severity=Severity.ERROR,
            )
        return
    new = any(
        isinstance(each, op.CreateView) and each.view == said.names[0] for each in scene.earlier()
    )
    if new:
        return
    yield Problem(
        f"Nobody can read {said.names[0]} while it is refreshed.",
        "Write REFRESH MATERIALIZED VIEW CONCURRENTLY"
        + ("." if usable else "; it needs a unique index first."),
        table=said.names[0],
        edits=insert_after(scene, said, "VIEW", " CONCURRENTLY") if usable else (),
    )


RULES = (
    Rule(
        code="CF07",
        name="safety.require_concurrent_refresh",
        category="locks",
        severity=Severity.WARNING,
        on=(op.Maintain,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
