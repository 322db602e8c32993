"""The tables that a target has -> what keeps them from being loaded, and what is put aside for it.

Foreign keys are dropped and made again, which looks at every row; large plain indexes as well;
triggers are switched off and on. `LoadedSchema.changed`, asked after, is what says
that nothing has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from confiture_flows.anonymization.plan import PlannedTable

# Below it, making an index again costs as much as keeping it.
_INDEX_ROWS = 10_000

_TABLES = """
SELECT w.schema, w.name, c.oid, c.relkind::text, c.relpersistence::text,
    pg_catalog.pg_get_userbyid(c.relowner), pg_catalog.pg_has_role(c.relowner, 'USAGE')
FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS w(schema, name)
LEFT JOIN (pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace)
    ON n.nspname = w.schema AND c.relname = w.name
"""
_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
    a.attgenerated <> '', a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND (n.nspname, c.relname) IN (
    SELECT w.schema, w.name FROM ROWS FROM
        (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS w(schema, name))
ORDER BY a.attnum
"""
# A partition's foreign keys may be its parent's, and are dropped there.
_FAMILY = """
WITH RECURSIVE family AS (
    SELECT pg_catalog.unnest(%(oids)s::oid[]) AS oid
    UNION
    SELECT i.inhparent FROM family AS f
    JOIN pg_catalog.pg_class AS c ON c.oid = f.oid AND c.relispartition
    JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
)
"""
# A key whose triggers were switched off is not in the way, and would come back switched on.
_FOREIGN_KEYS = (
    _FAMILY  # noqa: S608 - two constants
    + """
SELECT n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid),
    pg_catalog.obj_description(k.oid, 'pg_constraint'), k.conrelid, k.confrelid
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid IN (SELECT f.oid FROM family AS f)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
        WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
ORDER BY n.nspname, c.relname, k.conname
"""
)
# Only those whose definition says all that there is to know of them.
_INDEXES = """
SELECT n.nspname, c.relname, pg_catalog.pg_get_indexdef(c.oid)
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indrelid = ANY (%s::oid[]) AND NOT i.indisprimary AND NOT i.indisexclusion
    AND NOT i.indisclustered AND NOT i.indisreplident AND i.indisvalid AND i.indisready
    AND c.reltablespace = 0 AND NOT c.relispartition
    AND pg_catalog.obj_description(c.oid, 'pg_class') IS NULL
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
            AND d.deptype IN ('e', 'x'))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND coalesce(a.attstattarget, -1) >= 0)
ORDER BY n.nspname, c.relname
"""
# Clones of a parent's triggers were internal before PostgreSQL 15. Those of replicas do not fire.
_TRIGGERS = """
SELECT n.nspname, c.relname, t.tgname, t.tgenabled::text
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.tgrelid = ANY (%s::oid[]) AND t.tgenabled IN ('O', 'A')
    AND (NOT t.tgisinternal OR (t.tgparentid <> 0 AND t.tgconstraint = 0))
ORDER BY n.nspname, c.relname, t.tgname
"""
_FINGERPRINT = (
    _FAMILY  # noqa: S608 - two constants
    + """, touched AS (
    SELECT f.oid FROM family AS f UNION SELECT pg_catalog.unnest(%(more)s::oid[])
    UNION SELECT i.inhrelid FROM family AS f JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid
)
SELECT pg_catalog.format('constraint %%s on %%s', k.conname, k.conrelid::pg_catalog.regclass),
    pg_catalog.concat_ws('|', pg_catalog.pg_get_constraintdef(k.oid), k.convalidated,
        k.condeferrable, k.condeferred, k.connoinherit, k.conislocal, k.coninhcount,
        pg_catalog.obj_description(k.oid, 'pg_constraint'))
FROM pg_catalog.pg_constraint AS k
WHERE k.conrelid IN (SELECT oid FROM touched) OR k.confrelid IN (SELECT oid FROM touched)
UNION ALL
SELECT pg_catalog.format('index %%s', i.indexrelid::pg_catalog.regclass),
    pg_catalog.concat_ws('|', pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid,
        i.indisclustered, i.indisreplident, i.indisprimary, c.reltablespace, c.relowner,
        pg_catalog.obj_description(c.oid, 'pg_class'))
FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid IN (SELECT oid FROM touched)
UNION ALL
SELECT pg_catalog.format('trigger %%s on %%s',
    CASE WHEN k.oid IS NULL OR NOT t.tgisinternal THEN t.tgname::text
    ELSE pg_catalog.format('of %%s, %%s', k.conname, t.tgfoid::pg_catalog.regproc) END,
    t.tgrelid::pg_catalog.regclass),
    CASE WHEN t.tgisinternal THEN t.tgenabled::text
    ELSE pg_catalog.concat_ws('|', pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled,
        pg_catalog.obj_description(t.oid, 'pg_trigger')) END
FROM pg_catalog.pg_trigger AS t
LEFT JOIN pg_catalog.pg_constraint AS k ON k.oid = t.tgconstraint
WHERE t.tgrelid IN (SELECT oid FROM touched)
ORDER BY 1, 2
"""
)
_ROOTS = (
    _FAMILY
    + """
SELECT c.oid, n.nspname, c.relname FROM family AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY n.nspname, c.relname
"""
)


