"""A strategy with `to_sql` on a live PostgreSQL -> where SQL and Python do not agree.

Everything happens in a temporary table whose transaction is rolled back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from confiture_flows.anonymization._kit_properties import UNFIT, Broken, Tried, result
from confiture_flows.anonymization._kit_values import kind_of
from confiture_flows.anonymization.describe import OTHER
from confiture_flows.anonymization.strategy import StrategyBase, is_sql_only

if TYPE_CHECKING:
    from psycopg import Connection

# v is the value, s what SQL makes of it, p what Python does.
_TABLE = sql.SQL("CREATE TEMP TABLE confiture_kit (n int, v {0}, s {0}, p {0}, {1}) ON COMMIT DROP")
_DIFFERENT = (
    "SELECT v::text, s::text, p::text FROM confiture_kit"
    " WHERE n = ANY(%s) AND CASE WHEN pg_typeof(v)::text = 'json'"
    " THEN s::text::jsonb IS DISTINCT FROM p::text::jsonb"
    " ELSE s::text IS DISTINCT FROM p::text END ORDER BY length(v::text), n LIMIT 1"
)
_SAME = "SELECT v::text FROM confiture_kit WHERE n = ANY(%s) AND s::text = v::text LIMIT 1"


def sql_of(made: StrategyBase) -> str | None:
    """The strategy's expression over the table that it is tried on."""
    return made.to_sql("v", *(f"o{number}" for number in range(len(made.needs()))))


def make_table(made: StrategyBase, conn: Connection, values: tuple[Any, ...]) -> None:
    """Make a temporary table with a value a row, and set what the SQL of the key reads."""
    others = [
        sql.SQL("o{} text DEFAULT {}").format(number, OTHER) for number in range(len(made.needs()))
    ]
    named = sql.SQL(", ").join([*others, sql.SQL("o text")])
    conn.execute(_TABLE.format(_type(made), named))
    insert = sql.SQL("INSERT INTO confiture_kit (n, v) VALUES (%s, %s::{})").format(_type(made))
    rows = [(number, _written(made, value)) for number, value in enumerate(values)]
    with conn.cursor() as cursor:
        cursor.executemany(insert, rows)
    if made._key is not None:
        for name, value in made.key.settings.items():
            conn.execute("SELECT set_config(%s, %s, true)", (name, value))


def sql_is_the_same(tried: Tried, conn: Connection) -> Broken | None:
    """to_sql gives what anonymize gives, errs on no NULL, and never hands back what is unfit."""
    made = tried.make(0)
    with conn.transaction(force_rollback=True):
        make_table(made, conn, tried.samples.all)
        conn.execute("INSERT INTO confiture_kit (n) VALUES (-1)")
        results = {} if is_sql_only(type(made)) else _python(made, conn)
        fit = {number: one for number, one in results.items() if one is not UNFIT}
        numbers = list(fit) if results else list(range(len(tried.samples.all)))
        if why := _run(made, conn, [*numbers, -1]):
            return _smallest(made, conn, numbers) or Broken(f"to_sql: {why}", None)
        if not results:
            return _unchanged(made, conn, numbers)
        return _compare(made, conn, fit) or _unfit(
            made, conn, [number for number in results if number not in fit]
        )


def _python(made: StrategyBase, conn: Connection) -> dict[int, Any]:
    """What Python makes of each row, as a copy would read it."""
    read = "v::text" if made.takes == "text" else "v"
    query = f"SELECT n, {read} FROM confiture_kit WHERE v IS NOT NULL"  # noqa: S608
    return {number: result(made, value) for number, value in conn.execute(query.encode())}


def _run(made: StrategyBase, conn: Connection, numbers: list[int]) -> str | None:
    """Let SQL mask rows; what it refuses, in PostgreSQL's words."""
    rows = ",".join(map(str, numbers))
    # Without parameters, for which a % in the expression would be one.
    query = f"UPDATE confiture_kit SET s = {sql_of(made)} WHERE n = ANY('{{{rows}}}')"  # noqa: S608
    try:
        with conn.transaction():
            conn.execute(query.encode())
    except psycopg.Error as error:
        return error.diag.message_primary or str(error)
    return None


def _smallest(made: StrategyBase, conn: Connection, numbers: list[int]) -> Broken | None:
    """The shortest value that SQL alone refuses."""
    ordered = conn.execute(
        "SELECT n, v::text FROM confiture_kit WHERE n = ANY(%s) ORDER BY length(v::text), n",
        (numbers,),
    ).fetchall()
    for number, value in ordered:
        if why := _run(made, conn, [number]):
            return Broken(f"to_sql: {why}", value)
    if why := _run(made, conn, [-1]):
        return Broken(f"to_sql of NULL: {why}", None)
    return None


def _compare(made: StrategyBase, conn: Connection, fit: dict[int, Any]) -> Broken | None:
    update = sql.SQL("UPDATE confiture_kit SET p = %s::{} WHERE n = %s").format(_type(made))
    with conn.cursor() as cursor:
        try:
            rows = [(_written(made, one), number) for number, one in fit.items()]
            cursor.executemany(update, rows)
        except psycopg.DataError as error:
            said = error.diag.message_primary
            return Broken(f"a result is no {made.column.type} for PostgreSQL: {said}", None)
        except UnicodeEncodeError:
            return Broken("a result has half a character, which cannot be sent", None)
    row = conn.execute(_DIFFERENT, (list(fit),)).fetchone()
    if row is None:
        return None
    return Broken(f"to_sql gives {row[1]!r}, and anonymize {row[2]!r}", row[0])


def _unfit(made: StrategyBase, conn: Connection, numbers: list[int]) -> Broken | None:
    """An error of SQL, NULL or any other value is as good as UnfitValue; the value is not."""
    if made.keeps:
        return None
    for number in numbers:
        _run(made, conn, [number])
    row = conn.execute(_SAME, (numbers,)).fetchone()
    return Broken("to_sql hands back a value that anonymize refuses", row[0]) if row else None


def _unchanged(made: StrategyBase, conn: Connection, numbers: list[int]) -> Broken | None:
    found = conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE s::text = v::text), min(v::text)"
        " FILTER (WHERE s::text = v::text) FROM confiture_kit WHERE n = ANY(%s) AND v::text <> ''",
        (numbers,),
    ).fetchone()
    total, same, example = found or (0, 0, None)
    if made.keeps or same * 2 <= total:
        return None
    why = f"{same} of {total} values come back as they were; say keeps = True if that is meant"
    return Broken(why, example)


def _type(made: StrategyBase) -> sql.Composable:
    column = made.column
    base = sql.Identifier(column.type.removesuffix("[]"))
    array = sql.SQL("[]" if column.type.endswith("[]") else "")
    length = sql.SQL("({})").format(column.max_length) if column.max_length else sql.SQL("")
    return base + length + array


def _written(made: StrategyBase, value: Any) -> Any:
    """A value as a parameter; objects of which the text is known go as text."""
    kind = kind_of(made.column.type)
    return value if value is None or isinstance(value, str) or kind is None else kind.text(value)
