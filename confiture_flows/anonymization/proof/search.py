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
from confiture_flows.anonymization.proof.hashing import long_of
from confiture_flows.anonymization.proof.report import LeakCheck
from confiture_flows.anonymization.proof.scan import Sightings, scan
from confiture_flows.anonymization.proof.selection import TEXTS
from confiture_flows.anonymization.proof.sessions import one_row
from confiture_flows.anonymization.proof.streams import read_words, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.anonymization.proof.selection import ComparedTable, MaskedColumn
    from confiture_flows.anonymization.proof.sessions import ProofSessions
    from confiture_flows.anonymization.proof.spool import HashSpool, Spools
    from confiture_flows.anonymization.proof.tables import TableProof

_DOCUMENTS = ("json", "jsonb")
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
    values: HashSpool | None = None
    tokens: HashSpool | None = None
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
    def document(self) -> bool:
        """Whether its values are JSON."""
        return self.type in _DOCUMENTS

    @property
    def _makes_something(self) -> bool:
        capacity = self.masked.strategy.capacity() if self.masked else None
        return capacity is None or capacity > 1


@dataclass
class ValueSearch:
    """Gathers values table by table, and then looks for them everywhere.

    Attributes:
        sessions: The open connections.
        spools: For the hashes.
        tables: Everything that was copied.
    """

    sessions: ProofSessions
    spools: Spools
    tables: tuple[ComparedTable, ...]
    _places: list[SearchedColumn] = field(init=False)
    _originals: list[tuple[MaskedColumn, HashSpool]] = field(default_factory=list)
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

    def scan(self) -> None:
        """Hash the tokens of all columns that hold any."""
        for table in self.tables:
            if within := [each for each in self._of(table) if each.within]:
                scan(self.sessions, self.spools, within, hashed=self._anything)

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
            self._hash_uuids()
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

    def _hash_uuids(self) -> None:
        hashing = self.sessions.hashing
        for table in self.tables:
            places = [e for e in self._of(table) if e.type == "uuid" and e.whole and not e.values]
            if not places:
                continue
            numbers = [table.value(each.name, each.type, hashing) for each in places]
            spools = [self.spools.new() for _ in places]
            query = table.of_copy(hashing, words_of(numbers))
            for words in read_words(self.sessions.place, query, len(places)):
                for spool, hashes in zip(spools, words, strict=True):
                    spool.add(hashes)
            for place, spool in zip(places, spools, strict=True):
                place.values = spool

    def _find(self) -> dict[int, dict[int, int]]:
        """How many values of each gathered column stand in a place."""
        found: dict[int, dict[int, int]] = {}
        for part in range(self.spools.parts):
            originals: set[int] = set()
            for _, spool in self._originals:
                originals.update(long_of(spool.part(part)))
            if not originals:
                continue
            for place in self._places:
                whole = _met(originals, place.values, part)
                within = _met(originals, place.tokens, part)
                if whole or within:
                    self._name(place, part, whole, within, found.setdefault(id(place), {}))
        return found

    def _name(
        self,
        place: SearchedColumn,
        part: int,
        whole: set[int],
        within: set[int],
        found: dict[int, int],
    ) -> None:
        """Add of which columns the values are that were met."""
        own = place.masked.column if place.masked else None
        for number, (column, spool) in enumerate(self._originals):
            # For whole values its own column was looked through already, with what chance allows.
            met = within if column.column == own else whole | within
            if met:
                found[number] = found.get(number, 0) + len(met.intersection(spool.part(part)))

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
        if kind.removesuffix("[]") in (*TEXTS, *_DOCUMENTS, *_OTHERS) and each.written:
            name = each.column.name
            yield SearchedColumn(table, name, kind, masked.get(name))


def _met(originals: set[int], spool: HashSpool | None, part: int) -> set[int]:
    if spool is None:
        return set()
    hashes = spool.part(part).tolist()
    # Most have none, and building a set costs more than looking.
    return set() if originals.isdisjoint(hashes) else originals.intersection(hashes)


def _by_chance(origin: MaskedColumn, place: MaskedColumn | None) -> bool:
    """Whether a result of the place's strategy may be such a value without a leak."""
    if place is None or not picks(place.strategy):
        return False
    return picks(origin.strategy) or origin.strategy.name == place.strategy.name
