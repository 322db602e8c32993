"""Source + target + CopyPlan -> an anonymized copy under the target's name, or nothing at all.

Written once for two callers: `copy_database` runs the chunks on threads, a flow as task runs. The
rows go to a database beside the target, which takes its name at the very end, or into the target's
own tables in one transaction; whatever fails or is killed before leaves the target as it was.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from confiture_flows.anonymization.copying.chunks import chunks_of
from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.place import open_place
from confiture_flows.anonymization.copying.report import CopyReport, IsolatedColumn, tables_of
from confiture_flows.anonymization.copying.schema import read_sequences
from confiture_flows.anonymization.copying.sessions import told_without_rows
from confiture_flows.anonymization.copying.source import hold_snapshot, snapshot_gone
from confiture_flows.anonymization.copying.strategies import (
    import_modules,
    modules_of,
    strategies_of,
)
from confiture_flows.anonymization.copying.values import CopyAccess
from confiture_flows.anonymization.copying.way import choose_way
from confiture_flows.anonymization.copying.workers import end_workers, run_chunk, start_workers
from confiture_flows.anonymization.plan import stop_if_refused
from confiture_flows.errors import CopyError, CopyInterruptedError, LeakError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confiture_flows.anonymization.copying.place import Place
    from confiture_flows.anonymization.copying.schema import Sequence
    from confiture_flows.anonymization.copying.source import Source
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult, CopyOptions
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.plan import CopyPlan
    from confiture_flows.anonymization.proof.report import LeakReport, OnLeak
    from confiture_flows.anonymization.strategy import StrategyBase
    from confiture_flows.target import Target

_TRIES = 3


class Proof(Protocol):
    """What looks at a loaded copy before it takes the target's name."""

    def __call__(self, access: CopyAccess, plan: CopyPlan, rows: Mapping[str, int]) -> LeakReport:
        """Look at `access.source`, as of `access.snapshot`, and `access.place`.

        Args:
            access: Of the copy.
            plan: What was copied.
            rows: How many were written, by table.

        Returns:
            What was found; a failed check stops the copy.
        """
        ...


