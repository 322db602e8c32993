"""How far a long hook is: told to whoever listens, an artifact of Prefect's or nobody."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Listener = Callable[[float, str], None]

_listener: ContextVar[Listener | None] = ContextVar("confiture_flows_hook_progress", default=None)


def report_progress(fraction: float, said: str) -> None:
    """Tell how far the hook is.

    Args:
        fraction: From 0 to 1.
        said: In words.
    """
    listener = _listener.get()
    if listener:
        listener(fraction, said)


@contextmanager
def progress_to(listener: Listener) -> Iterator[None]:
    """Let somebody hear of the progress of hooks in this block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
