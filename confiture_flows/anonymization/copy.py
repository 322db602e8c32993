"""Source + target + CopyPlan -> an anonymized copy under the target's name, or nothing at all.

Written once for two callers: `copy_database` runs the chunks on threads, a flow as task runs. The
rows go to a database beside the target, which takes its name at the very end; whatever fails or is
killed before leaves the target as it was.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from confiture_flows.anonymization.copying.observer import CopyObserver
    from confiture_flows.anonymization.copying.report import CopyReport
    from confiture_flows.anonymization.copying.values import (
        Chunk,
        ChunkResult,
        CopyAccess,
        CopyOptions,
    )
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.plan import CopyPlan
    from confiture_flows.target import Target

    Proof = Callable[[Target, Target | Path, CopyAccess], None]


class Copying:
    """A copy on its way.

    Attributes:
        access: What `copy_chunk` needs.
        chunks: What has to be copied, in any order.
    """

    access: CopyAccess
    chunks: tuple[Chunk, ...]

    def finish(self, results: Iterable[ChunkResult], prove: Proof | None = None) -> CopyReport:
        """Make indexes and keys, set sequences, let it be proven, and take the target's name.

        Args:
            results: Of all chunks.
            prove: Called with the source, the loaded place and the access, before the name is
                taken; what it raises stops the copy, and the target stays what it was.

        Raises:
            CopyError: A chunk is missing, a constraint does not hold, or the target is in use.
        """
        raise NotImplementedError


@contextmanager
def open_copy(
    source: Target,
    target: Target | Path,
    plan: CopyPlan,
    secret: Secret | None,
    options: CopyOptions,
    observer: CopyObserver | None = None,
) -> Iterator[Copying]:
    """Export the source's snapshot and make the place for the rows; tidy up with the block.

    Args:
        source: The database to copy.
        target: The database to become the copy, or a folder for files of COPY.
        plan: What is copied.
        secret: What keys are made from.
        options: How it is done.
        observer: Hears of it.

    Raises:
        CopyError: It cannot be copied like this; nothing was changed.
        ConfigError: A rule does not fit.
        TargetError: A server refuses us.
    """
    raise NotImplementedError
    yield


def copy_chunk(
    access: CopyAccess, chunk: Chunk, observer: CopyObserver | None = None
) -> ChunkResult:
    """Copy one chunk in a process of its own; may be called again after any failure.

    Args:
        access: Of the copy.
        chunk: One of its chunks.
        observer: Hears of rows on their way.

    Raises:
        CopyInterruptedError: The process or a connection of it is gone; call again.
        StrategyError: A strategy failed, or did what it says it never does.
        CopyError: A statement failed, or the snapshot is gone.
    """
    raise NotImplementedError


def copy_database(
    source: Target,
    target: Target | Path,
    plan: CopyPlan,
    secret: Secret | None,
    options: CopyOptions,
    observer: CopyObserver | None = None,
    prove: Proof | None = None,
) -> CopyReport:
    """Do all of it, with threads that wait for the workers; see `open_copy`."""
    raise NotImplementedError
