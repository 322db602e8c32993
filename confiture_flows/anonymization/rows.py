"""A table + its strategies -> some of its rows, as they are and as they would become. Only reads.

What is tried before a copy and what a preview shows are the copy's own: its text, its masks. Rows
stay in this process; what is said of them are counts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from psycopg import Error, sql

from confiture_flows.anonymization.copying.codec import codec_for
from confiture_flows.anonymization.copying.masking import (
    NULL,
    BatchMask,
    ColumnMask,
    chance_matches,
)
from confiture_flows.anonymization.copying.sessions import set_all, told_kind
from confiture_flows.anonymization.copying.source import types_of
from confiture_flows.anonymization.copying.strategies import expression_of
from confiture_flows.anonymization.copying.way import masked_field
from confiture_flows.anonymization.strategy import is_sql_only
from confiture_flows.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from confiture_flows.anonymization.checks import MaskedTable
    from confiture_flows.anonymization.plan import PlannedTable
    from confiture_flows.anonymization.strategy import StrategyBase

# So many times more rows than are wanted, and pages are drawn instead of the first ones.
_LARGE = 20
_PAGES = 30  # so many are drawn at least: of one or two there may be none

Fields = tuple[str, ...]
DEFAULT_TIMEOUT = 60.0  # seconds that a strategy may take for the rows of one column


@dataclass(frozen=True, slots=True, repr=False)
class SomeRows:
    """Rows in COPY's text format; never printed by accident.

    Attributes:
        columns: Their names: those that are written.
        fields: Of each column, the fields of all rows.
        count: How many rows.
        by_source: Of columns that the source masks, the fields that it has made.
        failed: Of such columns whose SQL fails, the kind of error.
    """

    columns: tuple[str, ...]
    fields: tuple[Fields, ...]
    count: int
    by_source: Mapping[str, Fields] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The rows as COPY takes them."""
        if not self.columns:
            return [""] * self.count
        return ["\t".join(row) for row in zip(*self.fields, strict=True)]

    def of(self, column: str) -> Fields:
        """The fields of a column."""
        return self.fields[self.columns.index(column)]

    def replaced(self, by_column: Mapping[str, Sequence[str]]) -> SomeRows:
        """The same rows with other fields in some columns."""
        fields = tuple(
            tuple(by_column.get(name, own))
            for name, own in zip(self.columns, self.fields, strict=True)
        )
        return replace(self, fields=fields)


def read_rows(
    conn: Connection,
    table: PlannedTable,
    limit: int,
    *,
    spread: bool = False,
    masked: MaskedTable | None = None,
) -> SomeRows:
    """Some rows that the copy would take.

    Args:
        conn: The source.
        table: Which; the keys of a subset are not looked at.
        limit: How many at most.
        spread: Whether those of large tables come from pages all over.
        masked: Its strategies; what the source masks in a copy it masks here too.
    """
    made = _in_sql(conn, table, masked) if masked else {}
    try:
        return _drawn(conn, table, limit, made, spread=spread)
    except Error:
        if not made:
            raise
    # One at a time, to see whose SQL it is.
    failed: dict[str, str] = {}
    for name, each in made.items():
        try:
            _drawn(conn, table, limit, {name: each}, spread=spread)
        except Error as error:
            failed[name] = told_kind(error)
    fit = {name: each for name, each in made.items() if name not in failed}
    return replace(_drawn(conn, table, limit, fit, spread=spread), failed=failed)


def _in_sql(
    conn: Connection, table: PlannedTable, masked: MaskedTable
) -> dict[str, sql.Composable]:
    """The SQL of the columns that a copy lets the source mask, unless told otherwise."""
    chosen = {
        name: strategy
        for name, strategy in masked.strategies.items()
        if name in masked.changed
        and (is_sql_only(type(strategy)) or not strategy.keyed)
        and expression_of(strategy) is not None
    }
    types = types_of(conn, table) if chosen else {}
    for strategy in chosen.values():
        if strategy.keyed:
            set_all(conn, strategy.key.settings)
    return {name: masked_field(each, types[name]) for name, each in chosen.items()}


