"""A table + its strategies -> some of its rows, as they are and as they would become. Only reads.

What is tried before a copy and what a preview shows are the copy's own: its text, its masks. Rows
stay in this process; what is said of them are counts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.codec import codec_for
from confiture_flows.anonymization.copying.masking import BatchMask, ColumnMask
from confiture_flows.anonymization.selection import quoted
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
    """

    columns: tuple[str, ...]
    fields: tuple[Fields, ...]
    count: int

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
        return SomeRows(self.columns, fields, self.count)


def read_rows(
    conn: Connection, table: PlannedTable, limit: int, *, spread: bool = False
) -> SomeRows:
    """Some rows that the copy would take.

    Args:
        conn: The source.
        table: Which; the keys of a subset are not looked at.
        limit: How many at most.
        spread: Whether those of large tables come from pages all over.
    """
    if spread and table.rows > _LARGE * limit:
        pages = max(1, table.size // 8192)
        percent = 100.0 * max(3 * limit / table.rows, _PAGES / pages)
        found = _read(conn, table, limit, f" TABLESAMPLE SYSTEM ({min(100.0, percent)})")
        if found.count == limit:
            return found
    return _read(conn, table, limit)


def _read(conn: Connection, table: PlannedTable, limit: int, drawn: str = "") -> SomeRows:
    columns = tuple(each.column.name for each in table.columns if each.written)
    condition = " AND ".join(table.where) or "true"
    query = (
        f"COPY (SELECT {', '.join(map(quoted, columns))}"  # noqa: S608
        f" FROM ONLY {quoted(table.schema, table.name)}{drawn}"
        f" WHERE {condition} LIMIT {limit}) TO STDOUT"
    )
    with conn.cursor().copy(query.encode()) as copy:
        lines = b"".join(bytes(each) for each in copy).decode().split("\n")[:-1]
    fields = tuple(zip(*(line.split("\t") for line in lines), strict=True))
    return SomeRows(columns, fields or tuple(() for _ in columns), len(lines))


def mask_rows(
    conn: Connection, masked: MaskedTable, rows: SomeRows, timeout: float = DEFAULT_TIMEOUT
) -> tuple[SomeRows, tuple[StrategyError, ...]]:
    """The rows as the copy would write them.

    Returns:
        The rows, and what stops the copy at a column; such a column is left as it is.
    """
    after: dict[str, list[str]] = {}
    errors: list[StrategyError] = []
    for name, strategy in masked.strategies.items():
        if name not in masked.changed or name not in rows.columns or not rows.count:
            continue
        needed = [rows.of(other) for other in strategy.needs() if other in rows.columns]
        if len(needed) < len(strategy.needs()):
            continue  # told already
        mask = mask_of(conn, strategy, masked)
        try:
            after[name] = masked_fields(mask, rows.of(name), needed, timeout)
        except StrategyError as error:
            errors.append(error)
    return rows.replaced(after), tuple(errors)


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
