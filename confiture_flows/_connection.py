"""psycopg's Connection, plus a say for whoever watches while the server does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SILENCE = 0.1  # seconds; psycopg's own interval between looks for Ctrl-C


class Connection(psycopg.Connection):
    """A connection that can be listened to.

    Attributes:
        on_silence: Called again and again while a query has no answer, on the thread that waits
            for it and so never beside it; what it raises ends the wait. None costs nothing.
        silence: Seconds without an answer before each call.
    """

    on_silence: Callable[[], None] | None = None
    silence: float = _SILENCE

    def wait(
        self,
        gen: Generator[Any, Any, Any],
        interval: float = _SILENCE,
        timeout: float | None = None,
    ) -> Any:
        """See psycopg."""
        more = {} if timeout is None else {"timeout": timeout}  # newer versions have it
        if self.on_silence is None:
            return super().wait(gen, interval, **more)
        return super().wait(_listening(gen, self.on_silence), self.silence, **more)


def _listening(
    gen: Generator[Any, Any, Any], on_silence: Callable[[], None]
) -> Generator[Any, Any, Any]:
    """Pass on what psycopg's waiting and its protocol say to one another; it says 0 for silence."""
    try:
        state = next(gen)
        while True:
            ready = yield state
            if not ready:
                on_silence()
            state = gen.send(ready)
    except StopIteration as end:
        return end.value
