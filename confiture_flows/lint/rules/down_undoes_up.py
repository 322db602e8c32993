"""Let the way back undo the way forward.

The way up and the way down are replayed on what the history has made. What is left, or missing,
or otherwise than before, nobody will expect after a rollback. Rows are not looked at, and
scripts that cannot be read in full are not judged.

`lint --fix` adds what a down script in a file of its own lacks: what the up script has made and the
down script leaves is dropped, and defaults, NOT NULL and row security go back to what they were. It
does so only where a replay shows that nothing else is missing, and the up script moves no rows and
has neither IF NOT EXISTS nor OR REPLACE: what may have been there before, or hold rows that are
nowhere else, no program should drop. sqlfluff, which sees one file, leaves it to `lint --fix`.

**Anti-pattern**

```sql
-- 0042_add.up.sql
CREATE TABLE a (id bigint PRIMARY KEY);
CREATE TABLE b (id bigint PRIMARY KEY);
-- 0042_add.down.sql
DROP TABLE a;
```

**Best practice**

```sql
-- 0042_add.up.sql
CREATE TABLE a (id bigint PRIMARY KEY);
CREATE TABLE b (id bigint PRIMARY KEY);
-- 0042_add.down.sql
DROP TABLE b;
DROP TABLE a;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.lint._compare import compare
from confiture_flows.lint._way_back import WayThere, missing_statements
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import End
from confiture_flows.migrations.migration import Script
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confiture_flows.lint.rule import TextEdit
    from confiture_flows.lint.state import KnownState


def _check(said: End, scene: Scene) -> Iterator[Problem]:
    if said.undone is None:
        return
    differences = compare(said.before, said.undone)
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        yield Problem(
            f"The down script does not undo the up script: {'; '.join(differences[:3])}{more}.",
            "Mend the down script.",
            elsewhere=_mended(said, said.undone, scene),
        )


def _mended(
    said: End, undone: KnownState, scene: Scene
) -> tuple[Path, tuple[TextEdit, ...]] | None:
    """The down script with what it lacks, where it is a file of its own."""
    down, up = said.down, scene.script
    if (
        not isinstance(down, Script)
        or down.path == up.path
        or down.lines
        or up.more
        or not up.first
    ):
        return None
    try:
        pieces = [*down.pieces()]
    except MigrationFileError:
        return None  # it was there a moment ago
    if len(pieces) > 1:
        return None
    way = WayThere(said.before, scene.state, undone, up.statements)
    edits = missing_statements(way, pieces[0].text)
    return (down.path, edits) if edits else None


RULES = (
    Rule(
        code="CF84",
        name="state.down_undoes_up",
        category="reversibility",
        severity=Severity.WARNING,
        on=(End,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=True,
    ),
)
