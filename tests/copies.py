"""What tests of the copy share: a plan of a database, and sums over its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from confiture_flows.anonymization.plan import CopyPlan, PlannedColumn, PlannedTable
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.strategy import Column

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, b.typname, a.atttypid::int, a.attnotnull, a.attgenerated,
    a.attidentity, CASE WHEN a.atttypmod > 4 AND b.typname IN ('varchar', 'bpchar')
    THEN a.atttypmod - 4 END, pg_relation_size(c.oid), c.reltuples::bigint
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname, a.attnum
"""


def plan_of(dsn: str, **rules: Any) -> CopyPlan:
    """A plan of all tables; `table__column="strategy"` or `=(strategy, config)` masks one."""
    tables: dict[tuple[str, str], PlannedTable] = {}
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(_COLUMNS).fetchall()
    for schema, table, name, kind, oid, required, generated, identity, length, size, count in rows:
        column = Column(schema, table, name, kind, oid, length, not required)
        said = rules.get(f"{table}__{name}")
        rule = None
        if said is not None:
            strategy, config, *more = (said, {}) if isinstance(said, str) else said
            unfit = more[0] if more else "stop"
            pattern = Pattern(("*", table, name), f"*.{table}.{name}")
            rule = ColumnRule(pattern, strategy, config, None, unfit)
        planned = PlannedColumn(column, rule, not generated, identity == "a")
        known = tables.setdefault(
            (schema, table), PlannedTable(schema, table, (), rows=max(count, 0), size=size)
        )
        tables[(schema, table)] = replace(known, columns=(*known.columns, planned))
    return CopyPlan(tuple(tables.values()))


def sums(dsn: str) -> dict[str, tuple[int, Any]]:
    """Of each table: its rows, and a sum over their text that no order changes."""
    found: dict[str, tuple[int, Any]] = {}
    with psycopg.connect(dsn) as conn:
        conn.execute("SET TimeZone = 'UTC'; SET extra_float_digits = 3; SET bytea_output = hex")
        names = conn.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') "
            "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
        ).fetchall()
        for schema, table in names:
            row = conn.execute(
                sql.SQL(
                    "SELECT count(*), sum(('x' || left(md5(t::text), 15))::bit(60)::bigint) "
                    "FROM ONLY {} AS t"
                ).format(sql.Identifier(schema, table))
            ).fetchone()
            assert row
            found[f"{schema}.{table}"] = tuple(row)
    return found
