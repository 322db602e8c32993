"""The hashes of a column on both sides -> what stands on both, and how values are spread. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.anonymization.proof.hashing import NOTHING, all_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.anonymization.proof.spool import Spool

# Beyond that a query does without them.
MOST_LISTED = 10_000
_MOST_COUNTED = 1 << 20


@dataclass
class Values:
    """What was counted of a column on one side: values, different ones, the most frequent one.

    Attributes:
        count: Values that are neither NULL nor empty.
        distinct: Different ones.
        most: How often the most frequent one is there.
        long: How many of the different ones are long texts.
    """

    count: int = 0
    distinct: int = 0
    most: int = 0
    long: int = 0

    def take(self, hashes: list[int], different: set[int]) -> None:
        """Count a part; equal hashes are all in one."""
        nothing = hashes.count(NOTHING) if NOTHING in different else 0
        different.discard(NOTHING)
        count = len(hashes) - nothing
        self.count += count
        self.distinct += len(different)
        if len(different) == count:
            self.most = max(self.most, min(count, 1))
        else:
            counted = Counter(hashes)
            del counted[NOTHING]
            self.most = max(self.most, *counted.values())


@dataclass
class Compared:
    """A column on both sides.

    Attributes:
        source: Its values there.
        copy: Its values here.
        rows: Rows of the copy with a value that the source has.
        distinct: Different values of that kind.
        met: Their hashes; None if they are too many to be listed.
    """

    source: Values = field(default_factory=Values)
    copy: Values = field(default_factory=Values)
    rows: int = 0
    distinct: int = 0
    met: list[int] | None = field(default_factory=list)


def compare(source: Spool, copy: Spool) -> Compared:
    """Count the values of both sides, and those that stand on both."""
    found = Compared()
    for number in range(source.parts):
        there = source.part(number)
        hashes = there.tolist()
        of_source = set(hashes)
        found.source.take(hashes, of_source)
        found.source.long += (
            len(of_source) if all_long(there) else sum(1 for each in of_source if each < 0)
        )
        hashes = copy.part(number).tolist()
        of_copy = set(hashes)
        found.copy.take(hashes, of_copy)
        met = of_source & of_copy
        if met:
            found.rows += sum(map(met.__contains__, hashes))
            found.distinct += len(met)
            found.met = (
                [*found.met, *met]
                if found.met is not None and found.distinct <= MOST_LISTED
                else None
            )
    return found


def count_pairs(source: Spool, copy: Spool) -> tuple[int, int]:
    """Compare pairs of a hash, which rows of both sides share, and that of a value.

    Returns:
        How many rows of the copy are in the source as well, and with how many values; of those
        no more than a million are told apart.
    """
    rows, values = 0, set[int]()
    for number in range(source.parts):
        there = set(source.part(number)[0::2])
        for each, value in _pairs(copy, number):
            # Who had nothing and has nothing has kept no value.
            if value != NOTHING and each in there:
                rows += 1
                if len(values) < _MOST_COUNTED:
                    values.add(value)
    return rows, len(values)


def count_foreign(source: Spool, copy: Spool) -> int:
    """How many hashes of the copy are none of the source's."""
    foreign = 0
    for number in range(source.parts):
        there = set(source.part(number))
        hashes = copy.part(number)
        foreign += len(hashes) - sum(map(there.__contains__, hashes))
    return foreign


def _pairs(spool: Spool, number: int) -> Iterator[tuple[int, int]]:
    found = spool.part(number)
    return zip(found[0::2], found[1::2], strict=True)
