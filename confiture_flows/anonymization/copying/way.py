"""A table + its strategies -> the cheapest way for it, with the reason; and the SQL of that way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.copying.binary_masking import BINARY_TEXTS
from confiture_flows.anonymization.copying.strategies import expression_of
from confiture_flows.anonymization.copying.values import Way
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.anonymization.copying.source import ColumnType, Source
    from confiture_flows.anonymization.copying.values import Chunk, Engine, Format
    from confiture_flows.anonymization.plan import PlannedTable
    from confiture_flows.anonymization.strategy import StrategyBase

# A digest costs the source 1.4 to 2.8 µs a value, Python 0.9 to 1.1, in a process that otherwise
# waits; for one such column, text instead of binary costs what that saves.
_KEYED_IN_PYTHON = 2


@dataclass(frozen=True, slots=True)
class Receiver:
    """What rows are written to, as far as their form depends on it.

    Attributes:
        major: Of the server; 0 of files, which do not say who will read them.
        format: That all tables have to have; None is whichever fits.
    """

    major: int
    format: Format | None = None


def choose_way(
    table: PlannedTable,
    strategies: Mapping[str, StrategyBase],
    engine: Engine,
    source: Source,
    receiver: Receiver,
) -> Way:
    """Choose how a table travels.

    Raises:
        ConfigError: The engine is "sql", and a strategy has no SQL.
    """
    form, because = _format(table, source, receiver)
    if not strategies:
        return Way("pipe", form, f"nothing is masked; {because}")
    if engine == "python":
        form, because = _python_format(tuple(strategies), strategies, table, form, because)
        said = f"the engine is set to python; {because}"
        return Way("python", form, said, tuple(strategies))
    unable = tuple(each for each, made in strategies.items() if expression_of(made) is None)
    if unable and engine == "sql":
        raise ConfigError(
            f"{table}.{unable[0]}: the strategy {strategies[unable[0]].name!r} has no SQL, and the "
            "engine is set to sql.",
            next_step="Set the engine to auto, or choose another strategy.",
        )
    keyed = tuple(each for each, made in strategies.items() if made.keyed and each not in unable)
    if engine == "sql" or not (unable or len(keyed) >= _KEYED_IN_PYTHON):
        return Way("sql", form, f"all masked columns have SQL; {because}", in_sql=tuple(strategies))
    reasons = [f"{', '.join(unable)}: no SQL"] if unable else []
    reasons += [f"{', '.join(keyed)}: keyed, cheaper in Python"] if keyed else []
    in_python = tuple(each for each in strategies if each in unable or each in keyed)
    in_sql = tuple(each for each in strategies if each not in in_python)
    form, because = _python_format(in_python, strategies, table, form, because)
    return Way("python", form, "; ".join([*reasons, because]), in_python, in_sql)


def _python_format(
    masked: tuple[str, ...],
    strategies: Mapping[str, StrategyBase],
    table: PlannedTable,
    form: Format,
    because: str,
) -> tuple[Format, str]:
    """Binary, if that of everything that Python looks at is text."""
    seen = {*masked, *(name for each in masked for name in strategies[each].needs())}
    for each in table.columns:
        kind = each.column.type
        if form == "binary" and each.column.name in seen and kind not in BINARY_TEXTS:
            return "text", f"Python reads {each.column.name}, a {kind}, as text"
    return form, because


def _format(table: PlannedTable, source: Source, receiver: Receiver) -> tuple[Format, str]:
    if table.keys is not None:
        return "text", "its rows are asked for by keys, in many statements"
    if receiver.format == "text":
        return "text", "files are in text"
    if receiver.major != source.major and receiver.major:
        return "text", f"PostgreSQL {source.major} to {receiver.major}"
    types = source.types.get((table.schema, table.name), {})
    for each in table.columns:
        kind = types.get(each.column.name)
        if each.written and kind and kind.oid not in source.portable:
            if receiver.format == "binary":
                raise ConfigError(
                    f"{each.column} is {kind.name}, whose binary form no other database reads.",
                    next_step="Write the files in text.",
                )
            return "text", f"{each.column.name} is {kind.name}, which has no binary form elsewhere"
    return "binary", "both sides read the same binary form"


@dataclass(frozen=True, slots=True)
class Columns:
    """The order in which a way's columns travel.

    Attributes:
        heads: Those that nobody looks at, or the source masks.
        masked: Those that Python masks.
        extras: Those that their strategies need, which end here.
        masked_first: Whether masked ones and extras come before the others.
    """

    heads: tuple[str, ...]
    masked: tuple[str, ...]
    extras: tuple[str, ...]
    masked_first: bool = False

    @property
    def read(self) -> tuple[str, ...]:
        """Those that are read, in order."""
        if self.masked_first:
            return self.masked + self.extras + self.heads
        return self.heads + self.masked + self.extras

    @property
    def written(self) -> tuple[str, ...]:
        """Those that are written, in order."""
        return self.masked + self.heads if self.masked_first else self.heads + self.masked


def columns_of(table: PlannedTable, way: Way, strategies: Mapping[str, StrategyBase]) -> Columns:
    """How the columns of a table are ordered on a way."""
    written = [each.column.name for each in table.columns if each.written]
    masked = tuple(each for each in written if each in way.in_python)
    extras = dict.fromkeys(name for each in masked for name in strategies[each].needs())
    heads = tuple(each for each in written if each not in masked)
    # Lengths lead to columns of binary rows from the front, tabs to those of lines from the back.
    first = way.name == "python" and way.format == "binary"
    return Columns(heads, masked, tuple(extras), first)


def copy_out(
    chunk: Chunk,
    columns: Columns,
    strategies: Mapping[str, StrategyBase],
    types: Mapping[str, ColumnType],
    condition: sql.Composable | None = None,
) -> bytes:
    """The COPY that reads a chunk.

    Args:
        chunk: What to read.
        columns: In which order.
        strategies: Of its masked columns.
        types: Of its columns.
        condition: One more than the chunk's own, such as on keys.
    """
    name = sql.Identifier(chunk.table.schema, chunk.table.name)
    conditions = conditions_of(chunk)
    if condition is not None:
        conditions.append(condition)
    form = sql.SQL(chunk.way.format)
    order = columns.read
    # A column may be read once as it is, for another's strategy, and once masked by the source.
    first = len(columns.masked) + (0 if columns.masked_first else len(columns.heads))
    extras = range(first, first + len(columns.extras))
    if not conditions and not chunk.way.in_sql and not columns.extras and order:
        # The server need not plan, nor run, a query for it.
        return (
            sql.SQL("COPY {} ({}) TO STDOUT (FORMAT {})")
            .format(name, sql.SQL(", ").join(map(sql.Identifier, order)), form)
            .as_bytes()
        )
    fields = [
        masked_field(strategies[each], types[each])
        if each in chunk.way.in_sql and place not in extras
        else sql.Identifier(chunk.table.name, each)
        for place, each in enumerate(order)
    ]
    return (
        sql.SQL("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT (FORMAT {})")
        .format(sql.SQL(", ").join(fields), name, where(conditions), form)
        .as_bytes()
    )


def copy_in(chunk: Chunk, columns: Columns, *, frozen: bool = False) -> bytes:
    """The COPY that writes a chunk.

    Args:
        chunk: Which.
        columns: In which order.
        frozen: Whether the rows are as old as can be; the table was emptied in this transaction.
    """
    name = sql.Identifier(chunk.table.schema, chunk.table.name)
    fields = sql.SQL(", ").join(map(sql.Identifier, columns.written))
    # A list of no columns is no SQL; a table that has none, or generated ones alone, needs no list.
    listed = sql.SQL(" ({})").format(fields) if columns.written else sql.SQL("")
    form = sql.SQL(chunk.way.format) + sql.SQL(", FREEZE" if frozen else "")
    return sql.SQL("COPY {}{} FROM STDIN (FORMAT {})").format(name, listed, form).as_bytes()


def masked_field(strategy: StrategyBase, kind: ColumnType) -> sql.Composable:
    """The SQL of a masked column: NULL stays NULL, and no length is cut by the cast."""
    expression = expression_of(strategy)
    assert expression is not None  # noqa: S101 - the way was chosen by it
    reference = sql.Identifier(strategy.column.table, strategy.column.name)
    return sql.SQL("CASE WHEN {} IS NOT NULL THEN ({})::{} END").format(
        reference,
        sql.SQL(expression),  # pyright: ignore[reportArgumentType]
        sql.Identifier(kind.schema, kind.name),
    )


def conditions_of(chunk: Chunk) -> list[sql.Composable]:
    """What the rows of a chunk have to meet, apart from keys."""
    conditions: list[sql.Composable] = [
        sql.SQL("({}\n)").format(sql.SQL(each))  # pyright: ignore[reportArgumentType]
        for each in chunk.table.where
    ]
    if chunk.pages is not None:
        first, end = chunk.pages
        ctid = sql.Identifier(chunk.table.name, "ctid")
        conditions.append(sql.SQL("{} >= {}").format(ctid, _page(first)))
        if end is not None:
            conditions.append(sql.SQL("{} < {}").format(ctid, _page(end)))
    return conditions


def where(conditions: list[sql.Composable]) -> sql.Composable:
    """Conditions as a clause."""
    return (
        sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(conditions))
        if conditions
        else sql.SQL("")
    )


def _page(number: int) -> sql.Composable:
    return sql.SQL("{}::pg_catalog.tid").format(sql.Literal(f"({number},0)"))
