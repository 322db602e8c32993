"""Starts worker processes, gives them chunks, and ends those that hang.

A strategy is anybody's Python: in a process of its own it can be ended, and what it breaks is told
apart from what the copy breaks. Workers are kept for the next chunk of their copy, and end with it
or with this process, whichever comes first.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from confiture_flows.anonymization.copying.in_place import rows_of
from confiture_flows.anonymization.copying.process import WorkerProcess
from confiture_flows.errors import CopyInterruptedError, StrategyError, TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_flows.anonymization.copying.in_place import ChunkRows
    from confiture_flows.anonymization.copying.observer import CopyObserver
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult, CopyAccess

_MODULE = "confiture_flows.anonymization.copying.worker"
_LOOK_SECONDS = 1.0


class _Worker:
    """One process."""

    def __init__(self) -> None:
        self._process = WorkerProcess(_MODULE)
        self._conn = self._process.conn
        self._told = False

    def copy(
        self, access: CopyAccess, chunk: Chunk, observer: CopyObserver, rows: ChunkRows | None
    ) -> ChunkResult:
        """Let it copy a chunk; on any error it has to be ended."""
        timeout = access.options.strategy_timeout
        calling: tuple[str, int] | None = None
        since = 0.0
        try:
            if not self._told:
                self._conn.send(access)
                self._told = True
            self._conn.send(chunk)
            while True:
                if not self._conn.poll(_LOOK_SECONDS):
                    if calling and time.monotonic() - since > timeout:
                        raise _hanging(chunk, calling, timeout)
                    continue
                kind, *said = self._conn.recv()
                calling, since = None, time.monotonic()
                if kind == "calling":
                    calling = (said[0], said[1])
                elif kind == "moved":
                    observer.moved(chunk, said[0])
                elif rows is not None and kind == "writing":
                    rows.begin(said[0])
                elif rows is not None and kind == "rows":
                    rows.write(said[0])
                elif kind == "failed":
                    raise said[0]
                else:
                    if rows is not None:
                        rows.end(said[0])
                    return said[0]
        except TargetError as error:  # which is an OSError, and was told by a process that is there
            if error.retryable:
                raise CopyInterruptedError(
                    f"Copying {chunk} was interrupted. {error.message}", next_step=error.next_step
                ) from None
            raise
        except (EOFError, OSError):
            raise self._gone(chunk, calling) from None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.end()

    def _gone(self, chunk: Chunk, calling: tuple[str, int] | None) -> CopyInterruptedError:
        how = self._process.how_it_ended()
        where = f" while it masked {calling[1]:,} values of {calling[0]}" if calling else ""
        return CopyInterruptedError(
            f"The process that copied {chunk} has ended {how}{where}.",
            next_step="The chunk can be copied again; if it ends again, its strategy is to blame.",
        )


class _Ended(Protocol):
    """What ends with a copy."""

    def end(self) -> None:
        """End it; may be called again."""
        ...


_others: dict[int, list[_Ended]] = {}
_idle: dict[int, list[_Worker]] = {}
_busy: dict[int, list[_Worker]] = {}
_lock = threading.Lock()


def run_chunk(access: CopyAccess, chunk: Chunk, observer: CopyObserver) -> ChunkResult:
    """Copy a chunk by a worker of the copy; one that is idle, or a new one.

    Raises:
        CopyInterruptedError: The worker or a connection of it is gone, or cannot be made now.
        StrategyError: A strategy failed, or hangs.
        CopyError: A statement failed.
        TargetError: A server refuses the worker.
    """
    with _lock:
        idle = _idle.setdefault(access.number, [])
        worker = idle.pop() if idle else None
    worker = worker or _Worker()
    with _lock:
        _busy.setdefault(access.number, []).append(worker)
    try:
        with rows_of(access, chunk) as rows:
            result = worker.copy(access, chunk, observer, rows)
    except BaseException:
        with _lock:
            mine = _forget(_busy, access.number, worker)
        if mine:
            worker.end()
        raise
    with _lock:
        if _forget(_busy, access.number, worker):
            _idle.setdefault(access.number, []).append(worker)
    return result


def start_workers(number: int, count: int) -> None:
    """Start workers of a copy before there is work: half a second passes until they can do any."""
    started = [_Worker() for _ in range(count)]
    with _lock:
        _idle.setdefault(number, []).extend(started)


def end_workers(number: int) -> None:
    """End all workers of a copy in this process, busy ones too."""
    with _lock:
        found = [*_idle.pop(number, []), *_busy.pop(number, []), *_others.pop(number, [])]
    for each in found:
        each.end()


@contextmanager
def ended_with_copy(number: int, workers: Iterable[_Ended]) -> Iterator[None]:
    """Let `end_workers` end these too, within the block."""
    mine = list(workers)
    with _lock:
        _others[number] = mine
    try:
        yield
    finally:
        with _lock:
            _others.pop(number, None)


def _forget(workers: dict[int, list[_Worker]], number: int, worker: _Worker) -> bool:
    """Whether it was still there: the copy may have ended it in the meantime."""
    found = workers.get(number, [])
    if worker not in found:
        return False
    found.remove(worker)
    return True


def _hanging(chunk: Chunk, calling: tuple[str, int], timeout: float) -> StrategyError:
    column, count = calling
    return StrategyError(
        f"{chunk.table}.{column}: the strategy has not answered for {timeout:g} s, for a batch of "
        f"{count:,} rows.",
        next_step="Mend it, or give it more time with strategy_timeout.",
    )
