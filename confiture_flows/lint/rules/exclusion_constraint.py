"""Know that an exclusion constraint cannot be added gently.

ADD EXCLUDE builds its index and checks all rows under ACCESS EXCLUSIVE. It knows neither NOT
VALID nor USING INDEX: it belongs into the statement that creates the table, or into a
maintenance window.

**Anti-pattern**

```sql
ALTER TABLE bookings ADD EXCLUDE USING gist (room WITH =, during WITH &&);
```

**Best practice**

```sql
CREATE TABLE bookings (
  room int,
  during tstzrange,
  EXCLUDE USING gist (room WITH =, during WITH &&)
);
```

Source: PostgreSQL docs, CREATE TABLE, EXCLUDE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddConstraint, scene: Scene) -> Iterator[Problem]:
    if said.constraint.kind is ConstraintKind.EXCLUSION and not scene.empty(said.table):
        yield Problem(
            f"Nobody can use {said.table} while the exclusion constraint is built and checked.",
            "Create the table with it, or apply this while nobody needs the table.",
            table=said.table,
        )


RULES = (
    Rule(
        code="CF18",
        name="safety.exclusion_constraint",
        category="locks",
        severity=Severity.ERROR,
        on=(op.AddConstraint,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
