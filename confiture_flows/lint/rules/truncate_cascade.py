"""Empty no table that is not named.

TRUNCATE ... CASCADE also empties the tables that point to what it names, and those that point to
them, whichever they are by then. `--fix` takes CASCADE out where the history knows of no such
table: should there be one all the same, TRUNCATE refuses.

**Anti-pattern**

```sql
TRUNCATE orders CASCADE;
```

**Best practice**

```sql
TRUNCATE orders, items;
```

Source: PostgreSQL docs, TRUNCATE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import take_out_last_word
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import ObjectName


def _check(said: op.Truncate, scene: Scene) -> Iterator[Problem]:
    if not said.cascade or said.inside is Inside.FUNCTION or all(map(scene.new, said.tables)):
        return
    reached = _pointing_to(said.tables, scene)
    known = scene.state.complete and all(map(scene.table, said.tables))
    names = ", ".join(map(str, said.tables))
    found = f": {', '.join(map(str, reached))}" if reached else ", whichever they are by then"
    yield Problem(
        f"CASCADE also empties the tables that point to {names}{found}.",
        "Name each table that has to be empty, and take CASCADE out.",
        edits=() if reached or not known else take_out_last_word(scene, said, "cascade"),
    )


def _pointing_to(names: tuple[ObjectName, ...], scene: Scene) -> tuple[ObjectName, ...]:
    """The tables that are emptied too, as far as the history knows."""
    named = {scene.state.full(each) for each in names}
    gone = set(named)
    while True:
        more = [
            table.name
            for table in scene.state.tables.values()
            if table.name not in gone
            and any(
                key.references and scene.state.full(key.references) in gone
                for key in table.foreign_keys
            )
        ]
        if not more:
            return tuple(sorted(gone - named))
        gone.update(more)


RULES = (
    Rule(
        code="CF4F",
        name="compat.truncate_cascade",
        category="data",
        severity=Severity.ERROR,
        on=(op.Truncate,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
