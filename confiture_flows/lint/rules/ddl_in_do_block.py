"""Write schema changes out instead of hiding them in a DO block.

A DO block decides when it runs what it changes: two databases may end up with two schemas, and
other tools see one opaque string. What it holds is judged all the same.

**Anti-pattern**

```sql
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'orders') THEN
    CREATE TABLE orders (id bigint PRIMARY KEY);
  END IF;
END $$;
```

**Best practice**

```sql
CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.RunBlock, scene: Scene) -> Iterator[Problem]:
    plain = (
        op.ModifyData,
        op.Query,
        op.Unread,
        op.Setting,
        op.RunBlock,
        op.OtherStatement,
        op.Grant,
    )
    inside = [each for each in scene.statement.operations if each.inside is Inside.DO]
    changes = [each for each in inside if not isinstance(each, plain)]
    if said.name is None and said.inside is Inside.SCRIPT and changes:
        yield Problem(
            f"A DO block changes the schema, first on line {changes[0].line}.",
            "Write the statements out; use IF EXISTS and IF NOT EXISTS where they serve.",
        )


RULES = (
    Rule(
        code="CF26",
        name="safety.ddl_in_do_block",
        category="locks",
        severity=Severity.INFO,
        on=(op.RunBlock,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
