"""Index the columns of a foreign key.

PostgreSQL indexes the table that a key points to, not the one that it comes from. Each DELETE
of a row there, and each change of its key, reads the whole referencing table. Of several columns
an index on one is enough, where it is unique in the other table.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users);
CREATE INDEX orders_user ON orders (user_id);
```

Source: PostgreSQL docs, Foreign Keys
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import last_place
from confiture_flows.lint._names import index_name
from confiture_flows.lint.catalog import KnownTable
from confiture_flows.lint.rule import Problem, Rule, Scene, TextEdit
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.names import quoted_name, quoted_object
from confiture_flows.sql.parts import ConstraintKind, ConstraintSpec, IndexColumn, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

_INDEXED = {ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE}


def _indexed(
    columns: tuple[str, ...],
    said: op.CreateTable | op.TableOperation,
    given: tuple[ConstraintSpec, ...],
    scene: Scene,
) -> bool:
    """Whether there is an index for the columns by the end of the script."""
    table = scene.table(said.table)
    if table and table.index_for(columns):
        return True
    found = [each.columns for each in given if each.kind in _INDEXED]
    rest = [each for each in scene.statement.operations if each is not said]
    for each in (*rest, *scene.later_on(said.table)):
        if isinstance(each, op.CreateIndex) and each.table == said.table:
            whole = each.where is None or "IS NOT NULL" in each.where.sql
            found += [tuple(part.name for part in each.columns)] if whole else []
        elif isinstance(each, op.AddConstraint) and each.table == said.table:
            found += [each.constraint.columns] if each.constraint.kind in _INDEXED else []
    return any(set(names[: len(columns)]) == set(columns) for names in found)


def _check(
    said: op.CreateTable | op.AddColumn | op.AddConstraint, scene: Scene
) -> Iterator[Problem]:
    if isinstance(said, op.CreateTable):
        given = said.all_constraints
    else:
        given = said.column.constraints if isinstance(said, op.AddColumn) else (said.constraint,)
    for each in given:
        if each.references and not any(
            _indexed(columns, said, given, scene) for columns in _enough(each, scene)
        ):
            yield Problem(
                f"The foreign key {', '.join(each.columns)} of {said.table} has no index.",
                f"CREATE INDEX CONCURRENTLY ON {said.table} ({', '.join(each.columns)}).",
                table=None if isinstance(said, op.CreateTable) else said.table,
                edits=_index(said, each.columns, scene),
            )


def _enough(key: ConstraintSpec, scene: Scene) -> Iterator[tuple[str, ...]]:
    """The columns of which an index finds the rows of a key.

    Of several columns one is enough, where the other table has, or had before the migration, no
    value of it twice: a key with the tenant beside it.
    """
    yield key.columns
    for state in (scene.state, scene.start):
        table = state.table(key.references) if state else None
        if table is None or len(key.columns) == 1:
            continue
        primary = table.primary_key.columns if table.primary_key else ()
        unique = {each.names for each in table.indexes.values() if each.unique and not each.partial}
        for column, other in zip(key.columns, key.referenced or primary, strict=False):
            if (other,) in unique or primary == (other,):
                yield (column,)


def _index(
    said: op.CreateTable | op.TableOperation, columns: tuple[str, ...], scene: Scene
) -> tuple[TextEdit, ...]:
    """An index behind the statement, where a way back takes it away with the table or column."""
    made = isinstance(said, op.CreateTable) or scene.new(said.table)
    if said.inside is not Inside.SCRIPT or not (made or isinstance(said, op.AddColumn)):
        return ()
    table = scene.table(said.table) or KnownTable(scene.state.full(said.table))
    if not made and (scene.own_begin or table.partitioned):
        return ()
    name = quoted_name(index_name(table.name.name, tuple(map(IndexColumn, columns)), table.indexes))
    how = "" if made else "CONCURRENTLY "
    parts = ", ".join(map(quoted_name, columns))
    end = last_place(scene.statement)
    return (
        TextEdit(end, end, f";\nCREATE INDEX {how}{name} ON {quoted_object(said.table)} ({parts})"),
    )


RULES = (
    Rule(
        code="CF66",
        name="index.index_foreign_keys",
        category="index",
        severity=Severity.WARNING,
        on=(
            op.CreateTable,
            op.AddColumn,
            op.AddConstraint,
        ),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