@dataclass(frozen=True, slots=True)
class _There:
    """A column of the target."""

    kind: str
    generated: bool
    needed: bool


@dataclass(frozen=True, slots=True)
class LoadedSchema:
    """What is put aside while rows are loaded, and what brings it back.

    Attributes:
        oids: The tables.
        family: These, and what they are partitions of.
        related: Tables that foreign keys of these lead to.
        before: Statements to run before the rows.
        after: Statements to run after them, with what they do.
        described: By name, what there was of constraints, indexes and triggers.
    """

    oids: tuple[int, ...]
    family: tuple[int, ...]
    related: tuple[int, ...]
    before: tuple[sql.Composed, ...]
    after: tuple[tuple[str, sql.Composed], ...]
    described: tuple[tuple[str, str], ...]

    def changed(self, conn: Connection) -> tuple[str, ...]:
        """What is not as it was, by name."""
        now = _fingerprint(conn, self.oids, self.related)
        return tuple(sorted({name for name, _ in set(now) ^ set(self.described)}))


def mistakes_of(
    source: Connection, target: Connection, tables: Sequence[PlannedTable]
) -> tuple[str, ...]:
    """All that keeps a target's tables from taking the rows; empty when nothing does.

    Args:
        source: Of the plan.
        target: With the source's search_path, so that types have the same names.
        tables: Whose rows are copied.
    """
    names = _names(tables)
    origin, there = _columns(source, names), _columns(target, names)
    found: list[str] = []
    rows = {(row[0], row[1]): row[2:] for row in target.execute(_TABLES, names)}
    for table in tables:
        oid, kind, persistence, owner, ours = rows[table.schema, table.name]
        if oid is None:
            found.append(f"{table} is not there")
        elif kind != "r" or persistence == "t":
            found.append(f"{table} is no ordinary table there")
        elif not ours:
            found.append(f"{table} belongs to {owner}, and only the owner may load it")
        else:
            place = (table.schema, table.name)
            found += _wrong_columns(table, origin.get(place, {}), there.get(place, {}))
            if _has_rows(target, table):
                found.append(f"{table} is not empty")
    return tuple(found)


