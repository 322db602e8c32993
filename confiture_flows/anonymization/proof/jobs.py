"""What is done for a proof beside one another, by processes or threads. Values; they pickle.

A job names statements and spools, and gives back counts and spools: no rows and no values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from confiture_flows.anonymization.proof.hashing import long_of
from confiture_flows.anonymization.proof.scan import Sightings, scan
from confiture_flows.anonymization.proof.spool import Spool, SpoolWriter
from confiture_flows.anonymization.proof.streams import read_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.anonymization.proof.sessions import SideSessions
    from confiture_flows.anonymization.proof.spool import SpoolFile

SideName = Literal["source", "place"]


@dataclass(frozen=True, slots=True)
class Hands:
    """What a job works with: its own, as long as it runs.

    Attributes:
        sessions: The connections.
        file: For the spools that it writes.
    """

    sessions: SideSessions
    file: SpoolFile


class Job(Protocol):
    """One of them."""

    def run(self, hands: Hands, /) -> Any:
        """Do it."""
        ...


@dataclass(slots=True)
class Hashed:
    """What was read.

    Attributes:
        columns: The hashes of each number of the rows, but the first if it was only added up.
        rows: How many.
        total: The sum of the first number.
    """

    columns: list[Spool]
    rows: int = 0
    total: int = 0

    def extend(self, other: Hashed) -> None:
        """Hold what another holds as well."""
        self.rows += other.rows
        self.total += other.total
        for mine, more in zip(self.columns, other.columns, strict=True):
            mine.extend(more)


@dataclass(frozen=True, slots=True)
class HashingRows:
    """Read rows of numbers.

    Attributes:
        side: Of which.
        query: As `read_numbers` takes it.
        count: How many numbers a row has.
        kept: Whether the first is kept, or only added up.
    """

    side: SideName
    query: bytes
    count: int
    kept: bool

    def run(self, hands: Hands) -> Hashed:
        """Keep them column by column."""
        first = 0 if self.kept else 1
        writers = [SpoolWriter(hands.file) for _ in range(self.count - first)]
        found = Hashed([])
        for numbers in read_numbers(getattr(hands.sessions, self.side), self.query, self.count):
            found.rows += len(numbers[0])
            found.total += sum(numbers[0])
            for writer, hashes in zip(writers, numbers[first:], strict=True):
                writer.add(hashes)
        found.columns = [each.end() for each in writers]
        return found


@dataclass(frozen=True, slots=True)
class Pairing:
    """Read pairs of a hash of key and value, and that of the value.

    Attributes:
        side: Of which.
        query: As `read_numbers` takes it.
    """

    side: SideName
    query: bytes

    def run(self, hands: Hands) -> Hashed:
        """Keep them together."""
        writer = SpoolWriter(hands.file)
        for pairs, values in read_numbers(getattr(hands.sessions, self.side), self.query, 2):
            writer.add(pairs, values)
        return Hashed([writer.end()])


@dataclass(slots=True)
class Scanned:
    """What was found in texts, a column each.

    Attributes:
        tokens: Their hashes.
        seen: What is something by its form.
    """

    tokens: list[Spool]
    seen: list[Sightings]

    def extend(self, other: Scanned) -> None:
        """Hold what another holds as well."""
        for mine, more in zip(self.tokens, other.tokens, strict=True):
            mine.extend(more)
        for seen, also in zip(self.seen, other.seen, strict=True):
            seen.extend(also)


@dataclass(frozen=True, slots=True)
class Scanning:
    """Read columns of the loaded database as text, and look for tokens.

    Attributes:
        query: For the columns, as `read_texts` takes it.
        types: Of the columns.
        asked: The query for the hashes of tokens; None if they are counted only.
    """

    query: bytes
    types: tuple[str, ...]
    asked: bytes | None

    def run(self, hands: Hands) -> Scanned:
        """Keep the hashes of tokens."""
        writers = [SpoolWriter(hands.file) for _ in self.types]
        seen = scan(hands.sessions, self.query, self.types, self.asked, writers)
        return Scanned([each.end() for each in writers], seen)


@dataclass(frozen=True, slots=True)
class Comparing:
    """Compare what was read of both sides.

    Attributes:
        how: A function of comparison.py.
        source: The hashes of the one.
        copy: Those of the other.
    """

    how: Callable[[Spool, Spool], Any]
    source: Spool
    copy: Spool

    def run(self, _: Hands) -> Any:
        """What that function returns."""
        return self.how(self.source, self.copy)


@dataclass(frozen=True, slots=True)
class SearchedPlace:
    """Where values are looked for.

    Attributes:
        values: The hashes of whole values, if a whole value may be one.
        tokens: Those of tokens, if there are any.
        own: Its own column's number among the originals: whole values of that are no news.
    """

    values: Spool | None
    tokens: Spool | None
    own: int | None


@dataclass(frozen=True, slots=True)
class Searching:
    """Look for values in all places.

    Attributes:
        originals: The values of columns of the source.
        places: Where.
        parts: Of the spools, which.
    """

    originals: tuple[Spool, ...]
    places: tuple[SearchedPlace, ...]
    parts: range

    def run(self, _: Hands) -> dict[tuple[int, int], int]:
        """Count, by the number of the place and that of the original."""
        found: dict[tuple[int, int], int] = {}
        for part in self.parts:
            originals: set[int] = set()
            for each in self.originals:
                originals.update(long_of(each.part(part)))
            if not originals:
                continue
            for number, place in enumerate(self.places):
                whole = _met(originals, place.values, part)
                within = _met(originals, place.tokens, part)
                if not whole and not within:
                    continue
                for origin, spool in enumerate(self.originals):
                    # For whole values its own column was looked through already, with what
                    # chance allows.
                    met = within if origin == place.own else whole | within
                    if met and (more := len(met.intersection(spool.part(part)))):
                        key = (number, origin)
                        found[key] = found.get(key, 0) + more
        return found


def _met(originals: set[int], spool: Spool | None, part: int) -> set[int]:
    if spool is None:
        return set()
    hashes = spool.part(part).tolist()
    # Most have none, and building a set costs more than looking.
    return set() if originals.isdisjoint(hashes) else originals.intersection(hashes)
