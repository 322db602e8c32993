"""Statements and the relations that they locked -> the next catalog, from the one before.

A snapshot of a whole database costs twenty times what a small migration does. What changes a
relation locks it first; so after statements of the usual kinds only the relations that are locked
are read again, and functions and types where a statement is about those. After all other kinds
everything is read. `Tracker.check` says whether that was enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.catalog.model import Catalog, CatalogObject
from confiture_flows.catalog.snapshot import catalog_query, rare_catalogs, take_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

# Statements, by the parser's names, that change nothing but relations that they lock.
_LOCAL = frozenset(
    [
        "alter_policy_stmt",
        "alter_seq_stmt",
        "alter_table_stmt",
        "cluster_stmt",
        "comment_stmt",
        "composite_type_stmt",
        "create_policy_stmt",
        "create_seq_stmt",
        "create_stmt",
        "create_table_as_stmt",
        "create_trig_stmt",
        "delete_stmt",
        "explain_stmt",
        "index_stmt",
        "insert_stmt",
        "lock_stmt",
        "refresh_mat_view_stmt",
        "reindex_stmt",
        "rule_stmt",
        "truncate_stmt",
        "update_stmt",
        "vacuum_stmt",
        "variable_set_stmt",
        "view_stmt",
    ]
)
# And those that also change functions or types.
_OBJECTS = frozenset(
    [
        "alter_domain_stmt",
        "alter_enum_stmt",
        "create_domain_stmt",
        "create_enum_stmt",
        "create_function_stmt",
    ]
)
_LOCAL_PARTS = frozenset(
    [
        "relations",
        "sequences",
        "columns",
        "column_settings",
        "column_compression",
        "indexes",
        "constraints",
        "triggers",
        "rules",
        "policies",
    ]
)
_OBJECT_PARTS = frozenset({"functions", "types", "domain_constraints"})
_RIGHTS = frozenset({"grant", "revoke"})
_OBJECT_KINDS = frozenset({"function", "type", "domain constraint"})
_RELATIONS = frozenset(
    {"table", "view", "materialized view", "foreign table", "composite type", "sequence"}
)
_BELOW = frozenset(
    [
        "column",
        "column settings",
        "column compression",
        "index",
        "constraint",
        "trigger",
        "rule",
        "policy",
    ]
)
# Of comments and rights only those on relations and columns are read with the relation.
_ON_RELATION = re.compile(
    r"(?:table|index|sequence|view|materialized view|foreign table|composite type)"
    r"(?: column)? (?!constraint )"
)
# What is in these comes and goes with relations, or, an event trigger, does anything at all.
_FAR_REACHING = frozenset(
    {"pg_event_trigger", "pg_foreign_table", "pg_publication", "pg_statistic_ext"}
)
_DROPS_RELATION = re.compile(
    r"DROP\s+(?:TABLE|INDEX|VIEW|MATERIALIZED|SEQUENCE|TRIGGER|POLICY|RULE)\b", re.IGNORECASE
)
_DROPS_OBJECT = re.compile(r"DROP\s+(?:FUNCTION|PROCEDURE|ROUTINE|TYPE|DOMAIN)\b", re.IGNORECASE)
_CASCADE = re.compile(r"\bCASCADE\b", re.IGNORECASE)
_VALUES = {
    "%(schema)s": "$1",
    "%(ledger)s": "$2",
    "%(migrators)s": "$3",
    "%(relations)s": "$4",
    "%%": "%",
}


def reach(statements: Iterable[tuple[str, str]]) -> frozenset[str] | None:
    """The parts of the catalog that statements may change; None is all.

    Args:
        statements: The parser's name of each, and its text.
    """
    parts = _LOCAL_PARTS
    for kind, text in statements:
        local = kind in _LOCAL or (kind == "drop_stmt" and _DROPS_RELATION.match(text))
        objects = kind in _OBJECTS or (kind == "drop_stmt" and _DROPS_OBJECT.match(text))
        if not (local or objects):
            return None
        if objects or _CASCADE.search(text):
            parts |= _OBJECT_PARTS
        if kind == "comment_stmt":
            parts |= {"comments"}
    return parts


@dataclass(slots=True)
class Tracker:
    """Keeps the catalog of a database that one session changes.

    Attributes:
        conn: That session; what it prepares has to stay prepared.
        ledger: As in `take_snapshot`.
        catalog: As of the last look.
    """

    conn: Connection
    ledger: tuple[str, str]
    catalog: Catalog = field(default_factory=lambda: Catalog(()))
    _rare: bool = True
    _grants: bool = True
    _prepared: set[str] = field(default_factory=set)

    def start(self) -> Catalog:
        """Read all there is."""
        self.catalog = self.whole()
        return self.catalog

    def whole(self) -> Catalog:
        """Read all there is, and nothing else than that."""
        found = {name for (name,) in self.conn.execute(rare_catalogs())}
        self._rare = not found.isdisjoint(_FAR_REACHING)
        self._grants = "pg_default_acl" in found
        return take_snapshot(self.conn, ledger=self.ledger)

    def after(
        self,
        before: Catalog,
        parts: frozenset[str] | None,
        relations: frozenset[int],
        names: frozenset[str],
    ) -> Catalog:
        """The catalog after some statements; in their transaction, or after it.

        Args:
            before: The catalog before them.
            parts: From `reach`.
            relations: The numbers of those that they locked or made.
            names: The names of those that were there before, as they were.
        """
        if parts is None or self._rare:
            return self.whole()
        # Where there are none, and no statement makes one, none need be looked for.
        # A new database has some on its schema, which no such statement changes.
        notes, rights = _notes_and_rights(before)
        if notes:
            parts |= {"comments"}
        if self._grants or rights:
            parts |= {"grants"}
        read = self._read(parts, sorted(relations))
        kept = _kept(before, parts, names | {each.name for each in read if each.kind in _RELATIONS})
        return Catalog.of((*kept, *read))

    def check(self) -> bool:
        """Whether the catalog is what the database has."""
        return self.whole() == self.catalog

    def _read(self, parts: frozenset[str], relations: list[int]) -> list[CatalogObject]:
        from psycopg import ClientCursor

        name = "_".join(("confiture", *sorted(parts - _LOCAL_PARTS)))
        if name not in self._prepared:
            major = self.conn.info.server_version // 10_000
            query = catalog_query(major, frozenset(), parts, restricted=True)
            for written, number in _VALUES.items():
                query = query.replace(written, number)
            types = "(text, text, text[], oid[])"
            self.conn.execute(" ".join(("PREPARE", name, types, "AS", query)).encode())
            self._prepared.add(name)
        values = [*self.ledger, [], relations]
        execute = " ".join(("EXECUTE", name, "(%s, %s, %s, %s::oid[])"))
        cursor = ClientCursor(self.conn)
        # One round trip. What is set goes with the transaction, the session's own or this one's.
        wrapped = "SET LOCAL search_path = ''; SET LOCAL jit = off; SET LOCAL plan_cache_mode = "
        wrapped += "force_generic_plan; " + execute
        if self.conn.info.transaction_status == _IDLE:
            wrapped = "BEGIN; " + wrapped + "; COMMIT"
        cursor.execute(wrapped.encode(), values)
        while cursor.description is None and cursor.nextset():
            pass
        return [CatalogObject(*row) for row in cursor]


_IDLE = 0  # psycopg.pq.TransactionStatus.IDLE


def _notes_and_rights(catalog: Catalog) -> tuple[bool, bool]:
    """Whether it has comments or labels, and rights, other than those on schemas."""
    told = {kind for kind in {each.kind for each in catalog.objects} if _is_note(kind)}
    kinds = {
        each.kind
        for each in catalog.objects
        if (each.kind in told or each.kind in _RIGHTS) and not each.name.startswith("schema ")
    }
    return bool(kinds - _RIGHTS), bool(kinds & _RIGHTS)


def _kept(before: Catalog, parts: frozenset[str], names: frozenset[str]) -> list[CatalogObject]:
    """What a reading of relations does not tell anew."""
    whole = _OBJECT_KINDS if parts >= _OBJECT_PARTS else frozenset()
    marked: frozenset[str] = _RIGHTS if "grants" in parts else frozenset()
    if "comments" in parts:
        marked |= {kind for kind in {each.kind for each in before.objects} if _is_note(kind)}
    own = names
    if marked:
        indexes = (each for each in before.objects if each.kind == "index")
        own |= {each.name for each in indexes if _below(each, names)}
    # Most objects are far from all of that, which is told without a call.
    near = whole | marked | {"index"}
    return [
        each
        for each in before.objects
        if not (each.kind in near or each.name in names or each.part_of in names)
        or not _is_read(each, names, own, whole, marked)
    ]


def _is_read(
    each: CatalogObject,
    names: frozenset[str],
    own: frozenset[str],
    whole: frozenset[str],
    marked: frozenset[str],
) -> bool:
    if each.kind in whole:
        return True
    if each.kind in _RELATIONS:
        return each.name in names
    if each.kind in _BELOW:
        return _below(each, names)
    if each.kind in marked:
        return each.part_of in own or _ON_RELATION.match(each.name) is None
    return False


def _is_note(kind: str) -> bool:
    return kind == "comment" or kind.startswith("security label")


def _below(each: CatalogObject, names: frozenset[str]) -> bool:
    """Whether it is a part of a relation, or, an index, of a relation's constraint."""
    if each.part_of in names:
        return True
    return each.kind == "index" and each.part_of.rpartition(".")[0] in names
