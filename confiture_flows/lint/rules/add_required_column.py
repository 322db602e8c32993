"""Give a new NOT NULL column a default.

Without a default the column is null in each row that exists, so the statement fails as soon as
the table has one row.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN paid boolean NOT NULL;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN paid boolean NOT NULL DEFAULT false;
```

No program knows what old rows should hold, unless the script says it itself: `--fix` gives the
column the default that it gets later in the script, and lets it be null until an UPDATE of all rows
has filled it.

Source: PostgreSQL docs, ALTER TABLE, ADD COLUMN
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._fills import let_rows_be_filled
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddColumn, scene: Scene) -> Iterator[Problem]:
    column = said.column
    filled = column.default or column.generated or column.identity or column.type.serial
    null = column.default is not None and column.default.null
    if not column.not_null or (filled and not null) or scene.empty(said.table):
        return
    facts = scene.facts(said.table)
    if facts and facts.bytes == 0:
        return  # no page, no row
    deleted = (each for each in scene.before() if isinstance(each, op.ModifyData))
    whole = (each for each in deleted if each.command == "delete" and not each.filtered)
    if any(each.table == said.table and each.inside is not Inside.FUNCTION for each in whole):
        return
    yield Problem(
        f"Adding {column.name} fails if {said.table} has a row: it is NOT NULL without a default.",
        "Give it a default, or add it as nullable, fill it, and set NOT NULL in a later migration.",
        edits=let_rows_be_filled(scene, said),
    )


RULES = (
    Rule(
        code="CF08",
        name="safety.add_required_column",
        category="locks",
        severity=Severity.ERROR,
        on=(op.AddColumn,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
