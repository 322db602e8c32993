"""What a copy tells whoever watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.anonymization.copying.report import CopyReport
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult
    from confiture_flows.anonymization.plan import CopyPlan
    from confiture_flows.anonymization.proof.report import LeakReport


class CopyObserver:
    """Hears of a copy as it goes; every method does nothing unless overridden.

    `moved`, `copied` and `repeating` are called on the thread that waits for the chunk's worker,
    so by several threads at once.
    """

    def page(self, url: str) -> None:
        """The copy has a page to look at."""

    def planned(self, plan: CopyPlan) -> None:
        """What is going to be copied, before anything decides whether it may be."""

    def began(self, chunks: tuple[Chunk, ...]) -> None:
        """The new database is there, and rows are next; the sum of `Chunk.rows` is an estimate."""

    def moved(self, chunk: Chunk, rows: int) -> None:
        """So many more rows of a chunk are on their way; they may have to be copied again."""

    def repeating(self, chunk: Chunk) -> None:
        """A chunk's connection or process is gone: its rows so far do not count."""

    def copied(self, result: ChunkResult) -> None:
        """A chunk is in the new database for good."""

    def finishing(self, what: str) -> None:
        """All rows are there; next comes "indexes and keys", "sequences", "proof" or "swap"."""

    def proven(self, report: LeakReport) -> None:
        """The loaded copy was looked at; if the proof failed, an error comes next."""

    def ended(self, report: CopyReport) -> None:
        """The copy has taken the target's name."""
