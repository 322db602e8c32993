"""SQL expressions -> SQL for their 64-bit hashes, the same on both servers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql
from psycopg.errors import Error

from confiture_flows.anonymization.proof.tokens import SHORTEST

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from psycopg import Connection

# No column is hashed by what a collation takes for equal.
_FAST: LiteralString = 'pg_catalog.hashtextextended(({})::text COLLATE pg_catalog."C", 0)'
_SURE: LiteralString = "('x' || pg_catalog.left(pg_catalog.md5(({})::text), 16))::bit(64)::bigint"
# Of a record, the hashes of its fields are added up: hashed once more, so that sums over rows tell
# which values stood together.
_RECORD: LiteralString = (
    "pg_catalog.hashint8extended(pg_catalog.hash_record_extended(ROW({}), 0), 0)"
)
_PROBE: LiteralString = (
    "SELECT array_agg({} ORDER BY n) FROM (SELECT n, "
    "pg_catalog.repeat('a\u00e9\u00df', n) || n AS v FROM generate_series(0, 40) AS n) AS probe"
)
_RECORD_PROBE: LiteralString = (
    "v COLLATE pg_catalog.\"C\", n::int2, n, n::int8, n % 2 = 0, '1999-12-31'::date + n, "
    "'1999-12-31 10:00'::timestamp + n * interval '1 s 1 us', "
    "'1999-12-31 10:00+00'::timestamptz + n * interval '1 s 1 us', "
    "pg_catalog.md5(v)::uuid, '10.0.0.0'::inet + n, 'fe80::'::inet + n, pg_catalog.convert_to(v, "
    "'UTF8'), NULL::int, '10:00'::time + n * interval '1 s', '10.0.0.0/8'::cidr"
)
# Types whose own hash is of every bit of a value: equal is the same. Of the others the text is
# hashed (1.0 and 1.00 are equal; the number of an enum's label is another in each database).
_NUMBERS = ("int2", "int4", "int8", "bool")
_TIMES = ("date", "time", "timestamp", "timestamptz")
_EXACT = frozenset((*_NUMBERS, *_TIMES, "uuid", "inet", "cidr", "bytea"))
# Left out where a value without letters is looked for: "+49 30 12-34" is "49301234".
_SPACING = " ()+-./"
# The sign tells hashes of long values, which may be looked for elsewhere.
_SHORT = sql.SQL(" & 9223372036854775807")
_LONG = sql.SQL(" | (~ 9223372036854775807)")
NOTHING = 0
_IS_NEGATIVE = (0).__gt__
# Which byte of a number holds the sign, and what it is then.
_SIGN = 7 if sys.byteorder == "little" else 0
_NEGATIVE = bytes(range(128, 256))


def all_long(hashes: array[int]) -> bool:
    """Whether all are hashes of long texts, as they mostly are."""
    # The sign alone, as looking at numbers costs as much as making a set of them.
    signs = hashes.tobytes()[_SIGN :: hashes.itemsize]
    return not signs.translate(None, _NEGATIVE)


def long_of(hashes: array[int]) -> list[int]:
    """The hashes of long texts; all others are positive."""
    found = hashes.tolist()
    return found if all_long(hashes) else list(filter(_IS_NEGATIVE, found))


@dataclass(frozen=True, slots=True)
class Hashing:
    """How both servers hash.

    Attributes:
        template: SQL with a place for the expression.
        records: Whether rows are hashed by the hashes of their types.
    """

    template: LiteralString
    records: bool = False

    def of(self, expression: sql.Composable) -> sql.Composed:
        """The hash of an expression's text; NULL of NULL."""
        return sql.SQL(self.template).format(expression)

    def of_value(self, expression: sql.Composable) -> sql.Composed:
        """The same without its sign; `NOTHING` of NULL and of the empty text."""
        text = sql.SQL("NULLIF(({})::text, '')").format(expression)
        return sql.SQL("coalesce({}{}, {})").format(self.of(text), _SHORT, sql.Literal(NOTHING))

    def of_text(self, expression: sql.Composable) -> sql.Composed:
        """The hash by which a text is found however it is spelled; `NOTHING` as above.

        It has a sign if the text is long. Then it is in small letters, and one without letters has
        no spaces, brackets and hyphens; short texts are as they are.
        """
        # upper() and lower() of this collation are cheap; translate() costs a microsecond.
        text = sql.SQL("({})::text").format(expression)
        spelled = sql.SQL(
            "CASE WHEN pg_catalog.ascii({0}) < 64 AND "
            'pg_catalog.upper({0} COLLATE pg_catalog."C") = '
            'pg_catalog.lower({0} COLLATE pg_catalog."C") '
            "THEN pg_catalog.translate({0}, {1}, '') "
            'ELSE pg_catalog.lower({0} COLLATE pg_catalog."C") END'
        ).format(text, sql.Literal(_SPACING))
        return sql.SQL(
            "CASE WHEN pg_catalog.octet_length({0}) >= {1} THEN {2}{3} "
            "WHEN pg_catalog.octet_length({0}) > 0 THEN {4}{5} ELSE {6} END"
        ).format(
            text,
            sql.Literal(SHORTEST),
            self.of(spelled),
            _LONG,
            self.of(text),
            _SHORT,
            sql.Literal(NOTHING),
        )

    def of_row(self, columns: Sequence[tuple[sql.Composable, str]]) -> sql.Composable:
        """The hash of several columns together, each with the name of its type."""
        if not columns:
            return sql.SQL("0::bigint")
        if not self.records:
            return self.of(
                sql.SQL("ROW({})").format(sql.SQL(", ").join(each for each, _ in columns))
            )
        fields = [
            each if kind in _EXACT else sql.SQL('({})::text COLLATE pg_catalog."C"').format(each)
            for each, kind in columns
        ]
        return sql.SQL(_RECORD).format(sql.SQL(", ").join(fields))


def agreed_hashing(source: Connection, place: Connection) -> Hashing:
    """The fastest hash on which both servers agree.

    PostgreSQL promises for no hash function but md5 that two major versions compute the same: so
    both are asked.
    """
    fast = Hashing(_FAST)
    if not _agree(source, place, fast.of(sql.SQL("v"))):
        return Hashing(_SURE)
    return Hashing(_FAST, _agree(source, place, sql.SQL(_RECORD).format(sql.SQL(_RECORD_PROBE))))


def _agree(source: Connection, place: Connection, expression: sql.Composable) -> bool:
    said: list[object] = []
    for conn in (source, place):
        try:
            with conn.transaction():
                said.append(conn.execute(sql.SQL(_PROBE).format(expression)).fetchone())
        except Error:  # PostgreSQL 10 knows no such hash of texts, PostgreSQL 13 none of records
            return False
    return said[0] == said[1]
