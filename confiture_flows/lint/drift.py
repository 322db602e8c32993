"""What applied migrations make + what the database holds -> where the two differ. Pure.

What is compared is what linting knows of a schema, from the text of the migrations: tables with
columns, constraints and indexes, views, enums, functions, sequences. `verify --replay` runs them
and compares all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._types import base_type
from confiture_flows.lint.catalog_rules.history_and_live import RULE
from confiture_flows.lint.runner import replayed_state
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confiture_flows.lint.catalog import KnownIndex, KnownTable
    from confiture_flows.lint.settings import LintSettings
    from confiture_flows.lint.state import KnownState
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.sql.parts import ColumnSpec, ConstraintSpec, Expression, ObjectName

_NAMED = ("function", "procedure", "sequence", "schema")
_PLAIN = ("text", "int2", "int4", "int8")
_TRUE = ("t", "true", "y", "yes", "on", "1")
_LISTED = 5
_STEP = "Look with `confiture-flows verify --replay`, and write a migration that makes them one."


def applied_drift(
    directory: Directory, pending: frozenset[str], live: KnownState, settings: LintSettings
) -> tuple[Finding, ...]:
    """Where a database is not what its applied migrations make; nothing while there are none.

    Args:
        directory: All migrations.
        pending: Those that are not applied.
        live: What the database holds.
        settings: What the project says of the rule.
    """
    applied = [each for each in directory.migrations if each.version not in pending]
    severity = settings.severities.get(RULE.code, RULE.severity)
    if not applied or severity is None:
        return ()
    history = replayed_state(applied, live.home)
    history.begin("")  # what was temporary is gone
    return drift_findings(history, live, severity)


def drift_findings(
    history: KnownState, live: KnownState, severity: Severity = RULE.severity
) -> tuple[Finding, ...]:
    """A finding for each object that is not as the migrations made it.

    Args:
        history: What the applied migrations make.
        live: What the database holds.
        severity: Of what migrations have made; what they have not is information.
    """
    # What a script does that nobody can read may be what differs.
    doubt = "" if history.complete else " Not all that the migrations do could be read."
    severity = severity if history.complete else Severity.INFO
    said = [*_missing(history, live), *_different(history, live)]
    found = [
        Finding(RULE.code, severity, f"{each}.{doubt}", next_step=_STEP) for each in sorted(said)
    ]
    strangers = list(_strangers(history, live)) if history.complete else []
    if strangers:
        more = f" and {len(strangers) - _LISTED} more" if len(strangers) > _LISTED else ""
        message = f"No migration has made {', '.join(strangers[:_LISTED])}{more}."
        found.append(Finding(RULE.code, Severity.INFO, message, next_step=_STEP))
    return tuple(found)


def _missing(history: KnownState, live: KnownState) -> Iterator[str]:
    for kind, made, there in _kinds(history, live):
        for name in made:
            if name not in there:
                yield f"The {kind} {name}, which migrations have made, is not in the database"


def _strangers(history: KnownState, live: KnownState) -> Iterator[str]:
    """What only the database has; partitions may come by themselves."""
    for kind, made, there in _kinds(history, live):
        for name in sorted(there):
            table = live.tables.get(name) if kind == "table" else None
            if name not in made and not (table and table.partition_of):
                yield f"the {kind} {name}"


def _kinds(
    history: KnownState, live: KnownState
) -> Iterator[tuple[str, set[ObjectName], set[ObjectName]]]:
    yield "table", set(history.tables), set(live.tables)
    yield "view", set(history.views), set(live.views)
    yield "type", set(history.types), set(live.types)
    for kind in _NAMED:
        yield kind, _named(history, kind), _named(live, kind)


def _named(state: KnownState, kind: str) -> set[ObjectName]:
    return {name for each, name in state.objects if each == kind and name.name != "public"}


def _different(history: KnownState, live: KnownState) -> Iterator[str]:
    for name, table in history.tables.items():
        there = live.tables.get(name)
        if there and table.complete and there.complete:
            yield from _table(str(name), table, there)
    for name, known in history.types.items():
        there_type = live.types.get(name)
        if there_type and known.values != there_type.values:
            said, made = ", ".join(there_type.values), ", ".join(known.values)
            yield f"The type {name} has the values {said}, and by the migrations {made}"


def _table(name: str, made: KnownTable, there: KnownTable) -> Iterator[str]:
    yield from _parts("column", name, made.columns, there.columns)
    if not there.partition_of:  # a partition's follow its parent's, under names of their own
        yield from _parts("constraint", name, _constraints(made), _constraints(there))
        yield from _parts("index", name, _indexes(made), _indexes(there))
    yield from _parts("policy", name, dict.fromkeys(made.policies), dict.fromkeys(there.policies))
    for column, spec in made.columns.items():
        if other := there.columns.get(column):
            yield from _column(f"{name}.{column}", spec, other)
    if made.row_security is not there.row_security:
        state = "on" if there.row_security else "off"
        yield f"Row security of {name} is {state}, and by the migrations it is not"


def _parts(
    kind: str, table: str, made: Mapping[str, object], there: Mapping[str, object]
) -> Iterator[str]:
    for name, shape in made.items():
        if name not in there:
            yield f"The {kind} {name} of {table}, which migrations have made, is not there"
        elif kind != "column" and there[name] != shape:
            yield f"The {kind} {name} of {table} is not what the migrations have made"
    for name in there:
        if name not in made:
            yield f"No migration has made the {kind} {name} of {table}"


def _constraints(table: KnownTable) -> dict[str, object]:
    """What two servers agree on; they write the text of a check in their own ways."""
    return {
        name: _constraint(each)
        for name, each in table.constraints.items()
        if each.kind is not ConstraintKind.NOT_NULL
    }


def _constraint(said: ConstraintSpec) -> tuple[object, ...]:
    columns = () if said.kind is ConstraintKind.CHECK else said.columns
    references = said.references.name if said.references else ""
    return said.kind, said.valid, columns, references, said.on_delete.replace("no action", "")


def _indexes(table: KnownTable) -> dict[str, object]:
    """Indexes that belong to no constraint."""
    return {name: _index(each) for name, each in table.indexes.items() if not each.constraint}


def _index(said: KnownIndex) -> tuple[object, ...]:
    return said.names, said.unique, bool(said.partial), said.method, said.include


def _column(name: str, made: ColumnSpec, there: ColumnSpec) -> Iterator[str]:
    if _type(made) != _type(there):
        yield f"{name} is {there.type}, and by the migrations {made.type}"
    if made.not_null is not there.not_null:
        yield f"{name} is {'not null' if there.not_null else 'nullable'}, and by the migrations not"
    if (made.generated, made.identity) != (there.generated, there.identity):
        yield f"{name} is not generated as the migrations say"
    elif _default(made) != _default(there):
        said = there.default.sql if there.default else "none"
        yield f"The default of {name} is not what the migrations have made: {said}"


def _type(column: ColumnSpec) -> tuple[str, object]:
    kind = base_type(column.type)
    # A type without a schema may lie in any of the search path.
    return kind.rpartition(".")[2], () if column.type.serial else column.type.modifiers


def _default(column: ColumnSpec) -> object:
    """A default apart from casts and spelling, which the server adds and changes."""
    if column.type.serial:
        return ("nextval",)
    said: Expression | None = column.default
    if said is None or said.null or column.generated:
        return None
    if said.literal is not None:
        kind = base_type(column.type)
        if kind == "bool":
            return said.literal.lower() in _TRUE
        # The server writes moments, JSON and the like in its own way.
        return said.literal if kind in _PLAIN or not column.type.builtin else "given"
    return tuple(name.rpartition(".")[2] for name in said.functions)
