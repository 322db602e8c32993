"""SQL expressions -> SQL for their 64-bit hashes, the same on both servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql
from psycopg.errors import Error

from confiture_flows.anonymization.proof.tokens import SHORTEST

if TYPE_CHECKING:
    from psycopg import Connection

# No column is hashed by what a collation takes for equal.
_FAST: LiteralString = 'pg_catalog.hashtextextended(({})::text COLLATE pg_catalog."C", 0)'
_SURE: LiteralString = "('x' || pg_catalog.left(pg_catalog.md5(({})::text), 16))::bit(64)::bigint"
_PROBE: LiteralString = (
    "SELECT array_agg({} ORDER BY n) FROM (SELECT n, "
    "pg_catalog.repeat('a\u00e9\u00df', n) || n AS v FROM generate_series(0, 40) AS n) AS probe"
)
# What is left out of values that start with a sign below "@" when they are looked for elsewhere:
# "+49 30 12-34" is "49301234". Of the others nothing is, since translate costs 2 µs a value.
_SPACING = " ()+-./"


@dataclass(frozen=True, slots=True)
class Hashing:
    """How both servers hash.

    Attributes:
        template: SQL with a place for the expression.
    """

    template: LiteralString

    def of(self, expression: sql.Composable) -> sql.Composed:
        """The hash of an expression's text; NULL of NULL."""
        return sql.SQL(self.template).format(expression)

    def of_value(self, expression: sql.Composable) -> sql.Composed:
        """The same, and NULL of the empty text, which tells nothing."""
        return self.of(sql.SQL("NULLIF(({})::text, '')").format(expression))

    def of_spelling(self, expression: sql.Composable) -> sql.Composed:
        """The hash by which a value is found however it is spaced; NULL of short ones."""
        return self.of(
            sql.SQL(
                "CASE WHEN pg_catalog.octet_length(({0})::text) < {1} THEN NULL "
                "WHEN pg_catalog.ascii(({0})::text) < 64 "
                'THEN pg_catalog.translate(pg_catalog.lower(({0})::text COLLATE pg_catalog."C"), '
                "{2}, '') ELSE pg_catalog.lower(({0})::text COLLATE pg_catalog.\"C\") END"
            ).format(expression, sql.Literal(SHORTEST), sql.Literal(_SPACING))
        )

    def of_row(self, expressions: list[sql.Composable]) -> sql.Composable:
        """The hash of several expressions together; NULL of none."""
        if not expressions:
            return sql.SQL("NULL::bigint")
        return self.of(sql.SQL("ROW({})").format(sql.SQL(", ").join(expressions)))


def agreed_hashing(source: Connection, place: Connection) -> Hashing:
    """The fastest hash on which both servers agree.

    PostgreSQL promises for no hash function but md5 that two major versions compute the same: so
    both are asked.
    """
    fast = Hashing(_FAST)
    said: list[object] = []
    for conn in (source, place):
        try:
            with conn.transaction():
                query = sql.SQL(_PROBE).format(fast.of(sql.SQL("v")))
                said.append(conn.execute(query).fetchone())
        except Error:  # PostgreSQL 10 does not know it
            return Hashing(_SURE)
    return fast if said[0] == said[1] else Hashing(_SURE)
