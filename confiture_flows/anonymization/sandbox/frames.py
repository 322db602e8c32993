"""What goes through the pipes: length, kind, body. Pure but for the two functions that move bytes.

The length is that of kind and body, four bytes, big-endian. Nothing here is pickled, and nothing
that comes from a worker is believed: process.py checks the kind, the size and what is in it.
"""

from __future__ import annotations

import os
import struct
from enum import IntEnum

FRAME_BYTES = 64 << 20
# Of anything but values: a description, a refusal.
NOTE_BYTES = 64 << 10
_HEAD = struct.Struct(">IB")
HEAD_BYTES = _HEAD.size


class Kind(IntEnum):
    """What a frame is."""

    # To the worker.
    LOAD = 1  # JSON: the sources of a module, and which strategy of it
    OPEN = 2  # JSON: a configuration, a column, a key
    BATCH = 3  # values, and those of further columns
    # From the worker.
    STANDING = 16  # JSON: the walls
    DESCRIBED = 17  # JSON: what the strategy declares
    OPENED = 18  # JSON: what it says once it is configured
    RESULTS = 19  # values
    UNFIT = 20  # nothing: a value of the batch cannot be anonymized
    MISFIT = 21  # JSON: a message; the configuration does not fit the column
    REFUSED = 22  # JSON: a message; no strategy, or it fails before it has seen a value
    FAILED = 23  # JSON: kind of exception, file, line; never its text, which may hold a value


def frame(kind: Kind, body: bytes = b"") -> bytes:
    """The bytes of a frame."""
    return _HEAD.pack(len(body) + 1, kind) + body


def head(data: bytes | bytearray) -> tuple[int, int]:
    """The length of a frame's body, and its kind as it came."""
    length, kind = _HEAD.unpack_from(data)
    return length - 1, kind


def read_exactly(descriptor: int, count: int) -> bytes:
    """Bytes from a pipe, however long it takes.

    Raises:
        EOFError: The other end is closed.
    """
    parts: list[bytes] = []
    while count:
        part = os.read(descriptor, min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def write_all(descriptor: int, data: bytes) -> None:
    """Bytes to a pipe, however long it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
