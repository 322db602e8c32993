"""Leave triggers and foreign keys of a table switched on.

DISABLE TRIGGER takes SHARE ROW EXCLUSIVE, and what is written until it is enabled again is
checked by nobody: DISABLE TRIGGER ALL switches foreign keys off too.

**Anti-pattern**

```sql
ALTER TABLE orders DISABLE TRIGGER ALL;
```

**Best practice**

```sql
CREATE OR REPLACE FUNCTION stamp_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('shop.quiet', true) = 'on' THEN RETURN NEW; END IF;
    NEW.changed_at := now();
    RETURN NEW;
END $$;
```

Source: PostgreSQL docs, ALTER TABLE, DISABLE TRIGGER
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AlterTable, scene: Scene) -> Iterator[Problem]:
    if said.change == "disable trigger" and not scene.new(said.table):
        which = said.subject[0] if said.subject else "all triggers, foreign keys among them,"
        yield Problem(
            f"{which} of {said.table}: switched off for everybody until enabled again.",
            "Let the trigger's function look at a setting instead.",
        )


RULES = (
    Rule(
        code="CF24",
        name="safety.disable_trigger",
        category="locks",
        severity=Severity.WARNING,
        on=(op.AlterTable,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
