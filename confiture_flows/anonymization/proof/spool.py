"""Hashes as they come -> the same part by part, so that few are in memory as objects at a time.

All spools of a proof are parted alike, so that equal hashes meet in the same part. Each process
writes a file of its own, and reads those of all: they have no names, and the same numbers in every
process. A file holds pieces of some ten thousand hashes, each with the places of its parts before
them, so that what is in memory does not grow with the rows.
"""

from __future__ import annotations

import os
import sys
import tempfile
from array import array
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Sets of so many fit the caches of a processor: they are filled and asked in a third of the time.
_PART = 1 << 15
_PARTS_MOST = 1 << 14
_IN_MEMORY = 1 << 15
# Shorter parts of a piece cost more calls than they hold hashes.
_A_PART = 16
_SIZE = 8
_BYTE = 256


@dataclass(slots=True)
class Spool:
    """Where hashes are, or pairs of a hash and what goes with it. It pickles.

    Attributes:
        parts: Into how many it is cut: a power of two.
        size: How many hashes it holds.
        pieces: The number of the file and the place in it.
    """

    parts: int
    size: int = 0
    pieces: list[tuple[int, int]] = field(default_factory=list)

    def extend(self, other: Spool) -> None:
        """Hold what another holds as well."""
        self.size += other.size
        self.pieces += other.pieces

    def part(self, number: int) -> array[int]:
        """The hashes of one part; of pairs each hash and what goes with it, in turn."""
        found = array("q")
        for file, start in self.pieces:
            places = array("Q", _read(file, start + number * _SIZE, 2 * _SIZE))
            if places[1] > places[0]:
                found.frombytes(_read(file, places[0], places[1] - places[0]))
        return found


@dataclass
class SpoolFile:
    """A file that one process, or one thread, writes.

    Attributes:
        number: Of the open file.
        parts: Into how many its spools are cut.
    """

    number: int
    parts: int
    _end: int = 0

    def write(self, hashes: list[list[int]]) -> int:
        """Write a piece, part by part, and return where it is."""
        parts = [array("q", each) for each in hashes]
        start = self._end
        place = start + (len(parts) + 1) * _SIZE
        places = array("Q", [place])
        for each in parts:
            place += len(each) * _SIZE
            places.append(place)
        data = b"".join([places, *parts])
        done = 0
        while done < len(data):
            done += os.pwrite(self.number, data[done:], start + done)
        self._end = place
        return start


class SpoolWriter:
    """Fills a spool."""

    def __init__(self, file: SpoolFile) -> None:
        self._file, self._spool = file, Spool(file.parts)
        self._most = max(_IN_MEMORY, file.parts * _A_PART)
        # Single bytes as they come, where those tell parts: half the time of a number's bits.
        self._repeat = max(1, _BYTE // file.parts)
        self._held: list[list[int]] = []
        self._empty()

    def add(self, hashes: array[int], others: array[int] | None = None) -> None:
        """Take hashes, and what goes with each."""
        last = self._file.parts - 1
        if others is not None:
            put = [each.extend for each in self._held]
            for pair in zip(hashes, others, strict=True):
                put[pair[0] & last](pair)
        elif not last:
            self._held[0].extend(hashes)
        else:
            append = [each.append for each in self._held] * self._repeat
            for low, each in zip(self._low_bits(hashes), hashes.tolist(), strict=True):
                append[low](each)
        self._count += len(hashes)
        if self._count >= self._most:
            self._write()

    def end(self) -> Spool:
        """Write what is held."""
        if self._count:
            self._write()
        return self._spool

    def _low_bits(self, hashes: array[int]) -> Iterable[int]:
        """Of each the number of its part, or a byte that ends with it."""
        data = hashes.tobytes()
        if self._file.parts <= _BYTE:
            return data[0 if sys.byteorder == "little" else _SIZE - 1 :: _SIZE]
        last = self._file.parts - 1
        low = array("H", data)[0 if sys.byteorder == "little" else 3 :: 4]
        return [each & last for each in low]

    def _write(self) -> None:
        self._spool.size += self._count
        self._spool.pieces.append((self._file.number, self._file.write(self._held)))
        self._empty()

    def _empty(self) -> None:
        self._held = [[] for _ in range(self._file.parts)]
        self._count = 0


@contextmanager
def open_files(count: int, most: int) -> Iterator[list[SpoolFile]]:
    """Hold files for the block.

    Args:
        count: How many.
        most: How many hashes a spool gets at the most; more are no mistake, but need more memory.
    """
    parts = 1
    while parts * _PART < most and parts < _PARTS_MOST:
        parts *= 2
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
        yield [SpoolFile(each.fileno(), parts) for each in files]


def _read(file: int, start: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        some = os.pread(file, size - len(found), start + len(found))
        if not some:
            raise OSError("A file of the proof is shorter than what was written.")
        found += some
    return found
