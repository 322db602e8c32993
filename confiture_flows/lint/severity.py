"""What is locked, for how long, and the table's size and writes -> how bad a problem is. Pure.

A rule has the severity of its worst case; what is known of a table can only lower it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from confiture_flows.report.finding import Severity
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Problem
    from confiture_flows.lint.statistics import TableFacts
    from confiture_flows.sql.operation import Operation
    from confiture_flows.sql.parts import LockMode


class Duration(StrEnum):
    """What is done under a lock, which decides how long it is held."""

    METADATA = "briefly"
    SCAN = "while all rows are read"
    REWRITE = "while all rows are written"


class Size(Enum):
    """How large a table is to those who wait for something that goes through all of it."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Burden:
    """What others bear: a lock, and what is done under it."""

    lock: LockMode
    duration: Duration

    def __str__(self) -> str:
        return f"{self.lock} {self.duration}"


# Rows and bytes. A table below the first is read or written anew before anybody notices; to write
# one takes about ten times as long as to read it.
SMALL_TABLE = (10_000, 10 << 20)
LARGE_TABLE = (1_000_000, 1 << 30)
LARGE_TO_WRITE = (100_000, 100 << 20)
# Rows written a second, from which on a lock of a moment makes a queue.
BUSY_TABLE = 10.0


def burden_of(problem: Problem, said: Operation) -> Burden | None:
    """What a problem's operation locks and does; None where it locks nothing.

    Args:
        problem: What it says itself of lock and duration goes first.
        said: The operation; what its statement does not tell is taken for the worst.
    """
    work = work_of(said)
    lock = problem.lock or work.strongest
    if lock is None:
        return None
    if problem.duration is not None:
        return Burden(lock, problem.duration)
    if work.rewrites is not False:
        return Burden(lock, Duration.REWRITE)
    long = work.scans is not False or work.builds_index is not False
    return Burden(lock, Duration.SCAN if long else Duration.METADATA)


def size_of(facts: TableFacts, duration: Duration) -> Size:
    """Whether a table is small, large or between; one that is written to much counts as large."""
    if facts.rows < SMALL_TABLE[0] and facts.bytes < SMALL_TABLE[1]:
        return Size.SMALL
    large = LARGE_TO_WRITE if duration is Duration.REWRITE else LARGE_TABLE
    busy = (facts.writes_per_second or 0) >= BUSY_TABLE
    if facts.rows < large[0] and facts.bytes < large[1] and not busy:
        return Size.MIDDLE
    return Size.LARGE


def severity_of(worst: Severity, burden: Burden | None, facts: TableFacts | None) -> Severity:
    """How bad a problem with a table is.

    Args:
        worst: What the rule says of the worst case.
        burden: What others bear; None for a problem that only grows with the table.
        facts: Of the table; None when nobody knows them, which is the worst case.
    """
    if facts is None:
        return worst
    size = size_of(facts, burden.duration if burden else Duration.SCAN)
    if size is Size.SMALL:
        return Severity.INFO
    if burden is None:
        return worst
    if burden.duration is Duration.METADATA:
        return min(worst, Severity.WARNING if size is Size.LARGE else Severity.INFO)
    # A lock that lets writers through keeps them from single rows, or vacuum from the table.
    gentle = size is Size.MIDDLE or not burden.lock.blocks_writes
    return min(worst, Severity.WARNING) if gentle else worst


def reason_of(burden: Burden | None, facts: TableFacts | None) -> str:
    """What a severity was computed from, in a few words; empty when from nothing."""
    if burden is None:
        return facts.sentence if facts else ""
    return f"{burden}; {facts.sentence if facts else 'size unknown'}"
