"""ATTACH PARTITION -> the CHECK that spares its reading, as edits of the script's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import last_place
from confiture_flows.lint._names import free_name
from confiture_flows.lint._steps import alter_text, apart
from confiture_flows.lint.rule import TextEdit
from confiture_flows.sql.names import quoted_name

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql import operation as op
    from confiture_flows.sql.parts import ColumnSpec

_NUMBERS = {"int2", "int4", "int8", "numeric"}
_OPEN = {"minvalue", "maxvalue"}


def prove_bounds(scene: Scene, said: op.ChangePartition) -> tuple[TextEdit, ...]:
    """ATTACH in four steps: a CHECK without proof, its proof, ATTACH, no CHECK.

    Only of tables that are partitioned by the values of one column, where the bounds are constants.
    """
    found, marker = alter_text(scene.statement), apart(scene)
    parent, partition = scene.table(said.table), scene.table(said.partition)
    if found is None or marker is None or parent is None or partition is None:
        return ()
    key = parent.columns.get(parent.partition_key[0]) if len(parent.partition_key) == 1 else None
    if key is None or key.collation or not key.type.builtin or partition.partitioned:
        return ()
    words = [word for word, _, _ in found.words]
    plain = [word.lower() for word in words]
    if "for" not in plain:
        return ()
    at = plain.index("for")
    condition = _condition(words[at + 2 :], key, parent.partitioned)
    if condition is None:
        return ()
    sql, start = scene.statement.sql, scene.statement.start
    table = sql[found.words[2][1] : found.words[at - 1][2]]
    name = quoted_name(free_name(partition.name.name, key.name, "bounds", partition.constraints))
    before = (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID;\n"
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};\n"
    )
    end = last_place(scene.statement)
    after = f";\nALTER TABLE {table} DROP CONSTRAINT {name}"
    return (*marker, TextEdit(start, start, before), TextEdit(end, end, after))


def _condition(bounds: list[str], key: ColumnSpec, strategy: str) -> str | None:
    """What the bounds say of each row."""
    column = quoted_name(key.name)
    plain = [word.lower() for word in bounds]
    if strategy == "list" and plain[:2] == ["in", "("] and plain[-1] == ")":
        values = _values(bounds[2:-1], key)
        if not values:
            return None
        said = [each for each in values if each.lower() != "null"]
        within = f"{column} IN ({', '.join(said)})" if said else ""
        if len(said) == len(values):
            return f"{column} IS NOT NULL AND {within}"
        return f"{column} IS NULL OR {within}" if said else f"{column} IS NULL"
    if strategy != "range" or plain[:2] != ["from", "("] or plain.count("to") != 1:
        return None
    at = plain.index("to")
    if plain[at - 1 : at + 2] != [")", "to", "("] or plain[-1] != ")":
        return None
    low, high = _values(bounds[2 : at - 1], key), _values(bounds[at + 2 : -1], key)
    if low is None or high is None or len(low) != 1 or len(high) != 1:
        return None
    parts = [f"{column} IS NOT NULL"]
    parts += [f"{column} >= {low[0]}"] if low[0].lower() not in _OPEN else []
    parts += [f"{column} < {high[0]}"] if high[0].lower() not in _OPEN else []
    return " AND ".join(parts)


def _values(words: list[str], key: ColumnSpec) -> list[str] | None:
    """Constants with commas between; None where one is anything else."""
    found: list[str] = []
    value = ""
    for word in (*words, ","):
        if word == ",":
            if not _is_constant(value, key):
                return None
            found.append(value)
            value = ""
        else:
            value += word
    return found


def _is_constant(value: str, key: ColumnSpec) -> bool:
    """Whether a CHECK takes it for what the bounds take it for."""
    if value.lower() in ("null", *_OPEN):
        return True
    if value.startswith("'"):
        return value.count("'") % 2 == 0 and value.endswith("'")
    number = value.removeprefix("-").replace(".", "", 1)
    return number.isascii() and number.isdigit() and key.type.name.name in _NUMBERS
