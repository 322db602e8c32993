"""Python's search for cycles, held back while many values are made that form few."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# New values before the youngest are searched. The 700 that Python has take 6 % of a lint, 50,000
# as much where they are those of many files; more than a million only very large files make.
_NEW_VALUES = 1_000_000


@dataclass(slots=True)
class _Held:
    """How many hold it back, and what was set before the first did."""

    count: int = 0
    before: tuple[int, int, int] = (0, 0, 0)
    lock: Lock = field(default_factory=Lock)


_held = _Held()


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Search for cycles rarely; as before when the last of all threads is done."""
    with _held.lock:
        _held.count += 1
        if _held.count == 1:
            _held.before = gc.get_threshold()
            first, *others = _held.before
            if first:  # 0 is never
                gc.set_threshold(max(first, _NEW_VALUES), *others)
    try:
        yield
    finally:
        with _held.lock:
            _held.count -= 1
            if not _held.count:
                _count_as_searched()
                gc.set_threshold(*_held.before)


def _count_as_searched() -> None:
    """Let what is there be old: with the usual threshold all of it would be searched at once."""
    if _held.before[0] and not gc.get_freeze_count():  # what others froze stays frozen
        gc.freeze()
        gc.unfreeze()
