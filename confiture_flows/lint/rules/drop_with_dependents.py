"""Drop what nothing else reads.

A view, a policy, a foreign key, a generated column, a default or a trigger needs what is dropped:
a table, a view, a column, a function or a type. Without CASCADE the statement fails; with CASCADE
they go too, whoever uses them. What they are, the history says, and with `--live` the database.

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

from confiture_flows.lint._dependents import (
    RELATIONS,
    dependents_of_column,
    dependents_of_function,
    dependents_of_relation,
    dependents_of_type,
)
from confiture_flows.lint._routines import ROUTINES
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import ObjectName

_TYPES = ("type", "domain")
_LISTED = 3


def _check(said: op.DropObject | op.DropColumn, scene: Scene) -> Iterator[Problem]:
    if said.inside is not Inside.SCRIPT:
        return
    if isinstance(said, op.DropColumn):
        what, found = f"{said.table}.{said.column}", _of_column(said, scene)
    else:
        what, found = str(said.name), _of_object(said, scene)
    if not found:
        return
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    users = f"{', '.join(found[:_LISTED])}{more}"
    if said.cascade:
        yield Problem(
            f"CASCADE also drops what needs {what}: {users}.",
            "Drop it by name first, so that a reader sees what goes.",
            severity=Severity.WARNING,
        )
    else:
        yield Problem(
            f"PostgreSQL refuses to drop {what}, which is needed by {users}.",
            "Drop or change that first.",
        )


def _of_column(said: op.DropColumn, scene: Scene) -> list[str]:
    table = scene.table(said.table)
    if table is None:
        return []
    return list(dict.fromkeys(dependents_of_column(scene.state, table, said.column)))


def _of_object(said: op.DropObject, scene: Scene) -> list[str]:
    state, name = scene.state, scene.state.full(said.name)
    found: Iterator[tuple[str, ObjectName]] = iter(())
    if said.object_kind in RELATIONS and (name in state.tables or name in state.views):
        found = dependents_of_relation(state, name)
    elif said.object_kind in ROUTINES and name in state.functions:
        found = dependents_of_function(state, name)
    elif said.object_kind in _TYPES and name in state.types:
        found = dependents_of_type(state, name)
    together = {
        state.full(each.name)
        for each in scene.statement.operations
        if isinstance(each, op.DropObject) and each.object_kind == said.object_kind
    }
    if said.object_kind in RELATIONS:
        together |= _partitions(scene, name)
    return list(dict.fromkeys(words for words, of in found if of not in together))


def _partitions(scene: Scene, name: ObjectName) -> set[ObjectName]:
    return {each.name for each in scene.state.tables.values() if each.partition_of == name}


RULES = (
    Rule(
        code="CF43",
        name="compat.drop_with_dependents",
        category="breaking",
        severity=Severity.ERROR,
        on=(op.DropObject, op.DropColumn),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
