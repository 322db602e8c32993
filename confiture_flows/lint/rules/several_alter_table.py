"""Change a table in one ALTER TABLE where each change reads all of its rows.

PostgreSQL carries out all parts of one ALTER TABLE in a single pass over the table. Two
statements make two passes, both under the lock. `--fix` puts statements together that follow one
another in one transaction and say SET NOT NULL, CHECK, or the types of different columns; a CHECK
beside a new type, and whatever else one part may see of another, is left to people.

**Anti-pattern**

```sql
ALTER TABLE orders ALTER COLUMN a SET NOT NULL;
ALTER TABLE orders ALTER COLUMN b SET NOT NULL;
```

**Best practice**

```sql
ALTER TABLE orders
  ALTER COLUMN a SET NOT NULL,
  ALTER COLUMN b SET NOT NULL;
```

Source: PostgreSQL docs, ALTER TABLE, Notes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._merge import join_to_last
from confiture_flows.lint._types import keeps_rows
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import IN_SCRIPT
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def _scans(said: op.Operation, scene: Scene) -> bool:
    """Whether it reads or writes the whole table, in the pass of ALTER TABLE."""
    if not isinstance(said, op.AddConstraint | op.AlterColumn | op.AlterColumnType):
        return False
    if isinstance(said, op.AddConstraint) and said.constraint.references:
        return False  # a foreign key is checked by a query of its own
    if isinstance(said, op.AlterColumnType):
        return not keeps_rows(said, scene, scene.start or scene.state)
    work = work_of(said)
    return bool(work.scans and not work.builds_index)


def _check(
    said: op.AddConstraint | op.AlterColumn | op.AlterColumnType, scene: Scene
) -> Iterator[Problem]:
    if said.inside is not IN_SCRIPT or scene.empty(said.table) or not _scans(said, scene):
        return
    of_statement = (each for each in scene.statement.operations if _scans(each, scene))
    if said is not next(of_statement, None):
        return
    for each in scene.before():
        same = isinstance(each, op.TableOperation) and each.table == said.table
        if same and _scans(each, scene):
            yield Problem(
                f"{said.table} is read once more: line {each.line} has it read already.",
                "Put both changes into one ALTER TABLE.",
                table=said.table,
                edits=join_to_last(scene),
            )
            return


RULES = (
    Rule(
        code="CF22",
        name="safety.several_alter_table",
        category="locks",
        severity=Severity.INFO,
        on=(
            op.AddConstraint,
            op.AlterColumn,
            op.AlterColumnType,
        ),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
