"""Say where a new value of an enum stands.

Values of an enum compare by their order. Without BEFORE or AFTER a new one is the greatest, and
there is no way to move it later. Off by default, since most enums have no order that means
anything; `rules = { CF4A = "info" }` in `[lint]` switches it on.

**Anti-pattern**

```sql
ALTER TYPE priority ADD VALUE 'lowest';
```

**Best practice**

```sql
ALTER TYPE priority ADD VALUE 'lowest' BEFORE 'low';
```

`--fix` says where it stands as it is: after the last value that the history knows.

Source: PostgreSQL docs, ALTER TYPE, ADD VALUE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_at_end
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.lint.catalog import KnownType
    from confiture_flows.lint.rule import TextEdit


def _check(said: op.AddEnumValue, scene: Scene) -> Iterator[Problem]:
    known = scene.state.types.get(scene.state.full(said.name))
    if said.beside or (known and not known.values):
        return
    last = f" AFTER '{known.values[-1]}'" if known else " BEFORE or AFTER a value"
    yield Problem(
        f"Nothing says where '{said.value}' stands in the order of {said.name}.",
        f"Add{last}, or where else it belongs.",
        edits=_at_the_end(said, known, scene),
    )


def _at_the_end(
    said: op.AddEnumValue, known: KnownType | None, scene: Scene
) -> tuple[TextEdit, ...]:
    if known is None or said.value in known.values or not scene.state.complete:
        return ()
    last = known.values[-1].replace("'", "''")
    return insert_at_end(scene, said, f" AFTER '{last}'")


RULES = (
    Rule(
        code="CF4A",
        name="types.enum_value_order",
        category="types",
        severity=Severity.INFO,
        on=(op.AddEnumValue,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
        on_by_default=False,
    ),
)
