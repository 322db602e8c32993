"""A target's own sequences -> behind those of the source and behind the rows; never back.

setval is not undone by a rollback, but it writes to the file that ALTER SEQUENCE ... RESTART of the
same transaction has made, and that file is gone with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

    from confiture_flows.anonymization.copying.schema import Sequence

_SEQUENCES = """
SELECT n.nspname, c.relname, s.seqincrement > 0, t.oid, tn.nspname, t.relname, a.attname,
    a.atttypid = ANY ('{int2,int4,int8}'::pg_catalog.regtype[])
FROM pg_catalog.pg_sequence AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE c.relpersistence <> 't'
"""


def move_sequences(conn: Connection, sequences: Iterable[Sequence], family: Iterable[int]) -> int:
    """Move them, as part of the session's transaction.

    Sequences of columns of other tables stay where they are.

    Args:
        conn: In a transaction.
        sequences: Of the source.
        family: The loaded tables, and those that they are partitions of.

    Returns:
        How many were moved.
    """
    origin = {(each.schema, each.name): (each.last, each.called) for each in sequences}
    loaded, moved = set(family), 0
    for schema, name, rising, owner, *column, whole in conn.execute(_SEQUENCES).fetchall():
        if owner is not None and owner not in loaded:
            continue
        found = [origin[schema, name]] if (schema, name) in origin else []
        if owner is not None and whole:
            found += _furthest_value(conn, *column, rising=rising)
        if not found:
            continue
        at = sql.Identifier(schema, name)
        row = conn.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(at)).fetchone()
        assert row is not None  # noqa: S101 - a sequence has one row
        now = (row[0], row[1])
        best = max([now, *found], key=lambda each: (each[0] if rising else -each[0], each[1]))
        if best != now:
            conn.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(at))
            conn.execute(
                "SELECT pg_catalog.setval(%s::pg_catalog.regclass, %s, %s)",
                (at.as_string(conn), *best),
            )
            moved += 1
    return moved


def _furthest_value(
    conn: Connection, schema: str, table: str, column: str, *, rising: bool
) -> list[tuple[int, bool]]:
    row = conn.execute(
        sql.SQL("SELECT {}({})::bigint FROM {}").format(
            sql.SQL("max" if rising else "min"),
            sql.Identifier(column),
            sql.Identifier(schema, table),
        )
    ).fetchone()
    return [(row[0], True)] if row and row[0] is not None else []
