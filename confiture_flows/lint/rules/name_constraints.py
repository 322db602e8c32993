"""Name constraints and indexes.

A later migration, and the way back, have to name what they drop. The name that PostgreSQL
chooses depends on the names that are taken by then.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CHECK (total > 0) NOT VALID;
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0) NOT VALID;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_before_word
from confiture_flows.lint._names import constraint_name, index_name
from confiture_flows.lint.rule import Problem, Rule, Scene, TextEdit
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.names import quoted_name
from confiture_flows.sql.parts import ConstraintKind, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

# How a constraint begins that can be given a name.
_WORDS = ("check", "unique", "foreign", "exclude")


def _check(said: op.AddConstraint | op.CreateIndex, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    if table and table.persistence == "temporary":
        return  # it is gone before anybody asks for it by name
    if isinstance(said, op.CreateIndex):
        if not said.name:
            edits = _named_index(said, scene)
            yield Problem(f"The index on {said.table} has no name.", "Name it.", edits=edits)
    elif not said.constraint.name and said.constraint.kind is not ConstraintKind.PRIMARY_KEY:
        yield Problem(
            f"The {said.constraint.kind} constraint of {said.table} has no name.",
            "Write ADD CONSTRAINT name.",
            edits=_named_constraint(said, scene),
        )


def _named_index(said: op.CreateIndex, scene: Scene) -> tuple[TextEdit, ...]:
    """Give it the name that PostgreSQL would choose."""
    table = scene.table(said.table)
    if table is None:
        return ()
    name = quoted_name(index_name(table.name.name, said.columns, table.indexes))
    return insert_before_word(scene, said, "on", f"{name} ", unless="using")


def _named_constraint(said: op.AddConstraint, scene: Scene) -> tuple[TextEdit, ...]:
    """Give it the name that PostgreSQL would choose."""
    table, spec = scene.table(said.table), said.constraint
    shift = spec.offset - scene.statement.start
    written = scene.statement.sql[shift:].lower() if shift > 0 else ""
    if table is None or said.inside is not Inside.SCRIPT or not written.startswith(_WORDS):
        return ()
    name = quoted_name(spec.using_index or constraint_name(table, spec))
    return (TextEdit(spec.offset, spec.offset, f"CONSTRAINT {name} "),)


RULES = (
    Rule(
        code="CF64",
        name="naming.name_constraints",
        category="naming",
        severity=Severity.INFO,
        on=(
            op.AddConstraint,
            op.CreateIndex,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=True,
    ),
)
