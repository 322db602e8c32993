"""Jobs of a proof -> their results, several at once.

By processes where there is much to do, as one process runs one line of Python at a time; by threads
of this one otherwise, since starting processes takes half a second.
"""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Protocol

from psycopg import Error

from confiture_flows.anonymization.copying.process import WorkerProcess
from confiture_flows.anonymization.copying.workers import ended_with_copy
from confiture_flows.anonymization.proof.jobs import Hands
from confiture_flows.anonymization.proof.sessions import SideSessions
from confiture_flows.anonymization.proof.spool import open_files
from confiture_flows.errors import CopyInterruptedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from confiture_flows.anonymization.copying.values import CopyAccess
    from confiture_flows.anonymization.proof.jobs import Job
    from confiture_flows.anonymization.proof.sessions import Sides
    from confiture_flows.anonymization.proof.spool import SpoolFile

_MODULE = "confiture_flows.anonymization.proof.worker"
# Both sides are read at the same time, whoever copied with fewer.
_LEAST = 2


class _Worker(Protocol):
    """Does one job after another."""

    def do(self, job: Job) -> Any:
        """Do it, and return what it gives."""
        ...

    def end(self) -> None:
        """Let what is being done fail; any thread may call it, and call it again."""
        ...

    def close(self) -> None:
        """Leave nothing behind; nothing is being done."""
        ...


class _Process:
    """Does jobs in a process of its own."""

    def __init__(self, sides: Sides, file: SpoolFile, files: list[SpoolFile]) -> None:
        self._process = WorkerProcess(_MODULE, [each.number for each in files])
        self.pid = self._process.pid
        self._process.conn.send((sides, file))

    def do(self, job: Job) -> Any:
        try:
            self._process.conn.send(job)
            kind, found = self._process.conn.recv()
        except (EOFError, OSError):
            raise CopyInterruptedError(
                f"A process that proved the copy has ended {self._process.how_it_ended()}.",
                next_step="Copy again; if it ends again, look at the memory of this machine.",
            ) from None
        if kind == "failed":
            raise found
        return found

    def end(self) -> None:
        self._process.end()

    def close(self) -> None:
        self._process.end()


class _Thread:
    """Does jobs in the thread that asks."""

    def __init__(self, sides: Sides, file: SpoolFile) -> None:
        self._sessions = SideSessions(sides)
        self._hands = Hands(self._sessions, file)

    def do(self, job: Job) -> Any:
        return job.run(self._hands)

    def end(self) -> None:
        with suppress(Error):
            self._sessions.cancel()

    def close(self) -> None:
        self._sessions.close()


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where jobs are done.

    Attributes:
        workers: How many are done at once.
        parts: Into how many every spool is cut.
    """

    workers: tuple[_Worker, ...]
    parts: int

    def run(self, jobs: Iterable[tuple[Job, Callable[[Any], None]]]) -> None:
        """Do jobs.

        Args:
            jobs: With what takes the result of each; neither is called by two threads at once.

        Raises:
            CopyError: The first failure ends all.
        """
        todo, lock, over = iter(jobs), Lock(), Event()

        def work(worker: _Worker) -> None:
            while True:
                with lock:
                    found = None if over.is_set() else next(todo, None)
                if found is None:
                    return
                job, take = found
                done = worker.do(job)
                with lock:
                    take(done)

        with ThreadPoolExecutor(len(self.workers), "confiture-proof") as threads:
            running = [threads.submit(work, each) for each in self.workers]
            try:
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
                for each in done:
                    each.result()
            except BaseException:
                over.set()
                # Threads that wait for an answer wait no longer.
                for each in self.workers:
                    each.end()
                raise

    def ask(self, job: Job) -> Any:
        """Do one job."""
        found: list[Any] = []
        self.run([(job, found.append)])
        return found[0]


@contextmanager
def open_workshop(
    access: CopyAccess, sides: Sides, most: int, *, processes: bool
) -> Iterator[Workshop]:
    """Hold workers for the block.

    Args:
        access: Of the copy, whose end is theirs too.
        sides: What they look at.
        most: How many hashes a spool gets at the most.
        processes: Whether each is a process.
    """
    count = max(_LEAST, access.options.workers)
    with open_files(count, most) as files, ExitStack() as stack:
        workers: list[_Worker] = []
        for each in files:
            worker = _Process(sides, each, files) if processes else _Thread(sides, each)
            stack.callback(worker.close)
            workers.append(worker)
        with ended_with_copy(access.number, workers):
            yield Workshop(tuple(workers), files[0].parts)
