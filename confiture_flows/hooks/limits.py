"""A wall-clock limit: when it is over, the hook, its query and its child processes are ended.

First the query is cancelled and the children are killed, which lets most hooks end by themselves;
then the thread itself is interrupted, again and again until it leaves.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    Stopped = Callable[[], bool]

_GRACE = 1.0  # seconds between ending what the hook waits for and interrupting the hook
_AGAIN = 0.25
_LOOK = 0.05
_LONGEST = 3600.0  # seconds of one wait; the platform has a limit of its own
_ASK_EVERY = 1.0  # seconds; a short hook asks nobody
_CALLS = 100  # each lets in what was sent to the thread before; one is enough


class TimeIsUp(Exception):
    """The limit was reached."""


class WasStopped(Exception):
    """Somebody has stopped the run."""


class _Interrupt(BaseException):
    """Raised in the hook; not an Exception, so that `except Exception` lets it through."""


@contextmanager
def time_limit(
    seconds: float, conn: Connection | None = None, stopped: Stopped | None = None
) -> Iterator[None]:
    """End the block when its time is up, or the run is stopped.

    Args:
        seconds: 0 is no limit.
        conn: Whose query is ended with it.
        stopped: Asked once a second, from a thread of its own, whether the run is stopped.

    Raises:
        TimeIsUp: It was ended, whatever it has raised or returned then.
        WasStopped: The same, since the run is stopped.
    """
    if not seconds and stopped is None:
        yield
        return
    watch = _Watch(seconds, conn, stopped)
    watch.start()
    try:
        try:
            yield
        finally:
            watch.stop()
    except BaseException as error:
        watch.stop()  # again, should it have been interrupted on its way to the first
        if watch.fired and not isinstance(error, KeyboardInterrupt):
            raise watch.reason from None
        raise
    if watch.fired:
        raise watch.reason


def _nothing() -> None:
    """Do nothing, by a call."""


class _Watch:
    """Watches the thread that it is made in."""

    def __init__(self, seconds: float, conn: Connection | None, stopped: Stopped | None) -> None:
        self.fired = False
        self.reason: type[Exception] = TimeIsUp
        self._seconds, self._conn, self._stopped = seconds, conn, stopped
        # Plain attributes and single calls into C: an interrupt that arrives inside of `with
        # lock` may leave the lock held for good.
        self._done = self._finished = self._interrupted = False
        self._wake, self._gone = threading.Lock(), threading.Lock()
        self._wake.acquire()
        self._gone.acquire()
        self._watched = threading.get_ident()
        self._in_main = threading.current_thread() is threading.main_thread()
        self._children = Children()
        self._before: Any = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        if self._in_main:
            self._before = signal.signal(signal.SIGALRM, self._on_alarm)
        self._thread.start()

    def stop(self) -> None:
        while True:
            try:
                self._stop()
            except _Interrupt:  # it came just now, and is of no use any more
                continue
            return

    def _stop(self) -> None:
        self._done = True
        while not self._finished:
            with suppress(RuntimeError):  # released already
                self._wake.release()
            self._gone.acquire(timeout=_LOOK)
        if self._in_main:
            signal.signal(signal.SIGALRM, self._before or signal.SIG_DFL)
        elif self._interrupted:
            # One that was sent and has not arrived would arrive in the midst of what follows, so it
            # is let in here. To take it back is no way: Python then goes on looking for it before
            # every call, as long as the process lives, and 3.11 never ends a call that is traced.
            for _ in range(_CALLS):
                _nothing()

    def _watch(self) -> None:
        try:
            if self._wait():
                self._end()
        finally:
            self._finished = True
            self._gone.release()

    def _end(self) -> None:
        self.fired = True
        self._children.kill()
        self._pause(_GRACE if self._cancel() else _AGAIN)
        while not self._done:
            self._children.kill()
            self._cancel()
            if not self._done:
                self._interrupt()
            self._pause(_AGAIN)

    def _pause(self, seconds: float) -> bool:
        """Wait, unless the block ends; whether it has ended."""
        return self._done or self._wake.acquire(timeout=seconds) or self._done

    def _wait(self) -> bool:
        """Whether there is something to end, and not the block itself has ended."""
        until = time.monotonic() + self._seconds if self._seconds else None
        while True:
            left = _LONGEST if until is None else max(until - time.monotonic(), 0)
            if self._pause(min(left, _LONGEST if self._stopped is None else _ASK_EVERY)):
                return False
            if until is not None and time.monotonic() >= until:
                return True
            if self._stopped is not None and self._stopped():
                self.reason = WasStopped
                return True

    def _interrupt(self) -> None:
        if self._in_main:
            signal.pthread_kill(self._watched, signal.SIGALRM)
        else:
            self._interrupted = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._watched), ctypes.py_object(_Interrupt)
            )

    def _on_alarm(self, number: int, frame: Any) -> None:
        if self.fired and not self._done:
            raise _Interrupt
        # A limit of somebody else's, around ours.
        if callable(self._before):
            self._before(number, frame)

    def _cancel(self) -> bool:
        import psycopg
        from psycopg.pq import TransactionStatus

        conn = self._conn
        if conn is None or conn.closed:
            return False
        if conn.info.transaction_status != TransactionStatus.ACTIVE:
            return False
        try:
            conn.cancel_safe(timeout=2)
        except psycopg.Error:
            return False
        return True


class Children:
    """The processes that this one starts from now on, and theirs."""

    def __init__(self) -> None:
        linux = sys.platform == "linux"
        self._since = time.clock_gettime(time.CLOCK_BOOTTIME) if linux else time.time()

    def kill(self) -> None:
        """Kill them."""
        table = _processes()
        grown = {os.getpid()}
        doomed: set[int] = set()
        # Parents are killed with their children: what a shell has started goes on without it.
        while True:
            more = {
                pid
                for pid, (parent, started) in table.items()
                if parent in grown and pid not in doomed and started >= self._since - 0.02
            }
            if not more:
                break
            doomed |= more
            grown |= more
        for pid in doomed:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue


def _processes() -> dict[int, tuple[int, float]]:
    """Parent and start of each process; seconds since boot on Linux, of the clock elsewhere."""
    if sys.platform == "linux":
        ticks = os.sysconf("SC_CLK_TCK")
        found: dict[int, tuple[int, float]] = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(name)] = (int(fields[1]), int(fields[19]) / ticks)
        return found
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,lstart="],
        capture_output=True,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
    )
    rows = (line.split(maxsplit=2) for line in listed.stdout.splitlines())
    return {
        int(pid): (int(parent), time.mktime(time.strptime(since.strip())) + 1)
        for pid, parent, since in rows
        if int(pid) != os.getpid()
    }
