"""Write no table anew in a migration.

VACUUM FULL, CLUSTER, SET TABLESPACE, SET ACCESS METHOD and SET LOGGED copy the whole table
under ACCESS EXCLUSIVE: nobody can read it meanwhile.

**Anti-pattern**

```sql
VACUUM FULL orders;
```

**Best practice**

```sql
-- pg_repack or pg_squeeze do it beside the traffic
VACUUM orders;
```

Source: PostgreSQL docs, VACUUM; CLUSTER
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Maintain | op.AlterTable, scene: Scene) -> Iterator[Problem]:
    if isinstance(said, op.Maintain):
        if said.command not in ("vacuum full", "cluster"):
            return
        names, what = said.names, said.command.upper()
    else:
        moving = ("set tablespace", "set access method", "set logged", "set unlogged")
        if said.change not in moving or said.object_kind != "table":
            return
        names, what = (said.table,), said.change.upper()
    if names and all(scene.new(each) for each in names):
        return
    shown = ", ".join(map(str, names)) or "each table of the database"
    yield Problem(
        f"{what} writes {shown} anew while nobody can read it.",
        "Do it outside of migrations, with a tool that works beside the traffic.",
        table=names[0] if names else None,
    )


RULES = (
    Rule(
        code="CF19",
        name="safety.vacuum_full_cluster",
        category="locks",
        severity=Severity.ERROR,
        on=(
            op.Maintain,
            op.AlterTable,
        ),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
