"""Foreign keys of the loaded database, and how many rows share what could single somebody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.proof.report import LeakCheck
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.plan import CopyPlan, PlannedTable
    from confiture_flows.anonymization.proof.report import ProofOptions
    from confiture_flows.anonymization.proof.sessions import ProofSessions

_KEYS = """
SELECT n.nspname, t.relname, c.conname, c.convalidated, fn.nspname, f.relname,
    (SELECT array_agg(a.attname ORDER BY u.place)
     FROM unnest(c.conkey) WITH ORDINALITY AS u(number, place)
     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = u.number),
    (SELECT array_agg(a.attname ORDER BY u.place)
     FROM unnest(c.confkey) WITH ORDINALITY AS u(number, place)
     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = u.number)
FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_class AS f ON f.oid = c.confrelid
JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.relnamespace
WHERE c.contype = 'f'
ORDER BY n.nspname, t.relname, c.conname
"""


def check_foreign_keys(sessions: ProofSessions, plan: CopyPlan) -> Iterator[LeakCheck]:
    """Whether the source's foreign keys are there and hold; rows are counted where some were left.

    PostgreSQL has validated those it has made after the rows; where a sample or a condition left
    rows out, rows without a partner are counted all the same.
    """
    parts = {
        (each.schema, each.name)
        for each in plan.tables
        if each.where or each.keys is not None or not each.copied
    }
    there = {tuple(row[:3]): row for row in _keys(sessions.place)}
    for row in _keys(sessions.source):
        schema, table, name, validated = row[:4]
        said, verdict = "its foreign key holds", "passed"
        found = there.get((schema, table, name))
        if found is None:
            said, verdict = "the foreign key is not there", "failed"
        elif validated and not found[3]:
            said, verdict = "the foreign key is not validated", "failed"
        elif not validated or {(schema, table), (row[4], row[5])} & parts:
            orphans = _orphans(sessions, row)
            if orphans:
                said = f"{orphans:,} rows refer to none"
                verdict = "failed" if validated else "remark"
        yield LeakCheck("foreign_key", verdict, f"{schema}.{table}", "", f"{name}: {said}")


def check_anonymity(
    sessions: ProofSessions, plan: CopyPlan, options: ProofOptions
) -> Iterator[LeakCheck]:
    """Whether at least k rows share each combination of the declared columns."""
    tables = {str(each): each for each in plan.tables}
    for table, columns in options.quasi_identifiers.items():
        named = ", ".join(columns)
        groups, rows, least = sessions.row(
            sql.SQL(
                "SELECT count(*) FILTER (WHERE n < {0}), "
                "coalesce(sum(n) FILTER (WHERE n < {0}), 0)::bigint, coalesce(min(n), 0) "
                "FROM (SELECT count(*) AS n FROM {1} GROUP BY {2}) AS each"
            ).format(
                sql.Literal(options.k),
                sql.Identifier(tables[table].schema, tables[table].name),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
            )
        )
        said = (
            f"{rows:,} rows in {groups:,} groups share {named} with fewer than {options.k}"
            if groups
            else f"at least {least:,} rows share each {named}"
        )
        yield LeakCheck("k_anonymity", "failed" if groups else "passed", table, "", said)


def refuse_unknown(plan: CopyPlan, options: ProofOptions) -> None:
    """Refuse quasi-identifiers that the plan does not copy, before anything is copied.

    Raises:
        ConfigError: A table or a column is not in the plan.
    """
    tables = {str(each): each for each in plan.tables}
    for table, columns in options.quasi_identifiers.items():
        known = _names(tables.get(table))
        unknown = [each for each in columns if each not in known]
        if unknown or not columns:
            what = f"{table}.{unknown[0]}" if unknown and known else table
            raise ConfigError(
                f"anonymization.proof.quasi_identifiers: there is no {what} to copy.",
                next_step="Name tables as schema.table, each with a list of its columns.",
            )


def _names(table: PlannedTable | None) -> set[str]:
    return {each.column.name for each in table.columns} if table else set()


def _keys(conn: Connection) -> list[tuple]:
    return conn.execute(_KEYS).fetchall()


def _orphans(sessions: ProofSessions, row: tuple) -> int:
    schema, table, _, _, other_schema, other, columns, keys = row
    there = [sql.SQL("a.{} IS NOT NULL").format(sql.Identifier(each)) for each in columns]
    same = [
        sql.SQL("b.{} = a.{}").format(sql.Identifier(key), sql.Identifier(column))
        for column, key in zip(columns, keys, strict=True)
    ]
    both = sql.SQL(" AND ")
    return sessions.row(
        sql.SQL(
            "SELECT count(*) FROM {} AS a WHERE {} AND NOT EXISTS (SELECT FROM {} AS b WHERE {})"
        ).format(
            sql.Identifier(schema, table),
            both.join(there),
            sql.Identifier(other_schema, other),
            both.join(same),
        )
    )[0]
