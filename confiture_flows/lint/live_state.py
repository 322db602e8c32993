"""Catalog -> KnownState: what a database holds, as a history that made it would say it. Pure.

A catalog has objects as PostgreSQL prints them. They are written as statements and read like any
migration, so that a state from a database and one from files compare. Left out are indexes that
are invalid, and what the rules know nothing of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.lint.state import KnownState
from confiture_flows.sql.operations import read_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.catalog.model import Catalog, CatalogObject

    Columns = list[CatalogObject]

# The parts of a snapshot that are read.
PARTS = frozenset(
    {
        "schemas",
        "relations",
        "sequences",
        "columns",
        "indexes",
        "constraints",
        "functions",
        "triggers",
        "policies",
        "types",
        "domain_constraints",
        "grants",
    }
)
# What the snapshot says of an index behind its definition.
_INDEX_SETTINGS = re.compile(r"(?<!WHERE)(?: tablespace \S+| clustered| replica identity)+$")
_VIEW = re.compile(
    r"(?:unlogged )?(?:with \{(?P<options>.*?)\})?\s*(?P<query>(?:SELECT|WITH|VALUES)\b.*;)", re.S
)
_GENERATED = re.compile(r" (default|generated stored|generated virtual) ")
_IDENTITY = re.compile(r" identity (always|by default)$")
_PARTITIONED = re.compile(r"partition by (\w+) \(.*?\)(?= FOR VALUES| DEFAULT| inherits|$)")
_PARTITION = re.compile(r"(?:FOR VALUES .*|DEFAULT) inherits (\S+)$")
_GRANT = re.compile(r"table (?P<table>.+) to (?P<whom>.+)")


def state_of(catalog: Catalog, schema: str = "public") -> KnownState:
    """What a database holds.

    Args:
        catalog: A snapshot with at least `PARTS`.
        schema: Where a name without a schema lies.
    """
    state = KnownState(home=schema)
    state.begin("")
    for statement in read_operations("\n".join(_statements(catalog))):
        for each in statement.operations:
            state.apply(each)
    # What a body says that nobody can read makes no table: all there are have been read.
    state.complete = True
    return state


def _statements(catalog: Catalog) -> Iterator[str]:
    """What makes the objects, each after those that it needs."""
    kinds: dict[str, list[CatalogObject]] = {}
    columns: dict[str, list[CatalogObject]] = {}
    for each in catalog.objects:
        kinds.setdefault(each.kind, []).append(each)
        if each.kind == "column":
            columns.setdefault(each.part_of, []).append(each)
    for kind, write in _WRITERS:
        for each in kinds.get(kind, ()):
            inside = sorted(columns.get(each.name, ()), key=lambda column: column.place)
            if said := write(each, inside):
                yield f"{said};"


def _schema(each: CatalogObject, _: Columns) -> str:
    return f"CREATE SCHEMA {each.name}" if each.name != "public" else ""


def _type(each: CatalogObject, _: Columns) -> str:
    kind, _space, rest = each.definition.partition(" ")
    match kind:
        case "enum":
            return f"CREATE TYPE {each.name} AS ENUM ({rest})"
        case "range":
            return f"CREATE TYPE {each.name} AS RANGE (subtype = {rest.split(' ')[1]})"
        case "domain":
            return f"CREATE DOMAIN {each.name} AS {rest.removeprefix('of ')}"
        case _:
            return f"CREATE TYPE {each.name}"


def _composite(each: CatalogObject, columns: Columns) -> str:
    inside = ", ".join(
        f"{_own_name(column)} {column.definition.rpartition(' column ')[0]}" for column in columns
    )
    return f"CREATE TYPE {each.name} AS ({inside})"


def _domain_constraint(each: CatalogObject, _: Columns) -> str:
    return f"ALTER DOMAIN {each.part_of} ADD CONSTRAINT {_own_name(each)} {each.definition}"


def _sequence(each: CatalogObject, _: Columns) -> str:
    # What belongs to a column is made with it.
    return "" if each.part_of else f"CREATE SEQUENCE {each.name}"


def _table(each: CatalogObject, columns: Columns) -> str:
    inside = ", ".join(f"{_own_name(column)} {_column(column.definition)}" for column in columns)
    unlogged = " UNLOGGED" if " unlogged" in f" {each.definition}".partition(" with ")[0] else ""
    key = _PARTITIONED.search(each.definition)
    partitioned = f" {key[0]}" if key else ""
    return f"CREATE{unlogged} TABLE {each.name} ({inside}){partitioned}"


def _foreign_table(each: CatalogObject, columns: Columns) -> str:
    inside = ", ".join(f"{_own_name(column)} {_column(column.definition)}" for column in columns)
    return f"CREATE FOREIGN TABLE {each.name} ({inside}) SERVER unknown"


def _column(definition: str) -> str:
    """A column as CREATE TABLE wants it."""
    found = _GENERATED.search(definition)
    if found and found[1] != "default":
        kind = found[1].removeprefix("generated ")
        before, rest = definition[: found.start()], definition[found.end() :]
        return f"{before} GENERATED ALWAYS AS ({rest}) {kind}"
    return _IDENTITY.sub(r" GENERATED \1 AS IDENTITY", definition)


def _attached(each: CatalogObject, _: Columns) -> str:
    parent = _PARTITION.search(each.definition)
    return f"ALTER TABLE {parent[1]} ATTACH PARTITION {each.name} DEFAULT" if parent else ""


def _secured(each: CatalogObject, _: Columns) -> str:
    secured = " row security" in f" {each.definition}"
    return f"ALTER TABLE {each.name} ENABLE ROW LEVEL SECURITY" if secured else ""


def _view(each: CatalogObject, _: Columns) -> str:
    found = _VIEW.match(each.definition)
    if found is None:
        return ""
    kind = "MATERIALIZED VIEW" if each.kind == "materialized view" else "VIEW"
    invoker = kind == "VIEW" and "security_invoker=true" in (found["options"] or "")
    options = " WITH (security_invoker = true)" if invoker else ""
    return f"CREATE {kind} {each.name}{options} AS {found['query'].rstrip(';')}"


def _constraint(each: CatalogObject, _: Columns) -> str:
    said = each.definition.removesuffix(" (its triggers are disabled)")
    return f"ALTER TABLE {each.part_of} ADD CONSTRAINT {_own_name(each)} {said}"


def _index(each: CatalogObject, _: Columns) -> str:
    if not each.valid:
        return ""
    return _INDEX_SETTINGS.sub("", each.definition)


def _function(each: CatalogObject, _: Columns) -> str:
    # An aggregate is printed by its parts.
    return each.definition.rstrip() if each.definition.startswith("CREATE ") else ""


def _trigger(each: CatalogObject, _: Columns) -> str:
    return re.sub(r" \((?:disabled|on replicas|always)\)$", "", each.definition)


def _policy(each: CatalogObject, _: Columns) -> str:
    kind, command, rest = each.definition.split(" ", 2)
    return f"CREATE POLICY {_own_name(each)} ON {each.part_of} AS {kind} FOR {command} {rest}"


def _grant(each: CatalogObject, _: Columns) -> str:
    found = _GRANT.fullmatch(each.name)
    if found is None or found["whom"] == "its owner":
        return ""
    return f"GRANT SELECT ON {found['table']} TO {found['whom']}"


def _own_name(each: CatalogObject) -> str:
    return each.name.removeprefix(f"{each.part_of}.")


_WRITERS: tuple[tuple[str, Callable[[CatalogObject, Columns], str]], ...] = (
    ("schema", _schema),
    ("type", _type),
    ("composite type", _composite),
    ("domain constraint", _domain_constraint),
    ("sequence", _sequence),
    ("table", _table),
    ("foreign table", _foreign_table),
    ("table", _attached),
    ("constraint", _constraint),
    ("view", _view),
    ("materialized view", _view),
    ("index", _index),
    ("function", _function),
    ("trigger", _trigger),
    ("table", _secured),
    ("policy", _policy),
    ("grant", _grant),
)