@dataclass
class Copying:
    """A copy on its way.

    Attributes:
        access: What `copy_chunk` needs.
        plan: What is copied.
        chunks: What has to be copied, in any order; the largest come first.
    """

    access: CopyAccess
    plan: CopyPlan
    chunks: tuple[Chunk, ...]
    _source: Source = field(repr=False)
    _place: Place = field(repr=False)
    _observer: CopyObserver = field(repr=False)
    _target: str = ""
    _started: float = field(default_factory=time.monotonic)
    _isolated: tuple[IsolatedColumn, ...] = ()

    def finish(
        self,
        results: Iterable[ChunkResult],
        prove: Proof | None = None,
        on_leak: OnLeak = "keep",
    ) -> CopyReport:
        """Make indexes and keys, set sequences, let it be proven, and take the target's name.

        Args:
            results: Of all chunks.
            prove: Called before the name is taken; what it finds or raises stops the copy, and
                the target stays what it was.
            on_leak: Whether a copy whose proof failed is kept aside or dropped.

        Raises:
            LeakError: The proof failed.
            CopyError: A chunk is missing, a constraint does not hold, or the target is in use.
        """
        by_chunk = {(str(each.chunk.table), each.chunk.number): each for each in results}
        wanted = [(str(each.table), each.number) for each in self.chunks]
        if missing := [each for each in wanted if each not in by_chunk]:
            raise CopyError(f"{len(missing)} chunks are not copied, the first of {missing[0][0]}.")
        found = [by_chunk[each] for each in wanted]
        end_workers(self.access.number)
        observer = self._observer
        observer.finishing("indexes and keys")
        self._place.complete()
        observer.finishing("sequences")
        sequences = self._sequences()
        self._place.set_sequences(sequences)
        proof = self._proven(found, prove, on_leak) if prove else None
        observer.finishing("swap")
        place = self._place.publish(self.access.source.name, found)
        order = {str(each): number for number, each in enumerate(self.plan.tables)}
        report = CopyReport(
            self.access.source.name,
            self._target,
            place,
            tables_of(sorted(found, key=lambda each: order[str(each.chunk.table)])),
            len(sequences),
            self.plan.left_out,
            time.monotonic() - self._started,
            self._isolated,
            proof,
            in_place=self.access.options.in_place,
        )
        observer.ended(report)
        return report

    def _sequences(self) -> tuple[Sequence, ...]:
        """Where they stand, by the session that holds the snapshot."""
        try:
            with told_without_rows("Reading sequences"):
                return read_sequences(self._source, self.plan)
        except CopyInterruptedError as error:
            if self._source.conn.closed:
                raise snapshot_gone(self.access.source.name, error.sqlstate) from None
            raise

    def _proven(self, results: list[ChunkResult], prove: Proof, on_leak: OnLeak) -> LeakReport:
        """Let the copy be looked at, and stop if it leaks."""
        self._observer.finishing("proof")
        rows: dict[str, int] = {}
        for each in results:
            name = str(each.chunk.table)
            rows[name] = rows.get(name, 0) + each.rows
        report = prove(self.access, self.plan, rows)
        self._observer.proven(report)
        if report.failed:
            kept = self._place.keep_aside() if on_leak == "keep" else None
            raise LeakError(
                report.message(),
                next_step=f"Look at the database {kept}, to which only its owner may connect; the "
                "next copy to this target drops it."
                if kept
                else "Mend the rules or strategies of these columns, and copy again.",
            )
        return report


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
        GateError: The plan has findings that refuse the copy.
        TargetError: A server refuses us.
    """
    stop_if_refused(plan)
    started = time.monotonic()
    observer = observer or CopyObserver()
    import_modules(options.modules)
    tables = [each for each in plan.tables if each.copied]
    strategies = {str(each): strategies_of(each, secret) for each in tables}
    options = _settled(options, strategies.values())
    number = secrets.randbelow(2**31)
    with (
        _workers(number, options.workers),
        hold_snapshot(source, plan.tables) as held,
        open_place(held, plan, target, number, options) as place,
    ):
        with told_without_rows(f"Reading {source.name}"):
            ways = (
                choose_way(each, strategies[str(each)], options.engine, held, place.receiver)
                for each in tables
            )
            chunks = chunks_of(zip(tables, ways, strict=True), held, options)
        access = CopyAccess(number, source, place.where, held.snapshot, secret, options)
        name = str(target) if isinstance(target, Path) else target.name
        isolated = _isolated(strategies.values())
        copying = Copying(access, plan, chunks, held, place, observer, name, started, isolated)
        observer.began(chunks)
        yield copying


def _isolated(strategies: Iterable[Mapping[str, StrategyBase]]) -> tuple[IsolatedColumn, ...]:
    """The columns whose strategies run behind walls, and which stood."""
    return tuple(
        IsolatedColumn(str(column.column), column.walls)
        for table in strategies
        for column in table.values()
        if column.walls
    )


def _settled(options: CopyOptions, strategies: Iterable[dict[str, StrategyBase]]) -> CopyOptions:
    """With the modules that workers have to import, and so many workers as can write."""
    made = tuple(module for each in strategies for module in modules_of(each))
    # Rows that are loaded in place go through one session: a second worker would wait.
    workers = 1 if options.in_place else options.workers
    return replace(options, modules=tuple(dict.fromkeys(options.modules + made)), workers=workers)


@contextmanager
def _workers(number: int, count: int) -> Iterator[None]:
    """Workers that start while the place is made, and end with the copy."""
    try:
        start_workers(number, count)
        yield
    finally:
        end_workers(number)


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
        TargetError: A server refuses the process.
    """
    observer = observer or CopyObserver()
    try:
        result = run_chunk(access, chunk, observer)
    except CopyInterruptedError:
        observer.repeating(chunk)
        raise
    observer.copied(result)
    return result


def copy_database(
    source: Target,
    target: Target | Path,
    plan: CopyPlan,
    secret: Secret | None,
    options: CopyOptions,
    observer: CopyObserver | None = None,
    prove: Proof | None = None,
    on_leak: OnLeak = "keep",
) -> CopyReport:
    """Do all of it, with threads that wait for the workers; see `open_copy`."""
    with open_copy(source, target, plan, secret, options, observer) as copying:
        results = run_chunks(copying, copying.access.options.workers, observer)
        return copying.finish(results, prove, on_leak)


def run_chunks(
    copying: Copying, workers: int, observer: CopyObserver | None = None
) -> tuple[ChunkResult, ...]:
    """Copy all chunks on threads; one that was interrupted is tried again.

    Args:
        copying: Which.
        workers: How many at once.
        observer: Hears of rows on their way.

    Raises:
        CopyError: The first failure ends all.
    """
    todo = deque((chunk, 1) for chunk in copying.chunks)
    results: list[ChunkResult] = []
    with ThreadPoolExecutor(max(1, workers), "confiture-copy") as threads:
        running = {}
        try:
            while todo or running:
                while todo and len(running) < workers:
                    chunk, tried = todo.popleft()
                    future = threads.submit(copy_chunk, copying.access, chunk, observer)
                    running[future] = (chunk, tried)
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    chunk, tried = running.pop(future)
                    try:
                        results.append(future.result())
                    except CopyInterruptedError:
                        if tried == _TRIES:
                            raise
                        todo.append((chunk, tried + 1))
        except BaseException:
            # Threads that wait for workers wait no longer.
            end_workers(copying.access.number)
            raise
    return tuple(results)
