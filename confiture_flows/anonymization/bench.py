"""A strategy -> what it costs: nanoseconds a value, and what it leaves of the speed of COPY.

A table is copied from one connection to another on one server: as it is, in PostgreSQL's binary
format; with the column masked by SQL, in the same format; and by Python, in text, a batch of lines
at a time. Client and server share the machine, so that the shares are those of a small machine;
between two servers Python costs less of the whole.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import TYPE_CHECKING, Any

from psycopg import sql

from confiture_flows.anonymization.describe import EXAMPLES, OTHER, tried
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue, is_sql_only
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from psycopg import Connection

_BATCH = 10_000  # values; more are no faster
_NULL = "\\N"
_REPEATS = 3  # the fastest counts: whatever else runs only makes it slower

# Beside the column ten others, as tables of people have them.
_TABLE = sql.SQL(
    "CREATE TEMP TABLE {0} (id bigint, ref uuid, name text, phone text, ip inet, born date,"
    " address text, extra jsonb, seen timestamptz, amount numeric(12, 2), v {1})"
)
_FILL = sql.SQL(
    "INSERT INTO {0} SELECT n, gen_random_uuid(), 'Ada Lovelace ' || n, '+1202555' || n,"
    " '192.0.2.17', '1990-01-01'::date + n %% 9000, n || ' Baker Street, London',"
    ' \'{{"tier": "gold", "tags": [1, 2, 3]}}\', now(), n / 100.0, (%s::text[])[n]::{1}'
    " FROM generate_series(1, %s) AS n"
)
_FIRST = (
    "id", "ref", "name", "phone", "ip", "born", "address", "extra", "seen", "amount",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StrategyCost:
    """What a strategy costs.

    Attributes:
        scalar_ns: A value, one by one; None without Python.
        batch_ns: A value in batches; None without Python.
        sql_ns: What SQL adds to a row of a copy; None without SQL.
        raw_rows: Rows a second of the copy as it is; None without a server.
        sql_share: The share of that speed that is left with SQL.
        python_share: The share that is left with Python on one connection; None when values are
            psycopg's objects, of which a copy of text lines says nothing.
        values: How many values were tried.
        machine: Where.
    """

    scalar_ns: float | None
    batch_ns: float | None
    sql_ns: float | None
    raw_rows: float | None
    sql_share: float | None
    python_share: float | None
    values: int
    machine: str


def bench_strategy(
    made: StrategyBase, rows: int, server: tuple[Connection, Connection] | None
) -> StrategyCost:
    """Measure a strategy.

    Args:
        made: It.
        rows: How many values.
        server: Two connections to one server, for the copies; None measures Python alone.

    Raises:
        ConfigError: No example value of the column's type fits.
        StrategyError: The strategy fails on one.
    """
    pairs = list(islice(_values(made), rows))
    given = [text if made.takes == "text" else value for text, value in pairs]
    scalar = batch = None
    if not is_sql_only(type(made)):
        others = [[OTHER] * len(given) for _ in made.needs()]
        scalar = _fastest(lambda: list(map(made.anonymize, given, *others))) * 1e9 / rows
        batch = _fastest(lambda: _in_batches(made, given)) * 1e9 / rows
    raw = by_sql = by_python = None
    if server is not None:
        raw, by_sql, by_python = _copies(made, [text for text, _ in pairs], *server)
    return StrategyCost(
        scalar,
        batch,
        None if raw is None or by_sql is None else max(0.0, by_sql - raw) * 1e9 / rows,
        None if raw is None else rows / raw,
        None if raw is None or by_sql is None else min(1.0, raw / by_sql),
        None if raw is None or by_python is None else min(1.0, raw / by_python),
        rows,
        f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}",
    )


def _values(made: StrategyBase) -> Iterator[tuple[str, Any]]:
    """Values that fit: different ones where the strategy takes e-mail addresses, else examples."""
    if made.column.type == "text" and _fits(made, "ada1@shop.example"):
        number = 0
        while True:
            number += 1
            text = f"ada.lovelace{number}@shop.example"
            yield text, text
    pairs = EXAMPLES.get(made.column.type, ())
    fit = [pair for pair in pairs if _fits(made, pair[0] if made.takes == "text" else pair[1])]
    if not fit and not is_sql_only(type(made)):
        raise ConfigError(
            f"No example of {made.column.type} fits {made.name!r}, so that it cannot be measured."
        )
    yield from cycle(fit or pairs)


def _fits(made: StrategyBase, value: Any) -> bool:
    if is_sql_only(type(made)):
        return True
    try:
        tried(made, value)
    except UnfitValue:
        return False
    return True


def _in_batches(made: StrategyBase, values: Sequence[Any]) -> None:
    for start in range(0, len(values), _BATCH):
        part = values[start : start + _BATCH]
        made.anonymize_batch(part, *([OTHER] * len(part) for _ in made.needs()))


def _fastest(run: Callable[[], object]) -> float:
    return min(_seconds(run) for _ in range(_REPEATS))


def _seconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


def _copies(
    made: StrategyBase, texts: list[str], source: Connection, target: Connection
) -> tuple[float, float | None, float | None]:
    """Seconds of the copy as it is, by SQL and by Python."""
    column = made.column.type
    array = column.endswith("[]")
    kind = sql.Identifier(column.removesuffix("[]")) + sql.SQL("[]" if array else "")
    for conn, name in ((source, "confiture_from"), (target, "confiture_to")):
        conn.execute(_TABLE.format(sql.Identifier(name), kind))
    source.execute(_FILL.format(sql.Identifier("confiture_from"), kind), (texts, len(texts)))
    source.execute("ANALYZE confiture_from")
    if made._key is not None:
        for name, value in made.key.settings.items():
            source.execute("SELECT set_config(%s, %s, false)", (name, value))
    raw = _fastest(lambda: _pipe(source, target, "v"))
    expression = made.to_sql("v", *(f"'{OTHER}'" for _ in made.needs()))
    masked = None
    if expression is not None:
        typed = f"({expression})::{made.column.type}"
        masked = _fastest(lambda: _pipe(source, target, typed))
    python = None
    plain = not any("\\" in text for text in texts)
    if made.takes == "text" and plain and not is_sql_only(type(made)):
        python = _fastest(lambda: _masked_pipe(source, target, made))
    return raw, masked, python


def _pipe(source: Connection, target: Connection, column: str) -> None:
    target.execute("TRUNCATE confiture_to")
    read = (
        f"COPY (SELECT {', '.join(_FIRST)}, {column} FROM confiture_from) TO STDOUT (FORMAT binary)"  # noqa: S608
    )
    write = "COPY confiture_to FROM STDIN (FORMAT binary)"
    with (
        source.cursor() as reading,
        target.cursor() as writing,
        reading.copy(read.encode()) as out,
        writing.copy(write) as into,
    ):
        # libpq gives a row at a time; written one by one they would cost more than the strategy.
        while rows := list(islice(out, _BATCH)):
            into.write(b"".join(rows))


def _masked_pipe(source: Connection, target: Connection, made: StrategyBase) -> None:
    target.execute("TRUNCATE confiture_to")
    with (
        source.cursor() as reading,
        target.cursor() as writing,
        reading.copy("COPY confiture_from TO STDOUT") as out,
        writing.copy("COPY confiture_to FROM STDIN") as into,
    ):
        while rows := list(islice(out, _BATCH)):
            into.write(_masked(made, b"".join(rows).decode().rstrip("\n").split("\n")))


def _masked(made: StrategyBase, lines: list[str]) -> str:
    """The lines with their last column masked; examples hold nothing that COPY escapes."""
    heads, values = zip(*(line.rsplit("\t", 1) for line in lines), strict=True)
    results = made.anonymize_batch(values, *([OTHER] * len(values) for _ in made.needs()))
    return "".join(
        [
            f"{head}\t{_NULL if each is None else each}\n"
            for head, each in zip(heads, results, strict=True)
        ]
    )
