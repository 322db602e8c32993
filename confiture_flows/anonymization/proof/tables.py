"""One table on both sides -> whether its rows are those that were to be copied, and masked.

The hashes of both sides lie in temporary tables of the loaded database: 28 bytes a row and 8 more a
hash, on its disk. Nothing of a row is held by this process.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import sql

from confiture_flows.anonymization.proof.chance import found_by_chance, kept_by_chance
from confiture_flows.anonymization.proof.report import LeakCheck
from confiture_flows.anonymization.proof.selection import SAMPLED_OF
from confiture_flows.anonymization.proof.sessions import one_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.anonymization.proof.report import Verdict
    from confiture_flows.anonymization.proof.selection import ComparedTable, MaskedColumn
    from confiture_flows.anonymization.proof.sessions import ProofSessions

SOURCE, COPY = "confiture_source", "confiture_copy"
_TELLING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class _Values:
    """What was counted of a column on one side."""

    count: int
    distinct: int
    most: int


@dataclass
class TableProof:
    """Compares one table; the hashes are there within `hashes`.

    Attributes:
        sessions: The open connections.
        selected: What is compared.
        copied: Rows that the copy says it has written.
    """

    sessions: ProofSessions
    selected: ComparedTable
    copied: int
    _counted: dict[tuple[int, str], _Values] = field(default_factory=dict)

    @contextmanager
    def hashes(self) -> Iterator[None]:
        """Put the hashes of both sides into temporary tables, for the block."""
        place, selected, hashing = self.sessions.place, self.selected, self.sessions.hashing
        names = [sql.Identifier(each) for each in selected.names()]
        columns = sql.SQL(", ").join(sql.SQL("{} bigint").format(each) for each in names)
        for each in (SOURCE, COPY):
            place.execute(
                sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(sql.Identifier(each), columns)
            )
        fields = selected.fields(hashing)
        for query in selected.of_source(self.sessions.source, hashing, fields):
            self.sessions.ship(query, SOURCE)
        place.execute(
            sql.SQL("INSERT INTO {} {}").format(
                sql.Identifier(COPY), selected.of_copy(hashing, fields)
            )
        )
        place.execute(sql.SQL("ANALYZE {}, {}").format(*map(sql.Identifier, (SOURCE, COPY))))
        yield
        place.execute(sql.SQL("DROP TABLE {}, {}").format(*map(sql.Identifier, (SOURCE, COPY))))

    def checks(self) -> Iterator[LeakCheck]:
        """Compare."""
        counts = [
            self.sessions.row(
                sql.SQL("SELECT count(*), coalesce(sum(r), 0) FROM {}").format(sql.Identifier(each))
            )
            for each in (SOURCE, COPY)
        ]
        rows = self._rows(counts[0][0], counts[1][0])
        yield rows
        if rows.verdict == "failed":
            yield self._check("unmasked", "not looked at", "its rows are others")
        elif self.selected.kept:
            yield from self._unmasked(counts[0][1], counts[1][1])
        for each in self.selected.masked:
            yield from self._masked(each)

    def telling(self) -> Iterator[MaskedColumn]:
        """Masked columns of which a value, found elsewhere, is no chance: long and different."""
        for each in self.selected.masked:
            if each.telling:
                found = self._values(each, SOURCE)
                long = self.sessions.row(
                    sql.SQL("SELECT count({}) FROM {}").format(
                        sql.Identifier(f"n{each.number}"), sql.Identifier(SOURCE)
                    )
                )[0]
                if long and self._tells(each, found, long):
                    yield each

    def _rows(self, source: int, copy: int) -> LeakCheck:
        """As many as were selected, and as many as the copy says it has written."""
        selected = self.selected
        whole = copy
        if selected.sampled:
            whole = one_row(
                self.sessions.place,
                sql.SQL("SELECT count(*) FROM ONLY {}").format(
                    sql.Identifier(selected.table.schema, selected.table.name)
                ),
            )[0]
        if whole != self.copied:
            said = f"{whole:,} rows, of {self.copied:,} that were copied"
            return self._check("rows", "failed", said)
        if not selected.moving and source != copy:
            said = f"{copy:,} rows, where the source has {source:,}"
            return self._check("rows", "failed", said)
        if selected.moving:
            said = f"{copy:,} rows, as copied; a condition on the time is not asked again"
            return self._check("rows", "passed", said)
        part = f"; compared: one in {SAMPLED_OF}, {copy:,}" if selected.sampled else ""
        return self._check("rows", "passed", f"{whole:,} rows{part}")

    def _unmasked(self, source: Any, copy: Any) -> Iterator[LeakCheck]:
        columns = len(self.selected.kept)
        if self.selected.moving:
            foreign = self.sessions.row(
                sql.SQL(
                    "SELECT count(*) FROM {} AS c WHERE NOT EXISTS "
                    "(SELECT FROM {} AS s WHERE s.r = c.r)"
                ).format(sql.Identifier(COPY), sql.Identifier(SOURCE))
            )[0]
            verdict, said = (
                ("failed", f"{foreign:,} rows are none of the source's in what is not masked")
                if foreign
                else ("passed", f"{columns} columns as in the source")
            )
            yield self._check("unmasked", verdict, said)
            return
        if source == copy:
            yield self._check("unmasked", "passed", f"{columns} columns as in the source")
            return
        differ = [each for each in self.selected.kept if self._differs(each)]
        for each in differ:
            yield self._check("unmasked", "failed", "is not what it is in the source", each)
        if not differ:
            said = "values of columns without a mask belong to other rows than in the source"
            yield self._check("unmasked", "failed", said)

    def _differs(self, column: str) -> bool:
        """Whether an unmasked column is another on both sides; asked only if the rows are."""
        selected, hashing = self.selected, self.sessions.hashing
        fields = sql.SQL("coalesce(sum({}), 0), count({})").format(
            hashing.of(selected.reference(column)), selected.reference(column)
        )
        source = [0, 0]
        for query in selected.of_source(self.sessions.source, hashing, fields):
            for place, each in enumerate(one_row(self.sessions.source, query)):
                source[place] += each
        return source != list(self.sessions.row(selected.of_copy(hashing, fields)))

    def _masked(self, column: MaskedColumn) -> Iterator[LeakCheck]:
        source, copy = self._values(column, SOURCE), self._values(column, COPY)
        yield self._distribution(column, source, copy)
        yield self._kept(column, source)
        if not column.strategy.keeps:
            yield self._found(column, source, copy)

    def _kept(self, column: MaskedColumn, source: _Values) -> LeakCheck:
        """Rows that have the value they had."""
        name = column.column.name
        if not self.selected.keyed:
            return self._check(
                "kept",
                "not looked at",
                "rows of both sides cannot be matched: there is no primary key, or it is masked",
                name,
            )
        value = sql.Identifier(f"v{column.number}")
        rows, distinct = self.sessions.row(
            sql.SQL(
                "SELECT count(*), count(DISTINCT c.{0}) FROM {1} AS s JOIN {2} AS c "
                "ON c.k = s.k AND c.{0} = s.{0}"
            ).format(value, sql.Identifier(SOURCE), sql.Identifier(COPY))
        )
        if not rows:
            return self._check("kept", "passed", "no row has the value that it had", name)
        said = f"{rows:,} rows have the value that they had"
        if column.strategy.keeps:
            said = f"{said}; its strategy says that this may be"
            return self._check("kept", "remark", said, name)
        if distinct <= kept_by_chance(column.strategy, source.distinct):
            return self._check("kept", "remark", f"{said}, as chance has it", name)
        return self._check("kept", "failed", said, name)

    def _found(self, column: MaskedColumn, source: _Values, copy: _Values) -> LeakCheck:
        """Values that some row of the source has in this column."""
        name, value = column.column.name, sql.Identifier(f"v{column.number}")
        rows, distinct = self.sessions.row(
            sql.SQL(
                "SELECT count(*), count(DISTINCT c.{0}) FROM {2} AS c "
                "WHERE EXISTS (SELECT FROM {1} AS s WHERE s.{0} = c.{0})"
            ).format(value, sql.Identifier(SOURCE), sql.Identifier(COPY))
        )
        if not rows:
            said = "no value of the source is in the column"
            return self._check("found", "passed", said, name)
        limit = found_by_chance(
            column.strategy,
            source.distinct,
            copy.distinct,
            telling=column.telling and self._tells(column, source, source.count),
        )
        said = f"{rows:,} rows have a value that a row of the source has"
        if limit is None:
            said = f"{said}; in this range chance cannot be told from a leak"
            return self._check("found", "remark", said, name)
        if distinct <= limit:
            return self._check("found", "remark", f"{said}, as chance has it", name)
        return self._check("found", "failed", said, name)

    def _distribution(self, column: MaskedColumn, source: _Values, copy: _Values) -> LeakCheck:
        said = (
            f"{source.distinct:,} different values became {copy.distinct:,}; the most frequent had "
            f"{_share(source)} of the rows, and has {_share(copy)}"
        )
        if source.count != copy.count:
            said = f"{said}; {source.count:,} values became {copy.count:,}, the others are empty"
        remarkable = source.count != copy.count or 2 * copy.distinct < source.distinct
        verdict = "remark" if remarkable else "passed"
        return self._check("distribution", verdict, said, column.column.name)

    def _tells(self, column: MaskedColumn, found: _Values, long: int) -> bool:
        return (
            found.distinct >= _TELLING_SHARE * found.count and long >= _TELLING_SHARE * found.count
        )

    def _values(self, column: MaskedColumn, side: str) -> _Values:
        known = self._counted.get((column.number, side))
        if known is not None:
            return known
        found = _Values(
            *self.sessions.row(
                sql.SQL(
                    "SELECT coalesce(sum(n), 0)::bigint, count(*), coalesce(max(n), 0) FROM "
                    "(SELECT count(*) AS n FROM {1} WHERE {0} IS NOT NULL GROUP BY {0}) AS each"
                ).format(sql.Identifier(f"v{column.number}"), sql.Identifier(side))
            )
        )
        self._counted[(column.number, side)] = found
        return found

    def _check(self, what: str, verdict: Verdict, said: str, column: str = "") -> LeakCheck:
        kind = "column" if column else "table"
        return LeakCheck(f"{kind}.{what}", verdict, str(self.selected.table), column, said)


def _share(values: _Values) -> str:
    return f"{values.most / values.count:.1%}" if values.count else "none"
