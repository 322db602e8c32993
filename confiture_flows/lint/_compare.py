"""Two known states -> what differs, in words. Places of columns do not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.lint._types import base_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confiture_flows.lint.catalog import KnownTable
    from confiture_flows.lint.state import KnownState
    from confiture_flows.sql.parts import ColumnSpec


def compare(before: KnownState, after: KnownState) -> list[str]:
    """What is left, missing or otherwise than it was."""
    found = list(_names("table", before.tables, after.tables))
    for name, table in before.tables.items():
        # A table that nobody touched is the very same value.
        if name in after.tables and after.tables[name] is not table:
            found += _table(str(name), table, after.tables[name])
    found += _names("view", before.views, after.views)
    found += _names("type", before.types, after.types)
    for name, kind in before.types.items():
        if name in after.types and after.types[name].values != kind.values:
            found.append(f"the values of the type {name} differ")
    kinds = {"function", "procedure", "sequence", "schema"}
    left = {each for each in after.objects - before.objects if each[0] in kinds}
    gone = {each for each in before.objects - after.objects if each[0] in kinds}
    found += [f"the {kind} {name} is left" for kind, name in sorted(left)]
    found += [f"the {kind} {name} is missing" for kind, name in sorted(gone)]
    return found


def _names(kind: str, before: Mapping[Any, object], after: Mapping[Any, object]) -> Iterator[str]:
    if before.keys() == after.keys():
        return
    for name in after:
        if name not in before:
            yield f"the {kind} {name} is left"
    for name in before:
        if name not in after:
            yield f"the {kind} {name} is missing"


def _table(name: str, before: KnownTable, after: KnownTable) -> Iterator[str]:
    for what, old, new in (
        ("column", before.columns, after.columns),
        ("constraint", before.constraints, after.constraints),
        ("index", _own(before), _own(after)),
        ("policy", before.policies, after.policies),
    ):
        for said in _names(what, old, new):
            yield f"{said} in {name}"
    for column, spec in before.columns.items():
        new_spec = after.columns.get(column, spec)
        if new_spec is not spec and _shape(spec) != _shape(new_spec):
            yield f"the column {column} of {name} is otherwise"
    if before.row_security != after.row_security:
        yield f"row security of {name} is otherwise"


def _own(table: KnownTable) -> dict[str, object]:
    """Indexes that belong to no constraint."""
    return {name: each for name, each in table.indexes.items() if not each.constraint}


def _shape(column: ColumnSpec) -> tuple[object, ...]:
    default = "nextval" if column.type.serial else column.default.sql if column.default else ""
    if "nextval" in default:
        default = "nextval"
    kind = base_type(column.type) + str(column.type.modifiers)
    return kind, column.not_null, default, column.generated, column.identity
