"""Hashes as they come -> the same part by part, so that few are in memory as objects at a time.

A hash takes 8 bytes here, of which 2 MB a spool are in memory and the others in a file without a
name; as an int in a set it takes a hundred. All spools of a proof are parted alike, so that equal
hashes meet in the same part.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A set of so many takes 25 MB, and is filled twice as fast as one of a million.
_PART = 1 << 18
_PARTS_MOST = 1 << 13
_IN_MEMORY = 1 << 18
_SIZE = 8


@dataclass
class Spools:
    """Makes them; what they do not hold in memory is in one file, which any thread may write.

    Attributes:
        parts: Into how many parts each is cut: a power of two.
    """

    parts: int
    _file: int
    _end: int = 0
    _lock: Lock = field(default_factory=Lock)

    def new(self, *, pairs: bool = False) -> HashSpool:
        """An empty one."""
        return HashSpool(self, pairs)

    def write(self, data: bytes) -> int:
        """Write bytes, and return where they are."""
        with self._lock:
            start = self._end
            self._end += len(data)
        done = 0
        while done < len(data):
            done += os.pwrite(self._file, data[done:], start + done)
        return start

    def read(self, start: int, size: int) -> bytes:
        """What was written there."""
        found = b""
        while len(found) < size:
            found += os.pread(self._file, size - len(found), start + len(found))
        return found


@contextmanager
def open_spools(most: int) -> Iterator[Spools]:
    """Hold the file for the block.

    Args:
        most: How many hashes a spool gets at the most; more are no mistake, but need more memory.
    """
    parts = 1
    while parts * _PART < most and parts < _PARTS_MOST:
        parts *= 2
    with tempfile.TemporaryFile() as file:
        yield Spools(parts, file.fileno())


@dataclass
class HashSpool:
    """Keeps hashes, or pairs of a hash and what goes with it; one thread writes it.

    Attributes:
        spools: Where it is from.
        pairs: Whether a further number goes with each.
        size: How many it holds.
    """

    spools: Spools
    pairs: bool = False
    size: int = 0
    _held: list[array[int]] = field(default_factory=list)
    _count: int = 0
    _pieces: list[list[tuple[int, int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pieces = [[] for _ in range(self.spools.parts)]
        self._empty()

    def add(self, hashes: array[int], others: array[int] | None = None) -> None:
        """Take hashes, and what goes with each."""
        last = self.spools.parts - 1
        if others is not None:
            put = [each.extend for each in self._held]
            for pair in zip(hashes, others, strict=True):
                put[pair[0] & last](pair)
        elif not last:
            self._held[0].extend(hashes)
        else:
            append = [each.append for each in self._held]
            for each in hashes:
                append[each & last](each)
        self.size += len(hashes)
        self._count += len(hashes)
        if self._count >= _IN_MEMORY:
            self._write()

    def part(self, number: int) -> array[int]:
        """The hashes of one part; of pairs each hash and what goes with it, in turn."""
        found = array("q")
        for start, size in self._pieces[number]:
            found.frombytes(self.spools.read(start, size))
        found.extend(self._held[number])
        return found

    def _write(self) -> None:
        start = self.spools.write(b"".join([each.tobytes() for each in self._held]))
        for pieces, each in zip(self._pieces, self._held, strict=True):
            size = len(each) * _SIZE
            if size:
                pieces.append((start, size))
            start += size
        self._empty()

    def _empty(self) -> None:
        self._held = [array("q") for _ in range(self.spools.parts)]
        self._count = 0