def read_schema_there(conn: Connection, tables: Sequence[PlannedTable]) -> LoadedSchema:
    """Read what is to be put aside, and how it is brought back.

    Args:
        conn: The target, in the transaction that locks the tables.
        tables: Whose rows are copied, all of them there.
    """
    by_name = {(row[0], row[1]): row[2] for row in conn.execute(_TABLES, _names(tables))}
    oids = list(by_name.values())
    large = [by_name[each.schema, each.name] for each in tables if each.rows >= _INDEX_ROWS]
    keys = conn.execute(_FOREIGN_KEYS, {"oids": oids}).fetchall()
    related = sorted({oid for row in keys for oid in row[5:]})
    before: list[sql.Composed] = []
    after: list[tuple[str, sql.Composed]] = []
    for schema, name, definition in conn.execute(_INDEXES, (large,)).fetchall():
        before.append(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, name)))
        after.append((f"Making the index {schema}.{name}", sql.SQL("{}").format(_raw(definition))))
    for schema, table, name, definition, comment, *_ in keys:
        at, key = sql.Identifier(schema, table), sql.Identifier(name)
        what = f"Making the foreign key {name} of {schema}.{table}"
        before.append(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(at, key))
        adding = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
        after.append((what, adding.format(at, key, _raw(definition))))
        if comment is not None:
            telling = sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}")
            after.append((what, telling.format(key, at, comment)))
    for schema, table, name, state in conn.execute(_TRIGGERS, (oids,)).fetchall():
        at, trigger = sql.Identifier(schema, table), sql.Identifier(name)
        before.append(sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(at, trigger))
        again = sql.SQL("ENABLE ALWAYS" if state == "A" else "ENABLE")
        what = f"Switching on the trigger {name} of {schema}.{table}"
        after.append((what, sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(at, again, trigger)))
    described = _fingerprint(conn, oids, related)
    family = tuple(row[0] for row in conn.execute(_ROOTS, {"oids": oids}))
    return LoadedSchema(tuple(oids), family, tuple(related), tuple(before), tuple(after), described)


def tables_to_analyze(conn: Connection, schema: LoadedSchema) -> sql.Composed:
    """The tables, and what they are partitions of, as a list."""
    found = conn.execute(_ROOTS, {"oids": list(schema.oids)}).fetchall()
    return sql.SQL(", ").join(sql.Identifier(*each[1:]) for each in found)


def _names(tables: Iterable[PlannedTable]) -> tuple[list[str], list[str]]:
    all_of_them = tuple(tables)
    return [each.schema for each in all_of_them], [each.name for each in all_of_them]


def _columns(
    conn: Connection, names: tuple[list[str], list[str]]
) -> dict[tuple[str, str], dict[str, _There]]:
    found: dict[tuple[str, str], dict[str, _There]] = {}
    for schema, table, column, *rest in conn.execute(_COLUMNS, names):
        found.setdefault((schema, table), {})[column] = _There(*rest)
    return found


def _wrong_columns(
    table: PlannedTable, origin: dict[str, _There], there: dict[str, _There]
) -> list[str]:
    found: list[str] = []
    for each in table.columns:
        name = each.column.name
        here, other = origin.get(name), there.get(name)
        where = f"{table}.{name}"
        if other is None or here is None:
            found.append(f"{where} is not there" if here else f"{where} is gone from the source")
        elif here.kind != other.kind:
            found.append(f"{where} is {other.kind} there, and {here.kind} in the source")
        elif other.generated == each.written:
            one = "generated there, and not" if other.generated else "not generated there, but"
            found.append(f"{where} is {one} in the source")
    known = {each.column.name for each in table.columns}
    return found + [
        f"{table}.{name} is NOT NULL there without a default, and the source does not have it"
        for name, other in there.items()
        if name not in known and other.needed
    ]


def _has_rows(conn: Connection, table: PlannedTable) -> bool:
    row = conn.execute(
        sql.SQL("SELECT EXISTS (SELECT FROM ONLY {})").format(
            sql.Identifier(table.schema, table.name)
        )
    ).fetchone()
    return bool(row and row[0])


def _fingerprint(
    conn: Connection, oids: Iterable[int], related: Iterable[int]
) -> tuple[tuple[str, str], ...]:
    found = conn.execute(_FINGERPRINT, {"oids": list(oids), "more": list(related)})
    return tuple((name, said) for name, said in found)


def _raw(definition: str) -> sql.SQL:
    """SQL as the server itself has written it."""
    return sql.SQL(definition)  # pyright: ignore[reportArgumentType]
