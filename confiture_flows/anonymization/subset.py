"""Seed rows -> the primary keys of all rows that a subset holds, in files. Only reads.

A subset is the seed rows, the rows that refer to them (and those that refer to these), and every
row that any of them refers to, until nothing is added. A row that is there only because others
refer to it brings no rows that refer to it: a customer brings orders and an order its product, but
the product not all other orders. Circles end by themselves, as no row is looked at twice.

Keys are kept in this process, some 500 bytes each, and nothing is written on the source: it may be
a standby. Rows whose foreign keys change between this and the copy may make the copy fail.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.selection import quoted, refusal
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from psycopg import Connection

    from confiture_flows.anonymization.rules import Rules
    from confiture_flows.anonymization.selection import Selection
    from confiture_flows.anonymization.source import ForeignKeyOf, SourceCatalog, SourceTable

_AT_ONCE = 20_000  # keys that one query asks for
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

Values = tuple[str | None, ...]


@dataclass(slots=True)
class _Row:
    """A row of a subset: the columns that keys and foreign keys consist of."""

    table: SourceTable
    values: Mapping[str, str | None]

    def of(self, columns: Iterable[str]) -> Values | None:
        found = tuple(self.values[name] for name in columns)
        return None if None in found else found


@dataclass(slots=True)
class _Subset:
    """The search on its way."""

    conn: Connection
    source: SourceCatalog
    selection: Selection
    keys: dict[SourceTable, set[Values]] = field(default_factory=lambda: defaultdict(set))
    # Rows whose children belong to it, too.
    roots: dict[SourceTable, set[Values]] = field(default_factory=lambda: defaultdict(set))
    findings: list[Finding] = field(default_factory=list)

    def grow(self, rows: list[_Row], *, as_roots: bool) -> None:
        """Take rows in, and all that belongs to them."""
        waiting = [(rows, as_roots)]
        while waiting and not self.findings:
            found, roots = waiting.pop()
            new = list(self._taken(found, roots))
            for key in self.source.foreign_keys:
                parents = self._parents(key, new)
                if parents:
                    waiting.append((parents, False))
                if roots and (children := self._children(key, new)):
                    waiting.append((children, True))

    def _taken(self, rows: list[_Row], as_roots: bool) -> Iterator[_Row]:
        """Those that were not looked at in this way before."""
        for row in rows:
            own = row.of(row.table.row_key)
            if not row.table.row_key or own is None:
                self._refuse_without_key(row.table)
                return
            seen = self.roots if as_roots else self.keys
            if own not in seen[row.table]:
                seen[row.table].add(own)
                self.keys[row.table].add(own)
                yield row

    def _refuse_without_key(self, table: SourceTable) -> None:
        self.findings.append(
            Finding(
                "subset.no_key",
                Severity.ERROR,
                f"{table} belongs to the subset, and has no primary key by which its rows could "
                "be named.",
                "Add a primary key, or a unique index over NOT NULL columns; or leave its rows "
                f'out: "{table}" = {{ rows = false }} in anonymization.tables.',
            )
        )

    def _parents(self, key: ForeignKeyOf, rows: list[_Row]) -> list[_Row]:
        wanted = {
            values
            for row in rows
            if key.table in row.table.names and (values := row.of(key.columns)) is not None
        }
        return [
            row
            for parent in self.source.under(key.parent)
            if parent not in self.selection.empty
            for row in self._fetch_by(parent, key.referenced, wanted, narrowed=False)
        ]

    def _children(self, key: ForeignKeyOf, rows: list[_Row]) -> list[_Row]:
        wanted = {
            values
            for row in rows
            if key.parent in row.table.names and (values := row.of(key.referenced)) is not None
        }
        return [
            row
            for child in self.source.under(key.table)
            if child not in self.selection.empty
            for row in self._fetch_by(child, key.columns, wanted, narrowed=True)
        ]

    def _fetch_by(
        self, table: SourceTable, columns: tuple[str, ...], wanted: set[Values], *, narrowed: bool
    ) -> Iterator[_Row]:
        given = ", ".join(
            f"u.c{number}::{table.column(name).declared}" for number, name in enumerate(columns)
        )
        named = ", ".join(f"c{number}" for number in range(len(columns)))
        arrays = ", ".join("%s::text[]" for _ in columns)
        (own,) = _literal((f"({', '.join(map(quoted, columns))})",))
        condition = f"{own} IN (SELECT {given} FROM unnest({arrays}) AS u ({named}))"  # noqa: S608
        if narrowed:
            condition = " AND ".join((condition, *_literal(self.selection.where.get(table, ()))))
        all_wanted = sorted(wanted, key=str)
        for start in range(0, len(all_wanted), _AT_ONCE):
            part = all_wanted[start : start + _AT_ONCE]
            values = [list(each) for each in zip(*part, strict=True)]
            yield from self.fetch(table, condition, values)

    def fetch(self, table: SourceTable, condition: str, values: list[Any]) -> Iterator[_Row]:
        """The rows of a table that meet a condition, whose percent signs are doubled."""
        columns = self._columns_of(table)
        shown = ", ".join(f"{quoted(name)}::text" for name in columns) or "NULL"
        shown, name = _literal((shown, quoted(table.schema, table.name)))
        query = f"SELECT {shown} FROM ONLY {name} WHERE {condition}"  # noqa: S608
        for row in self.conn.execute(query.encode(), values).fetchall():
            yield _Row(table, dict(zip(columns, row, strict=False)))

    def _columns_of(self, table: SourceTable) -> tuple[str, ...]:
        """Those that keys and foreign keys consist of."""
        needed = [*table.row_key]
        for key in self.source.foreign_keys:
            needed += key.columns if key.table in table.names else ()
            needed += key.referenced if key.parent in table.names else ()
        return tuple(dict.fromkeys(needed))


def find_subset(
    conn: Connection, rules: Rules, source: SourceCatalog, selection: Selection
) -> tuple[dict[SourceTable, set[Values]], tuple[Finding, ...]]:
    """The keys of the rows of a subset, by table.

    Args:
        conn: The source, in a transaction with one snapshot.
        rules: What the configuration says.
        source: What there is.
        selection: What the rules of tables leave out.

    Returns:
        The keys, and what is wrong.
    """
    subset = _Subset(conn, source, selection)
    for seed in rules.subset:
        for table in source.tables:
            if not any(seed.pattern.matches(*name) for name in table.names):
                continue
            if refused := refusal(conn, table, seed.where):
                subset.findings.append(
                    Finding(
                        "rule.wrong_condition",
                        Severity.ERROR,
                        f"The source refuses the condition of the subset's seed {table}: "
                        f"{refused}.",
                        "It is what stands behind WHERE in a query of that table alone.",
                    )
                )
                continue
            (condition,) = _literal((f"({seed.where}\n)",))
            subset.grow(list(subset.fetch(table, condition, [])), as_roots=True)
    return dict(subset.keys), tuple(subset.findings)


def write_keys(path: Path, keys: Iterable[Values]) -> None:
    """Write keys in COPY's text format, sorted."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for key in sorted(keys, key=str):
            file.write("\t".join(str(each).translate(_ESCAPES) for each in key) + "\n")


def _literal(parts: tuple[str, ...]) -> tuple[str, ...]:
    """SQL for a query with parameters, where a percent sign has to be doubled."""
    return tuple(each.replace("%", "%%") for each in parts)
