"""Source values of masked columns -> whether they stand anywhere else in the loaded database.

Looked for are the values of columns whose values are long and different, by their 64-bit hashes:
as whole values, and as tokens within longer texts and documents. The text of the copy passes
through this process in batches; of its tokens the server makes hashes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.proof.chance import picks
from confiture_flows.anonymization.proof.jobs import (
    Hashed,
    HashingRows,
    Scanned,
    Scanning,
    SearchedPlace,
    Searching,
)
from confiture_flows.anonymization.proof.report import LeakCheck
from confiture_flows.anonymization.proof.scan import DOCUMENTS, Sightings, hashes_of_tokens
from confiture_flows.anonymization.proof.selection import TEXTS
from confiture_flows.anonymization.proof.sessions import one_row
from confiture_flows.anonymization.proof.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.anonymization.proof.jobs import Job
    from confiture_flows.anonymization.proof.selection import ComparedTable, MaskedColumn
    from confiture_flows.anonymization.proof.sessions import ProofSessions
    from confiture_flows.anonymization.proof.tables import TableProof
    from confiture_flows.anonymization.proof.workshop import Workshop

_OTHERS = ("xml", "bytea", "hstore")
_OWN = "confiture_flows.anonymization.strategies."
_CUSTOM = ("sql",)
# The shortest text that PostgreSQL takes for a uuid.
_UUID_TEXT = 32


@dataclass
class SearchedColumn:
    """A column of the copy in which values are looked for.

    Attributes:
        table: Its table.
        name: Its name.
        type: The name of its type.
        masked: If a strategy has made its values.
        values: The hashes of its values.
        tokens: Those of tokens within its values.
        seen: Tokens that are something by their form.
    """

    table: ComparedTable
    name: str
    type: str
    masked: MaskedColumn | None
    values: Spool | None = None
    tokens: Spool | None = None
    seen: Sightings = field(default_factory=Sightings)

    @property
    def whole(self) -> bool:
        """Whether a whole value may be a value of another column."""
        return self.type in TEXTS and self._makes_something

    @property
    def within(self) -> bool:
        """Whether tokens are looked for: where text is copied, kept in part, or made by others."""
        if self.type == "uuid" or not self._makes_something:
            return False
        if self.masked is None or self.masked.strategy.keeps:
            return True
        strategy = self.masked.strategy
        return not type(strategy).__module__.startswith(_OWN) or strategy.name in _CUSTOM

    @property
    def _makes_something(self) -> bool:
        capacity = self.masked.strategy.capacity() if self.masked else None
        return capacity is None or capacity > 1


@dataclass
class ValueSearch:
    """Gathers values table by table, and then looks for them everywhere.

    Attributes:
        sessions: The open connections.
        workshop: Where texts are read, and values looked for.
        tables: Everything that was copied.
    """

    sessions: ProofSessions
    workshop: Workshop
    tables: tuple[ComparedTable, ...]
    _places: list[SearchedColumn] = field(init=False)
    _originals: list[tuple[MaskedColumn, Spool]] = field(default_factory=list)
    _wide: bool = False

    def __post_init__(self) -> None:
        self._places = [place for table in self.tables for place in _places_of(table)]

    @property
    def _anything(self) -> bool:
        """Whether there may be values to be looked for."""
        return any(each.telling for table in self.tables for each in table.masked)

    def searched(self, table: ComparedTable) -> tuple[str, ...]:
        """Columns without a mask whose values have to be hashed.

        A uuid is turned into text in longer than anything else: it is, when there is a reason to.
        """
        if not self._anything:
            return ()
        return tuple(
            each.name
            for each in self._of(table)
            if each.whole and each.masked is None and each.type != "uuid"
        )

    def scans(self, table: ComparedTable) -> Iterator[tuple[Job, Callable[[Scanned], None]]]:
        """The jobs that hash the tokens of all columns that hold any, and what takes them."""
        within = [each for each in self._of(table) if each.within]
        if not within:
            return
        conn = self.sessions.place
        types = tuple(each.type for each in within)
        asked = hashes_of_tokens(conn, self.sessions.hashing) if self._anything else None
        found = Scanned([Spool(self.workshop.parts) for _ in within], [e.seen for e in within])
        for place, spool in zip(within, found.tokens, strict=True):
            place.tokens = spool
        for query in table.texts(conn, [each.name for each in within]):
            yield Scanning(query, types, asked), found.extend

    def gather(self, proof: TableProof) -> None:
        """Keep what a table's proof has hashed."""
        for place in self._of(proof.selected):
            if place.whole:
                place.values = proof.of_copy(place.name)
        gathered = list(proof.telling())
        self._originals += gathered
        self._wide = self._wide or self._may_be_uuids(proof, [each for each, _ in gathered])

    def checks(self) -> Iterator[LeakCheck]:
        """Look for them in all columns that can hold text."""
        if self._wide:
            self.workshop.run(self._hash_uuids())
        found = self._find()
        for place in self._places:
            yield from self._told(place, found.get(id(place), {}))
            for code, said in place.seen.said() if place.masked is None else ():
                yield LeakCheck(code, "remark", str(place.table.table), place.name, said)

    def _of(self, table: ComparedTable) -> list[SearchedColumn]:
        return [each for each in self._places if each.table is table]

    def _may_be_uuids(self, proof: TableProof, columns: list[MaskedColumn]) -> bool:
        """Whether a value is long enough to stand in a column of uuids."""
        if not columns or not any(each.type == "uuid" and each.whole for each in self._places):
            return False
        selected = proof.selected
        longest = sql.SQL("SELECT {} FROM ONLY {}").format(
            sql.SQL(", ").join(
                sql.SQL("max(pg_catalog.octet_length({}::text))").format(
                    selected.reference(each.column.name)
                )
                for each in columns
            ),
            sql.Identifier(selected.table.schema, selected.table.name),
        )
        found = one_row(self.sessions.source, longest)
        return any(each is not None and each >= _UUID_TEXT for each in found)

    def _hash_uuids(self) -> Iterator[tuple[Job, Callable[[Hashed], None]]]:
        conn, hashing = self.sessions.place, self.sessions.hashing
        for table in self.tables:
            places = [e for e in self._of(table) if e.type == "uuid" and e.whole and not e.values]
            if not places:
                continue
            numbers = [table.value(each.name, each.type, hashing) for each in places]
            found = Hashed([Spool(self.workshop.parts) for _ in places])
            for place, spool in zip(places, found.columns, strict=True):
                place.values = spool
            for query in table.of_copy(conn, hashing, numbers):
                job = HashingRows("place", query, len(places), kept=True)
                yield job, found.extend

    def _find(self) -> dict[int, dict[int, int]]:
        """How many values of each gathered column stand in a place."""
        spools = tuple(spool for _, spool in self._originals)
        own = {column.column: number for number, (column, _) in enumerate(self._originals)}
        places = tuple(
            SearchedPlace(
                each.values, each.tokens, own.get(each.masked.column) if each.masked else None
            )
            for each in self._places
        )
        found: dict[int, dict[int, int]] = {}

        def take(counts: dict[tuple[int, int], int]) -> None:
            for (place, origin), count in counts.items():
                of_place = found.setdefault(id(self._places[place]), {})
                of_place[origin] = of_place.get(origin, 0) + count

        if spools:
            parts, workers = self.workshop.parts, len(self.workshop.workers)
            self.workshop.run(
                (Searching(spools, places, range(each, parts, workers)), take)
                for each in range(min(workers, parts))
            )
        return found

    def _told(self, place: SearchedColumn, found: dict[int, int]) -> Iterator[LeakCheck]:
        table = str(place.table.table)
        failed = False
        for origin, count in sorted(found.items()):
            if not count:
                continue
            column, _ = self._originals[origin]
            said = f"{count:,} source values of {column.column} stand in it"
            if _by_chance(column, place.masked):
                said = f"{said}; both are made from lists, and chance cannot be told from a leak"
                yield LeakCheck("column.elsewhere", "remark", table, place.name, said)
            else:
                failed = True
                yield LeakCheck("column.elsewhere", "failed", table, place.name, said)
        if self._originals and not failed and (place.whole or place.within):
            said = f"no value of {len(self._originals)} masked columns stands in it"
            yield LeakCheck("column.elsewhere", "passed", table, place.name, said)


def _places_of(table: ComparedTable) -> Iterator[SearchedColumn]:
    masked = {each.column.name: each for each in table.masked}
    for each in table.table.columns:
        kind = each.column.type
        if kind.removesuffix("[]") in (*TEXTS, *DOCUMENTS, *_OTHERS) and each.written:
            name = each.column.name
            yield SearchedColumn(table, name, kind, masked.get(name))


def _by_chance(origin: MaskedColumn, place: MaskedColumn | None) -> bool:
    """Whether a result of the place's strategy may be such a value without a leak."""
    if place is None or not picks(place.strategy):
        return False
    return picks(origin.strategy) or origin.strategy.name == place.strategy.name
