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
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    Stopped = Callable[[], bool]

_GRACE = 1.0  # seconds between ending what the hook waits for and interrupting the hook
_AGAIN = 0.25
_ASK_EVERY = 1.0  # seconds; a short hook asks nobody


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
        yield
    except BaseException as error:
        watch.stop()
        if watch.fired and not isinstance(error, KeyboardInterrupt):
            raise watch.reason from None
        raise
    watch.stop()
    if watch.fired:
        raise watch.reason


class _Watch:
    """Watches the thread that it is made in."""

    def __init__(self, seconds: float, conn: Connection | None, stopped: Stopped | None) -> None:
        self.fired = False
        self.reason: type[Exception] = TimeIsUp
        self._seconds, self._conn, self._stopped = seconds, conn, stopped
        self._over = threading.Event()
        self._turn = threading.Lock()
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
                with self._turn:
                    self._over.set()
                break
            except _Interrupt:  # it came just now, and is of no use any more
                continue
        if self._in_main:
            signal.signal(signal.SIGALRM, self._before or signal.SIG_DFL)
        else:
            # One that was sent and has not arrived would arrive in the midst of what follows.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._watched), None)

    def _watch(self) -> None:
        if not self._wait():
            return
        self.fired = True
        self._children.kill()
        if self._cancel():
            self._over.wait(_GRACE)
        else:
            self._over.wait(_AGAIN)
        while not self._over.is_set():
            self._children.kill()
            self._cancel()
            with self._turn:
                if not self._over.is_set():
                    self._interrupt()
            self._over.wait(_AGAIN)

    def _wait(self) -> bool:
        """Whether there is something to end, and not the block itself has ended."""
        if self._stopped is None:
            return not self._over.wait(self._seconds)
        until = time.monotonic() + self._seconds if self._seconds else None
        while True:
            left = _ASK_EVERY if until is None else until - time.monotonic()
            if self._over.wait(max(min(left, _ASK_EVERY), 0)):
                return False
            if until is not None and time.monotonic() >= until:
                return True
            if self._stopped():
                self.reason = WasStopped
                return True

    def _interrupt(self) -> None:
        if self._in_main:
            signal.pthread_kill(self._watched, signal.SIGALRM)
        else:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._watched), ctypes.py_object(_Interrupt)
            )

    def _on_alarm(self, number: int, frame: Any) -> None:
        if self.fired and not self._over.is_set():
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
