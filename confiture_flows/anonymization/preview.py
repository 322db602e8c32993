"""Some rows of a table before and after, without writing. Originals are for the terminal only.

`document` holds values and is printed on a terminal, nowhere else. `json` and `hidden_document`,
which logs and artifacts may keep, hold no value of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.copying.masking import NULL, unescape
from confiture_flows.anonymization.rows import mask_rows, read_rows
from confiture_flows.report.document import Document, Paragraph, Table

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.anonymization.planning import Planned

DEFAULT_PREVIEW = 10
_WIDEST = 40  # characters of a value
_HIDDEN = "***"


@dataclass(frozen=True, slots=True, repr=False)
class Preview:
    """Rows of a table before and after; its repr shows none.

    Attributes:
        table: Its name.
        strategies: Of the columns that change, by name.
        before: Rows of them, None for NULL.
        after: The same rows.
        errors: What would stop the copy at a column.
    """

    table: str
    strategies: dict[str, str]
    before: tuple[tuple[str | None, ...], ...]
    after: tuple[tuple[str | None, ...], ...]
    errors: tuple[str, ...] = ()

    def document(self) -> Document:
        """With values: for the terminal."""
        return self._document(hide=False)

    def hidden_document(self) -> Document:
        """Without what the source holds: for logs and artifacts."""
        return self._document(hide=True)

    def json(self) -> dict[str, Any]:
        """For machines, without what the source holds."""
        return {
            "table": self.table,
            "rows": len(self.before),
            "columns": [
                {
                    "column": name,
                    "strategy": strategy,
                    "changed": sum(
                        old[place] != new[place]
                        for old, new in zip(self.before, self.after, strict=True)
                    ),
                    "null": sum(old[place] is None for old in self.before),
                    "after": [self._result(new[place], place, hide=True) for new in self.after],
                }
                for place, (name, strategy) in enumerate(self.strategies.items())
            ],
            "errors": list(self.errors),
        }

    def _result(self, after: str | None, place: int, *, hide: bool) -> str | None:
        """A result; what some row holds in the source is not shown where originals are not."""
        if after is None:
            return None
        if hide and any(row[place] == after for row in self.before):
            return _HIDDEN
        return _cut(after)

    def _document(self, *, hide: bool) -> Document:
        columns = tuple(
            f"{name} ({strategy})" if when == "before" else f"{name}, after"
            for name, strategy in self.strategies.items()
            for when in ("before", "after")
        )
        rows = tuple(
            tuple(
                value
                for place, (a, b) in enumerate(zip(old, new, strict=True))
                for value in (
                    _HIDDEN if hide and a is not None else _cut(a),
                    self._result(b, place, hide=hide) or "NULL",
                )
            )
            for old, new in zip(self.before, self.after, strict=True)
        )
        blocks = [
            *(Paragraph(each, "bad") for each in self.errors),
            Table(columns, rows, f"{self.table} has no rows.")
            if self.strategies
            else Paragraph(f"No column of {self.table} is anonymized.", "muted"),
        ]
        return Document(self.table, tuple(blocks))


def preview_table(
    conn: Connection, planned: Planned, table: str, rows: int = DEFAULT_PREVIEW
) -> Preview:
    """Some rows of a table as they are and as the copy would write them.

    Args:
        conn: The source; only read.
        planned: The plan.
        table: "schema.table", of which rows are copied.
        rows: How many.
    """
    masked = next(each for each in planned.tables if str(each.table) == table)
    planned_table = next(each for each in planned.plan.tables if str(each) == table)
    before = read_rows(conn, planned_table, rows, masked=masked)
    after, errors = mask_rows(conn, masked, before)
    shown = [name for name in before.columns if name in masked.changed]
    return Preview(
        table,
        {name: masked.rules[name].strategy for name in shown},
        _values([before.of(name) for name in shown]),
        _values([after.of(name) for name in shown]),
        tuple(error.message for error in errors),
    )


def _values(columns: list[tuple[str, ...]]) -> tuple[tuple[str | None, ...], ...]:
    return tuple(
        tuple(None if field == NULL else unescape(field) for field in row)
        for row in zip(*columns, strict=True)
    )


def _cut(value: str | None) -> str:
    if value is None:
        return "NULL"
    line = value.replace("\n", " ")
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
