"""Ctrl-C, answered at once: what follows it on the server, and in Prefect, takes its time."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def told_at_once(say: Callable[[str], object], then: str) -> Iterator[None]:
    """Say a line when Ctrl-C is pressed, and go on as Ctrl-C goes on.

    Args:
        say: Is given the line.
        then: The line.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python hears signals in the main thread only
        return

    def told(number: int, frame: FrameType | None) -> None:
        say(then)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, told)
    try:
        with _without_echo():
            yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _without_echo() -> Iterator[None]:
    """Keep the terminal from writing ^C into a bar, which would then not be taken away whole."""
    if sys.stdin is None or not sys.stdin.isatty():
        yield
        return
    import termios

    place = sys.stdin.fileno()
    before = termios.tcgetattr(place)
    silent = [*before[:3], before[3] & ~termios.ECHOCTL, *before[4:]]
    termios.tcsetattr(place, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(place, termios.TCSANOW, before)
