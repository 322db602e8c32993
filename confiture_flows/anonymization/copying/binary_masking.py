"""Rows of COPY in binary -> the same with columns of text masked, which come first in each. Pure.

The servers spend a third less on binary rows than on text: what nobody looks at stays as it is
behind the masked columns. Of a row only their lengths are read.
"""

from __future__ import annotations

import struct
from itertools import chain, repeat
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.masking import masked_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from psycopg.abc import Buffer

    from confiture_flows.anonymization.copying.masking import ColumnMask

# The types whose binary form is their text.
BINARY_TEXTS = ("text", "varchar", "bpchar", "citext")

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER = len(_SIGNATURE) + 8
_TRAILER = b"\xff\xff"
_LENGTH = struct.Struct(">i")
_COUNT = struct.Struct(">h")
_SIZE = 4
_NULL = _LENGTH.pack(-1)


class BinaryBatchMask:
    """Masks the first columns of rows as they come from `CopyReader`, a message each."""

    def __init__(
        self,
        masks: Sequence[ColumnMask],
        *,
        others: int,
        extras: int = 0,
        calling: Callable[[str, int], None] = lambda _column, _count: None,
    ) -> None:
        """Prepare.

        Args:
            masks: One a masked column, in the order of the row.
            others: How many columns stay as they are; they come last.
            extras: How many columns come after the masked ones, and are dropped.
            calling: Told before a strategy is called: the column's name and how many values.
        """
        self._masks = tuple(masks)
        self._extras = extras
        self._head = _COUNT.pack(len(masks) + others)
        self._calling = calling

    def __call__(self, messages: Sequence[Buffer]) -> bytes:
        """Mask rows; the stream's header and trailer stay where they are."""
        data = b"".join(messages)
        sizes = list(map(len, messages))
        first, end = 0, len(data)
        if data.startswith(_SIGNATURE):  # within the first row's message
            first = _HEADER
            sizes[0] -= _HEADER
        if not sizes[0]:
            del sizes[0]
        if sizes and sizes[-1] == len(_TRAILER):  # a row is longer: it has a field
            end -= sizes.pop()
        if not sizes:
            return data
        columns, tails = self._parted(data, first, sizes)
        count = len(self._masks)
        texts = [_decoded(each) for each in columns]
        pieces: list[Iterable[bytes]] = [repeat(self._head, len(tails))]
        for mask, values in zip(self._masks, texts[:count], strict=True):
            self._calling(mask.strategy.column.name, len(values))
            pieces += _encoded(masked_values(mask, values, texts[count:]))
        masked = chain.from_iterable(zip(*pieces, tails, strict=True))
        return b"".join(chain((data[:first],), masked, (data[end:],)))

    def _parted(
        self, data: bytes, end: int, sizes: Iterable[int]
    ) -> tuple[list[list[str | None]], list[bytes]]:
        """The masked columns and the extras, a letter a byte, and what comes after in each row."""
        # Slices of text spare making text of bytes one by one; most of it is ASCII.
        letters = data.decode("latin-1")
        columns: list[list[str | None]] = [[] for _ in range(len(self._masks) + self._extras)]
        adds = [each.append for each in columns]
        tails: list[bytes] = []
        add_tail, length_at = tails.append, _LENGTH.unpack_from
        for size in sizes:
            place = end + _COUNT.size
            end += size
            for add in adds:
                (length,) = length_at(data, place)
                place += _SIZE
                if length < 0:
                    add(None)
                else:
                    add(letters[place : place + length])
                    place += length
            add_tail(data[place:end])
        return columns, tails


def _decoded(values: list[str | None]) -> list[str | None]:
    """Values whose letters are bytes so far."""
    if "".join(filter(None, values)).isascii():
        return values
    return [
        None if each is None else each.encode("latin-1").decode("utf-8", "surrogateescape")
        for each in values
    ]


def _encoded(values: Sequence[str | None]) -> tuple[Iterable[bytes], Iterable[bytes]]:
    """The lengths, and the values."""
    if None in values:
        data = [
            None if each is None else each.encode("utf-8", "surrogateescape") for each in values
        ]
        lengths = [_NULL if each is None else _LENGTH.pack(len(each)) for each in data]
        return lengths, [each or b"" for each in data]
    # No text holds a NUL, as the mask has seen to.
    text = "\0".join(values)  # pyright: ignore[reportArgumentType,reportCallIssue]
    found = text.encode("utf-8", "surrogateescape").split(b"\0")
    sizes = set(map(len, found))
    if len(sizes) == 1:
        return repeat(_LENGTH.pack(sizes.pop()), len(found)), found
    return map(_LENGTH.pack, map(len, found)), found
