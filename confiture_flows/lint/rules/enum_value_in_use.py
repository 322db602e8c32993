"""Use no new value of an enum in the transaction that adds it.

PostgreSQL refuses to use a value before the transaction that added it has ended (55P04).
confiture-flows lets ADD VALUE run alone where a later statement of the file names the value;
inside the file's own BEGIN and COMMIT it cannot.

**Anti-pattern**

```sql
BEGIN;
ALTER TYPE mood ADD VALUE 'blue';
UPDATE people SET mood = 'blue' WHERE id = 1;
COMMIT;
```

**Best practice**

```sql
ALTER TYPE mood ADD VALUE 'blue';
```

`--fix` takes BEGIN and COMMIT out where they stand around the whole file: as it is, it cannot run.

Source: PostgreSQL docs, ALTER TYPE, Notes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._steps import leave_to_the_runner
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddEnumValue, scene: Scene) -> Iterator[Problem]:
    made = any(
        isinstance(each, op.CreateType) and each.name == said.name for each in scene.before()
    )
    if not scene.own_begin or made:
        return
    literal = "'" + said.value.replace("'", "''") + "'"
    later = scene.script.statements[scene.number + 1 :]
    numbers = scene.script.transactions[scene.number + 1 :]
    for statement, number in zip(later, numbers, strict=True):
        if number == scene.transaction and literal in statement.sql:
            yield Problem(
                f"Line {statement.line} uses {literal} in the transaction that adds it.",
                "Take BEGIN and COMMIT out, or use the value in a later migration.",
                edits=leave_to_the_runner(scene),
            )
            return


RULES = (
    Rule(
        code="CF42",
        name="compat.enum_value_in_use",
        category="breaking",
        severity=Severity.ERROR,
        on=(op.AddEnumValue,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=True,
    ),
)
