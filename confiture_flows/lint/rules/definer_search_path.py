"""Fix the search_path of SECURITY DEFINER functions.

The function runs with its owner's rights and the caller's search_path: who can create objects
in any schema there decides what its names mean.

`--fix` adds `SET search_path = public, pg_temp`, or the schema that migrations write to, where the
history has no other schema and no extension, so that every name in the body goes on meaning what it
means today. It does not where the body makes tables or speaks of search_path, and not for
procedures, which could then no longer commit. Where all may create objects in that schema (CF78),
name the schemas in the body and set it to the empty string.

**Anti-pattern**

```sql
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
```

**Best practice**

```sql
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
```

Source: PostgreSQL docs, CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_after
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.names import quoted_name
from confiture_flows.sql.parts import Inside
from confiture_flows.sql.words import word_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.lint.rule import TextEdit
    from confiture_flows.sql.parts import ObjectName


def _check(said: op.CreateFunction | op.AlterObject, scene: Scene) -> Iterator[Problem]:
    if isinstance(said, op.AlterObject):
        if _becomes_open(said, scene):
            yield Problem(
                f"{said.name} will run with its owner's rights and its caller's search_path.",
                "Add SET search_path = '' and qualify the names in its body.",
            )
        return
    if not said.security_definer or "search_path" in said.sets or _altered_later(said.name, scene):
        return
    yield Problem(
        f"{said.name} runs with its owner's rights and its caller's search_path.",
        "Add SET search_path = '' and qualify the names in its body.",
        edits=_fixed_path(said, scene),
    )


def _becomes_open(said: op.AlterObject, scene: Scene) -> bool:
    """Whether ALTER FUNCTION gives it its owner's rights, and nothing a path."""
    if said.object_kind != "function" or said.change != "options":
        return False
    sql = scene.statement.sql
    if said.inside is not Inside.SCRIPT or word_end(sql, "security", "definer") is None:
        return False
    known = scene.state.functions.get(scene.state.full(said.name), ())
    fixed = word_end(sql, "search_path") or any("search_path" in each.sets for each in known)
    return not fixed and not _altered_later(said.name, scene)


def _altered_later(name: ObjectName, scene: Scene) -> bool:
    return any(
        isinstance(each, op.AlterObject) and each.object_kind == "function" and each.name == name
        for each in scene.later()
    )


def _fixed_path(said: op.CreateFunction, scene: Scene) -> tuple[TextEdit, ...]:
    """The one schema there is, where no name in the body can mean anything in another."""
    home, state = scene.state.home, scene.state
    schemas = {each.schema for each in (*state.tables, *state.views, *state.types)}
    schemas |= {each.schema for each in state.functions} | {said.name.schema}
    schemas |= {name.name for kind, name in state.objects if kind == "schema"}
    extended = any(kind == "extension" for kind, _ in state.objects)
    if not state.complete or extended or state.schema != home or schemas - {home, ""}:
        return ()
    if said.procedure or said.language not in _READABLE or not said.body:
        return ()
    if "search_path" in said.body.lower() or any(
        isinstance(each, op.CreateTable | op.Unread) for each in scene.statement.operations
    ):
        return ()
    path = f" SET search_path = {quoted_name(home)}, pg_temp"
    return insert_after(scene, said, "security definer", path)


_READABLE = ("sql", "plpgsql")


RULES = (
    Rule(
        code="CF73",
        name="security.definer_search_path",
        category="security",
        severity=Severity.WARNING,
        on=(op.CreateFunction, op.AlterObject),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
