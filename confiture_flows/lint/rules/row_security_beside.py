"""Give a table that others may use row security, where its schema has it.

In a schema whose other tables have row security, a table without it is most likely forgotten: the
roles that are given rights on it see all of its rows. Told at the GRANT; CFDL asks a database.

**Anti-pattern**

```sql
CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user);
CREATE TABLE drafts (id bigint PRIMARY KEY, owner text);
GRANT SELECT ON drafts TO web;
```

**Best practice**

```sql
CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user);
CREATE TABLE drafts (id bigint PRIMARY KEY, owner text);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON drafts USING (owner = current_user);
GRANT SELECT ON drafts TO web;
```

Source: PostgreSQL docs, Row Security Policies
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import End
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: End, scene: Scene) -> Iterator[Problem]:
    grants = [each for each in scene.operations(op.Grant) if _gives(each)]
    if not grants:
        return
    tables = scene.state.tables.values()
    guarded = {each.name.schema for each in tables if each.row_security}
    told: set[object] = set()
    for each in grants:
        for table in tables:
            name = table.name
            if each.everywhere:
                meant = name.schema in {one.name for one in each.objects}
            else:
                meant = name in {scene.state.full(one) for one in each.objects}
            bare = not (table.row_security or table.policies or table.partition_of)
            if not meant or not bare or not table.granted or name in told:
                continue
            if name.schema in guarded:
                told.add(name)
                yield Problem(
                    f"{name} has no row security, unlike others of its schema, and rights for "
                    f"{', '.join(each.grantees)}.",
                    "Enable row security on it, with policies, or give no rights.",
                    at=each,
                )


def _gives(said: op.Grant) -> bool:
    return said.object_kind == "table" and not said.revoke and not said.default


RULES = (
    Rule(
        code="CF72",
        name="security.row_security_beside_granted",
        category="security",
        severity=Severity.WARNING,
        on=(End,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
