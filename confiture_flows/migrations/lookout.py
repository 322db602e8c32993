"""A second, short connection -> who the run waits for. Opened only when there is something to see.

lock_timeout ends a wait before the waiting session could look around, so somebody else must
look while it lasts. The look is taken on the thread that waits, whenever the server has been
silent for a while: a run that is not kept waiting opens no connection and starts no thread.
Who cannot be seen (no connection left, no privilege) is not named, and nothing fails.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from confiture_flows.errors import TargetError
from confiture_flows.migrations.blockers import Backend, Blocker, find_blockers, still_there
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from confiture_flows.target import Target

    Another = Callable[[], AbstractContextManager[Connection]]

_Answer = TypeVar("_Answer")

_QUIET = 2.0  # seconds without an answer after which a look is worth a connection
_EVERY = 0.5  # seconds between looks at a wait that nothing but its end ends
_ANSWER = 2.0  # seconds that the second connection may take for anything
_AGAIN = 10.0  # seconds before it is tried again where it could not be had


def another_connection(target: Target) -> Another:
    """How to open the second connection to a target; it gives up soon."""
    from psycopg.conninfo import make_conninfo

    def open_it() -> AbstractContextManager[Connection]:
        hurried = make_conninfo(target.dsn, connect_timeout=int(_ANSWER))
        return connect(replace(target, dsn=hurried), "look")

    return open_it


class Lookout:
    """Sees who the run's connection waits for.

    Attributes:
        conn: The run's connection.
        seen: Who was in the way when it was last looked, in the present try.
        waited: Seconds that the present try has been seen waiting without a pause.
        gave_up: Whether the present try was cancelled, since it had waited for too long.
    """

    def __init__(self, conn: Connection, backend: Backend, another: Another | None) -> None:
        self.conn = conn
        self.seen: tuple[Blocker, ...] = ()
        self.waited = 0.0
        self.gave_up = False
        self._backend = backend
        self._another = another
        self._stack = ExitStack()
        self._second: Connection | None = None
        self._not_before = 0.0

    @contextmanager
    def watching(
        self,
        within: float | None,
        patience: float | None,
        tell: Callable[[tuple[Blocker, ...], float], None],
    ) -> Iterator[None]:
        """Look now and then while the block runs a try.

        Args:
            within: Seconds after which a wait may be over, when an earlier try met somebody;
                None looks when the server is silent for long.
            patience: Seconds after which a wait is ended; None leaves that to lock_timeout.
            tell: Told, once for the same ones, whom a long wait is for and since when.
        """
        from confiture_flows._connection import Connection as Watched

        self.seen, self.waited, self.gave_up = (), 0.0, False
        if self._another is None or not isinstance(self.conn, Watched):
            yield  # opened by somebody else, who has not said how to open another
            return
        watch = _Watch(self, within, patience, tell)
        self.conn.on_silence = watch.on_silence
        self.conn.silence = min(0.1, watch.pace)
        try:
            yield
        finally:
            self.conn.on_silence = None

    def look(self) -> tuple[Blocker, ...]:
        """Who is in the way now; nobody if that cannot be seen."""
        return self._ask(lambda second: find_blockers(second, self._backend)) or ()

    def still_in_the_way(self) -> bool:
        """Whether who was seen last may still be there."""
        if not self.seen:
            return True
        return self._ask(lambda second: still_there(second, self.seen)) is not False

    def open(self) -> None:
        """Have the second connection ready, if it can be had."""
        import psycopg

        if self._second or self._another is None or time.monotonic() < self._not_before:
            return
        try:
            self._second = self._stack.enter_context(self._another())
        except (TargetError, psycopg.Error):
            self._not_before = time.monotonic() + _AGAIN

    def close(self) -> None:
        """Give the second connection back."""
        self._second = None
        self._stack.close()

    def _ask(self, question: Callable[[Connection], _Answer]) -> _Answer | None:
        import psycopg

        self.open()
        if self._second is None:
            return None
        try:
            with soon(self._second):
                return question(self._second)
        except (psycopg.Error, TimeoutError):
            self.close()
            self._not_before = time.monotonic() + _AGAIN
            return None


@contextmanager
def soon(conn: Connection) -> Iterator[None]:
    """Let a query of the block fail with TimeoutError when its answer does not come soon."""
    from confiture_flows._connection import Connection as Watched

    until = time.monotonic() + _ANSWER

    def give_up() -> None:
        if time.monotonic() > until:
            raise TimeoutError

    if isinstance(conn, Watched):
        conn.on_silence = give_up
    try:
        yield
    finally:
        if isinstance(conn, Watched):
            conn.on_silence = None


class _Watch:
    """One try."""

    def __init__(
        self,
        lookout: Lookout,
        within: float | None,
        patience: float | None,
        tell: Callable[[tuple[Blocker, ...], float], None],
    ) -> None:
        self._lookout, self._patience, self._tell = lookout, patience, tell
        self.pace = _EVERY if within is None else min(max(within / 3, 0.02), _EVERY)
        self._next = time.monotonic() + (_QUIET if within is None else self.pace)
        self._last_wait: float | None = None
        self._quiet_until = time.monotonic() + _QUIET
        self._told: frozenset[int] = frozenset()

    def on_silence(self) -> None:
        """Look, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        blockers = self._lookout.look()
        now = time.monotonic()
        # One look is enough to name who ends a short wait; a long one is watched to its end.
        self._next = now + (_EVERY if blockers else self.pace)
        if not blockers:
            self._last_wait = None
            self._lookout.waited = 0.0
            return
        self._lookout.seen = blockers
        self._lookout.waited += now - self._last_wait if self._last_wait else 0.0
        self._last_wait = now
        pids = frozenset(blocker.pid for blocker in blockers)
        if now >= self._quiet_until and pids != self._told:
            self._told = pids
            self._tell(blockers, self._lookout.waited)
        if self._patience is not None and self._lookout.waited >= self._patience:
            self._give_up()

    def _give_up(self) -> None:
        import psycopg

        self._lookout.gave_up = True
        try:
            self._lookout.conn.cancel_safe(timeout=_ANSWER)
        except psycopg.Error:
            return  # tried again at the next look
