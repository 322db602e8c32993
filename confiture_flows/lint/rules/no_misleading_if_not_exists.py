"""Write IF EXISTS and IF NOT EXISTS only where nobody can know.

The history knows that the table or column is there, or is not: the statement does nothing, and
says nothing. Whoever wrote it expected something else.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, note text);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
ALTER TABLE orders ADD COLUMN note text;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._steps import leave_out
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import IN_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateTable | op.AddColumn | op.DropColumn, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    if table is None or said.inside is not IN_SCRIPT:
        return
    if isinstance(said, op.CreateTable):
        if said.if_not_exists:
            yield Problem(
                f"{said.table} is there since {table.made_in}, so this does nothing.",
                "Change the table that is there, or take the statement out.",
                edits=leave_out(scene, said),
            )
    elif isinstance(said, op.AddColumn):
        if said.if_not_exists and said.column.name in table.columns:
            yield Problem(
                f"{said.table} has a column {said.column.name} already, so this does nothing.",
                "Change the column that is there, or take the statement out.",
                edits=leave_out(scene, said),
            )
    elif said.missing_ok and table.complete and said.column not in table.columns:
        yield Problem(
            f"{said.table} has no column {said.column}, so this does nothing.",
            "Take the statement out, or name the column that is meant.",
            edits=leave_out(scene, said),
        )


RULES = (
    Rule(
        code="CF85",
        name="state.no_misleading_if_not_exists",
        category="state",
        severity=Severity.WARNING,
        on=(
            op.CreateTable,
            op.AddColumn,
            op.DropColumn,
        ),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=True,
    ),
)