def _drawn(
    conn: Connection,
    table: PlannedTable,
    limit: int,
    made: Mapping[str, sql.Composable],
    *,
    spread: bool,
) -> SomeRows:
    if spread and table.rows > _LARGE * limit:
        pages = max(1, table.size // 8192)
        percent = 100.0 * max(3 * limit / table.rows, _PAGES / pages)
        found = _read(conn, table, limit, made, f" TABLESAMPLE SYSTEM ({min(100.0, percent)})")
        if found.count == limit:
            return found
    return _read(conn, table, limit, made)


def _read(
    conn: Connection,
    table: PlannedTable,
    limit: int,
    made: Mapping[str, sql.Composable],
    drawn: str = "",
) -> SomeRows:
    columns = tuple(each.column.name for each in table.columns if each.written)
    condition = " AND ".join(table.where) or "true"
    own = [sql.Identifier(table.name, each) for each in columns]
    query = sql.SQL("COPY (SELECT {} FROM ONLY {}{} WHERE {} LIMIT {}) TO STDOUT").format(
        sql.SQL(", ").join([*own, *made.values()]),
        sql.Identifier(table.schema, table.name),
        sql.SQL(drawn),  # pyright: ignore[reportArgumentType]
        sql.SQL(condition),  # pyright: ignore[reportArgumentType]
        limit,
    )
    # A strategy's SQL may fail, and what is asked next has to be answered.
    with conn.transaction(), conn.cursor().copy(query) as copy:
        lines = b"".join(bytes(each) for each in copy).decode().split("\n")[:-1]
    fields = tuple(zip(*(line.split("\t") for line in lines), strict=True))
    fields = fields or tuple(() for _ in (*columns, *made))
    by_source = dict(zip(made, fields[len(columns) :], strict=True))
    return SomeRows(columns, fields[: len(columns)], len(lines), by_source)


def mask_rows(
    conn: Connection, masked: MaskedTable, rows: SomeRows, timeout: float = DEFAULT_TIMEOUT
) -> tuple[SomeRows, tuple[StrategyError, ...]]:
    """The rows as the copy would write them.

    Returns:
        The rows, and what stops the copy at a column; such a column is left as it is.
    """
    after: dict[str, Sequence[str]] = {}
    errors: list[StrategyError] = []
    for name, strategy in masked.strategies.items():
        if name not in masked.changed or name not in rows.columns or not rows.count:
            continue
        needed = [rows.of(other) for other in strategy.needs() if other in rows.columns]
        if len(needed) < len(strategy.needs()):
            continue  # told already
        try:
            if name in rows.failed:
                raise _sql_error(strategy, f"failed: {rows.failed[name]}")
            if name in rows.by_source:
                after[name] = _changed(strategy, rows.of(name), rows.by_source[name])
            else:
                mask = mask_of(conn, strategy, masked)
                after[name] = masked_fields(mask, rows.of(name), needed, timeout)
        except StrategyError as error:
            errors.append(error)
    return rows.replaced(after), tuple(errors)


def _changed(strategy: StrategyBase, before: Fields, after: Fields) -> Fields:
    """What the source has made, unless it is what was there."""
    values = set(before) - {NULL}
    same = {old for old, new in zip(before, after, strict=True) if old == new} - {NULL}
    if not strategy.keeps and len(same) > chance_matches(strategy, len(values)):
        raise _sql_error(
            strategy, f"gave {len(same):,} of {len(values):,} different values back unchanged"
        )
    return after


def _sql_error(strategy: StrategyBase, what: str) -> StrategyError:
    return StrategyError(
        f"{strategy.column}: the SQL of the strategy {strategy.name!r} {what}.",
        next_step=f"Mend it, and check it: confiture-flows strategies test {strategy.name}",
    )


def mask_of(conn: Connection, strategy: StrategyBase, masked: MaskedTable) -> ColumnMask:
    """How the copy masks a column, where Python does it."""
    column = strategy.column
    return ColumnMask(
        strategy,
        masked.rules[column.name].on_unfit,
        tuple(range(len(strategy.needs()))),
        codec_for(column.oid, column.type, conn) if strategy.takes == "python" else None,
    )


def masked_fields(
    mask: ColumnMask,
    fields: Sequence[str],
    needed: Sequence[Sequence[str]] = (),
    timeout: float = DEFAULT_TIMEOUT,
) -> list[str]:
    """The fields of a column, masked.

    Raises:
        StrategyError: The strategy failed, hangs, or did what it says it never does.
    """
    batch = BatchMask([mask], heads=False, extras=len(needed))
    text = "".join("\t".join(row) + "\n" for row in zip(fields, *needed, strict=True))
    answers: list[str | StrategyError] = []

    def answer() -> None:
        try:
            answers.append(batch(text))
        except StrategyError as error:
            answers.append(error)

    # It cannot be ended, only left behind: the copy's own processes can be.
    thread = threading.Thread(target=answer, daemon=True, name="confiture-trial")
    thread.start()
    thread.join(timeout)
    if not answers:
        raise StrategyError(
            f"{mask.strategy.column}: the strategy {mask.strategy.name!r} has not answered for "
            f"{timeout:g} s, for {len(fields):,} rows.",
            next_step=f"Mend it, and check it: confiture-flows strategies test "
            f"{mask.strategy.name}",
        )
    [answered] = answers
    if isinstance(answered, StrategyError):
        raise answered
    return answered.split("\n")[:-1]
