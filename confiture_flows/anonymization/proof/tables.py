"""One table on both sides -> whether its rows are those that were to be copied, and masked.

Both servers hash; of a row nothing else is in this process, and few of the hashes at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.proof.chance import found_by_chance, kept_by_chance
from confiture_flows.anonymization.proof.comparison import compare, count_foreign, count_pairs
from confiture_flows.anonymization.proof.jobs import (
    Comparing,
    Hashed,
    HashingRows,
    Pairing,
)
from confiture_flows.anonymization.proof.report import LeakCheck
from confiture_flows.anonymization.proof.selection import SAMPLED_OF
from confiture_flows.anonymization.proof.sessions import one_row
from confiture_flows.anonymization.proof.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.anonymization.proof.comparison import Compared, Values
    from confiture_flows.anonymization.proof.jobs import Job
    from confiture_flows.anonymization.proof.report import Verdict
    from confiture_flows.anonymization.proof.selection import ComparedTable, MaskedColumn
    from confiture_flows.anonymization.proof.sessions import ProofSessions
    from confiture_flows.anonymization.proof.workshop import Workshop

_TELLING_SHARE = 0.5


@dataclass
class TableProof:
    """Compares one table.

    Attributes:
        sessions: The open connections.
        workshop: Where rows are read and hashes compared.
        selected: What is compared.
        copied: Rows that the copy says it has written.
        searched: Unmasked text columns of the copy whose values are hashed as well.
    """

    sessions: ProofSessions
    workshop: Workshop
    selected: ComparedTable
    copied: int
    searched: tuple[str, ...] = ()
    _source: Hashed = field(init=False)
    _copy: Hashed = field(init=False)
    _compared: dict[int, Compared] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._source, self._copy = self._side(0), self._side(len(self.searched))

    def readings(self) -> Iterator[tuple[Job, Callable[[Hashed], None]]]:
        """The jobs that let both servers hash, piece by piece, and what takes their results."""
        selected, hashing = self.selected, self.sessions.hashing
        numbers = selected.numbers(hashing)
        kinds = {each.column.name: each.column.type for each in selected.table.columns}
        more = [selected.value(each, kinds[each], hashing) for each in self.searched]
        source, place = self.sessions.source, self.sessions.place
        of_source = selected.of_source(source, hashing, numbers)
        of_copy = selected.of_copy(place, hashing, [*numbers, *more])
        first, count, kept = len(numbers), len(numbers) + len(more), selected.moving
        for one, other in zip_longest(of_source, of_copy):
            if one is not None:
                yield HashingRows("source", one, first, kept), self._source.extend
            if other is not None:
                yield HashingRows("place", other, count, kept), self._copy.extend

    def comparisons(self) -> Iterator[tuple[Job, Callable[[Compared], None]]]:
        """The jobs that compare columns, after all was read."""
        for each in self.selected.masked:
            yield (
                Comparing(
                    compare,
                    self._values(self._source, each.number),
                    self._values(self._copy, each.number),
                ),
                partial(self._compared.__setitem__, each.number),
            )

    def checks(self) -> Iterator[LeakCheck]:
        """Compare."""
        rows = self._rows(self._source.rows, self._copy.rows)
        yield rows
        if rows.verdict == "failed":
            yield self._check("unmasked", "not looked at", "its rows are others")
        elif self.selected.kept:
            yield from self._unmasked()
        for each in self.selected.masked:
            yield from self._masked(each)

    def telling(self) -> Iterator[tuple[MaskedColumn, Spool]]:
        """Masked columns of which a value, found elsewhere, is no chance: long and different.

        With the source's values.
        """
        for each in self.selected.masked:
            found = self._compared[each.number].source
            if each.telling and found.long and _tells(found):
                yield each, self._values(self._source, each.number)

    def of_copy(self, column: str) -> Spool | None:
        """The hashes of a column of the copy, if they were made so that values are found."""
        names = [*(each.column.name for each in self.selected.masked), *self.searched]
        return self._values(self._copy, names.index(column)) if column in names else None

    def _side(self, more: int) -> Hashed:
        count = int(self.selected.moving) + len(self.selected.masked) + more
        return Hashed([Spool(self.workshop.parts) for _ in range(count)])

    def _values(self, side: Hashed, number: int) -> Spool:
        """The hashes of a masked or searched column."""
        return side.columns[number + int(self.selected.moving)]

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

    def _unmasked(self) -> Iterator[LeakCheck]:
        columns = len(self.selected.kept)
        source, copy = self._source, self._copy
        if self.selected.moving:
            job = Comparing(count_foreign, source.columns[0], copy.columns[0])
            foreign: int = self.workshop.ask(job)
            verdict, said = (
                ("failed", f"{foreign:,} rows are none of the source's in what is not masked")
                if foreign
                else ("passed", f"{columns} columns as in the source")
            )
            yield self._check("unmasked", verdict, said)
            return
        if source.total == copy.total:
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
        number = sql.SQL("coalesce({}, 0)").format(hashing.of(selected.reference(column)))
        source, copy = Hashed([]), Hashed([])
        of_source = selected.of_source(self.sessions.source, hashing, [number])
        of_copy = selected.of_copy(self.sessions.place, hashing, [number])
        jobs: list[tuple[Job, Callable[[Hashed], None]]] = [
            *((HashingRows("source", each, 1, kept=False), source.extend) for each in of_source),
            *((HashingRows("place", each, 1, kept=False), copy.extend) for each in of_copy),
        ]
        self.workshop.run(jobs)
        return source.total != copy.total

    def _masked(self, column: MaskedColumn) -> Iterator[LeakCheck]:
        compared = self._compared[column.number]
        yield self._distribution(column, compared)
        yield self._kept(column, compared)
        if not column.strategy.keeps:
            yield self._found(column, compared)

    def _kept(self, column: MaskedColumn, compared: Compared) -> LeakCheck:
        """Rows that have the value they had: only where the column has any value of the source."""
        name = column.column.name
        if not self.selected.keyed and compared.rows:
            return self._check(
                "kept",
                "not looked at",
                "rows of both sides cannot be matched: there is no primary key, or it is masked",
                name,
            )
        rows, distinct = self._matched(column, compared) if compared.rows else (0, 0)
        if not rows:
            return self._check("kept", "passed", "no row has the value that it had", name)
        said = f"{rows:,} rows have the value that they had"
        if column.strategy.keeps:
            said = f"{said}; its strategy says that this may be"
            return self._check("kept", "remark", said, name)
        if distinct <= kept_by_chance(column.strategy, compared.source.distinct):
            return self._check("kept", "remark", f"{said}, as chance has it", name)
        return self._check("kept", "failed", said, name)

    def _matched(self, column: MaskedColumn, compared: Compared) -> tuple[int, int]:
        """How many rows have the value they had, and how many values those are."""
        selected, hashing = self.selected, self.sessions.hashing
        conditions = (
            ()
            if compared.met is None
            else (
                sql.SQL("{} = ANY ({}::bigint[])").format(
                    selected.masked_value(column, hashing), sql.Literal(compared.met)
                ),
            )
        )
        numbers = selected.matched(column, hashing)
        source, copy = (Hashed([Spool(self.workshop.parts)]) for _ in range(2))
        of_source = selected.of_source(self.sessions.source, hashing, numbers, conditions)
        of_copy = selected.of_copy(self.sessions.place, hashing, numbers, conditions)
        jobs: list[tuple[Job, Callable[[Hashed], None]]] = [
            *((Pairing("source", each), source.extend) for each in of_source),
            *((Pairing("place", each), copy.extend) for each in of_copy),
        ]
        self.workshop.run(jobs)
        return self.workshop.ask(Comparing(count_pairs, source.columns[0], copy.columns[0]))

    def _found(self, column: MaskedColumn, compared: Compared) -> LeakCheck:
        """Values that some row of the source has in this column."""
        name, source = column.column.name, compared.source
        if not compared.rows:
            said = "no value of the source is in the column"
            return self._check("found", "passed", said, name)
        limit = found_by_chance(
            column.strategy,
            source.distinct,
            compared.copy.distinct,
            telling=column.telling and _tells(source),
        )
        said = f"{compared.rows:,} rows have a value that a row of the source has"
        if limit is None:
            said = f"{said}; in this range chance cannot be told from a leak"
            return self._check("found", "remark", said, name)
        if compared.distinct <= limit:
            return self._check("found", "remark", f"{said}, as chance has it", name)
        return self._check("found", "failed", said, name)

    def _distribution(self, column: MaskedColumn, compared: Compared) -> LeakCheck:
        source, copy = compared.source, compared.copy
        said = (
            f"{source.distinct:,} different values became {copy.distinct:,}; the most frequent had "
            f"{_share(source)} of the rows, and has {_share(copy)}"
        )
        if source.count != copy.count:
            said = f"{said}; {source.count:,} values became {copy.count:,}, the others are empty"
        remarkable = source.count != copy.count or 2 * copy.distinct < source.distinct
        verdict = "remark" if remarkable else "passed"
        return self._check("distribution", verdict, said, column.column.name)

    def _check(self, what: str, verdict: Verdict, said: str, column: str = "") -> LeakCheck:
        kind = "column" if column else "table"
        return LeakCheck(f"{kind}.{what}", verdict, str(self.selected.table), column, said)


def _tells(found: Values) -> bool:
    """Whether most values are different, and most of those long."""
    return (
        found.distinct >= _TELLING_SHARE * found.count
        and found.long >= _TELLING_SHARE * found.distinct
    )


def _share(values: Values) -> str:
    return f"{values.most / values.count:.1%}" if values.count else "none"
