"""Write IF EXISTS and IF NOT EXISTS only where nobody can know.

The history knows that the table, view, index or column is there, or is not: the statement does
nothing, and says nothing. Whoever wrote it expected something else. `--fix` takes such statements
about tables and columns out; an index may have another form, or be invalid, and is left to people.

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


def _check(
    said: op.CreateTable
    | op.AddColumn
    | op.DropColumn
    | op.CreateIndex
    | op.CreateView
    | op.DropObject,
    scene: Scene,
) -> Iterator[Problem]:
    if said.inside is not IN_SCRIPT:
        return
    if isinstance(said, op.CreateIndex | op.CreateView | op.DropObject):
        if idle := _idle(said, scene):
            # Somebody may have made by hand what no migration has.
            guess = isinstance(said, op.DropObject)
            yield Problem(
                f"{idle}, so this does nothing.",
                "Take the statement out, or name what is meant.",
                severity=Severity.INFO if guess else None,
            )
        return
    table = scene.table(said.table)
    if table is None:
        return
    if isinstance(said, op.CreateTable):
        if said.if_not_exists:
            since = f"since {table.made_in}" if table.made_in else "already"
            yield Problem(
                f"{said.table} is there {since}, so this does nothing.",
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


def _idle(said: op.CreateIndex | op.CreateView | op.DropObject, scene: Scene) -> str:
    """Why a statement does nothing; empty where it may do something."""
    state = scene.state
    match said:
        case op.CreateIndex(if_not_exists=True, name=name) if name:
            found = state.index(said.table._replace(name=name))
            return f"The index {name} is there already" if found else ""
        case op.CreateView(if_not_exists=True, view=view) if state.full(view) in state.views:
            return f"{view} is there already"
        case op.DropObject(if_exists=True, object_kind="table" | "view" | "materialized view"):
            known = not state.complete or not state.tables or state.knows_relation(said.name)
            return "" if known else f"No migration has made {said.name}"
        case _:
            return ""


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
            op.CreateIndex,
            op.CreateView,
            op.DropObject,
        ),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=True,
    ),
)
