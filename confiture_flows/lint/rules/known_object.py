"""Change only what is there.

The history has made the table, and no column, constraint or index of the name that the statement
speaks of: it fails on a database that was made from the same migrations.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
ALTER TABLE orders DROP COLUMN note;
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.DropColumn | op.AlterColumn | op.AlterColumnType | op.AlterConstraint | op.DropObject,
    scene: Scene,
) -> Iterator[Problem]:
    if isinstance(said, op.DropObject):
        if _is_unknown_index(said, scene):
            yield Problem(
                f"No migration before this has made the index {said.name}.",
                "Name an index that the history has made.",
            )
        return
    table = scene.table(said.table)
    if table is None or not table.complete or said.inside is not Inside.SCRIPT:
        return
    if isinstance(said, op.AlterConstraint):
        if said.name not in table.constraints and not said.missing_ok:
            yield Problem(
                f"{said.table} has no constraint {said.name}.",
                "Name a constraint that the history has made.",
            )
    elif said.column not in table.columns and not getattr(said, "missing_ok", False):
        yield Problem(
            f"{said.table} has no column {said.column}.",
            "Name a column that the history has made.",
        )


def _is_unknown_index(said: op.DropObject, scene: Scene) -> bool:
    state = scene.state
    if said.object_kind != "index" or said.if_exists or said.inside is not Inside.SCRIPT:
        return False
    if not state.complete or not state.tables:
        return False
    # Without a schema it may lie in any; materialized views have indexes too.
    owners = (*state.tables.values(), *state.views.values())
    return not any(said.name.name in each.indexes for each in owners)


RULES = (
    Rule(
        code="CF86",
        name="state.known_object",
        category="state",
        severity=Severity.WARNING,
        on=(
            op.DropColumn,
            op.AlterColumn,
            op.AlterColumnType,
            op.AlterConstraint,
            op.DropObject,
        ),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
