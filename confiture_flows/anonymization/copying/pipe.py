"""Two connections -> COPY's bytes from one to the other, many rows a call.

psycopg waits and answers row by row; read by libpq's own function and written by the 64 KB, the
same bytes cost half the processor. Both connections are in no other use meanwhile.
"""

from __future__ import annotations

import select
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from psycopg import errors
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection
    from psycopg.abc import Buffer
    from psycopg.pq.abc import PGconn, PGresult

WRITE_SIZE = 1 << 16
_TOLD_ROWS = 10_000


class CopyReader:
    """A COPY TO STDOUT that is under way: iterate over it for its rows, many at once.

    Attributes:
        rows: How many the server has sent, when it is over.
    """

    def __init__(self, conn: Connection, statement: bytes, size: int) -> None:
        """Begin it.

        Args:
            conn: In a transaction.
            statement: The COPY.
            size: Bytes after which rows are handed over.

        Raises:
            psycopg.Error: The server refuses it.
        """
        self._pgconn, self._size = conn.pgconn, size
        self.rows = 0
        _started(self._pgconn, statement, ExecStatus.COPY_OUT)

    def __iter__(self) -> Iterator[list[Buffer]]:
        get, size = self._pgconn.get_copy_data, self._size
        wait = _waiting(self._pgconn.socket, select.POLLIN)
        rows: list[Buffer] = []
        add, gathered = rows.append, 0
        while True:
            length, data = get(1)
            if length > 0:
                add(data)
                gathered += length
                if gathered >= size:
                    yield rows
                    rows = []
                    add, gathered = rows.append, 0
            elif length == 0:
                wait()
                self._pgconn.consume_input()
            else:
                break
        if rows:
            yield rows
        (result,) = _results(self._pgconn)
        self.rows = result.command_tuples or 0


class Writer(Protocol):
    """Where rows go."""

    size: int

    def write(self, data: bytes) -> None:
        """Take rows."""
        ...


class CopyWriter:
    """A COPY FROM STDIN that is under way; `end` makes it true."""

    def __init__(self, conn: Connection, statement: bytes) -> None:
        """Begin it.

        Raises:
            psycopg.Error: The server refuses it.
        """
        self._pgconn = conn.pgconn
        self.size = 0
        _started(self._pgconn, statement, ExecStatus.COPY_IN)
        self._wait = _waiting(self._pgconn.socket, select.POLLOUT)
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    def write(self, data: bytes) -> None:
        """Send rows; large ones in pieces, so that libpq's buffer stays small."""
        self.size += len(data)
        if len(data) <= WRITE_SIZE:
            self._put(data)
            return
        with memoryview(data) as view:
            for start in range(0, len(view), WRITE_SIZE):
                self._put(view[start : start + WRITE_SIZE])

    def end(self) -> int:
        """End it.

        Returns:
            How many rows the server has taken.

        Raises:
            psycopg.Error: It has refused one.
        """
        self._pgconn.put_copy_end()
        self._flush()
        (result,) = _results(self._pgconn)
        return result.command_tuples or 0

    def abandon(self) -> None:
        """Let the server throw the rows away."""
        self._pgconn.put_copy_end(b"given up")
        self._flush()
        with suppress(errors.Error):
            _results(self._pgconn)

    def _put(self, data: Buffer) -> None:
        while self._pgconn.put_copy_data(data) == 0:
            self._wait()
        self._flush()

    def _flush(self) -> None:
        while self._pgconn.flush():
            # A server that has refused a row still reads, but what it says has to be read too.
            if self._poll.poll(0):
                self._pgconn.consume_input()
            self._wait()


def pipe(reader: CopyReader, writer: Writer, moved: Callable[[int], None]) -> None:
    """Copy bytes as they are.

    Args:
        reader: Where they are read.
        writer: Takes the same format.
        moved: Told now and then how many rows more were read.
    """
    rows = 0
    for batch in reader:
        writer.write(b"".join(batch))
        rows += len(batch)
        if rows >= _TOLD_ROWS:
            moved(rows)
            rows = 0
    moved(rows)


def _started(pgconn: PGconn, statement: bytes, expected: ExecStatus) -> None:
    result = pgconn.exec_(statement)
    if result.status != expected:
        raise errors.error_from_result(result)


def _results(pgconn: PGconn) -> list[PGresult]:
    """What the server says at the end."""
    wait = _waiting(pgconn.socket, select.POLLIN)
    found: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            wait()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return found
        if result.status != ExecStatus.COMMAND_OK:
            while pgconn.get_result() is not None:
                pass
            raise errors.error_from_result(result)
        found.append(result)


def _waiting(socket: int, event: int) -> Callable[[], object]:
    poll = select.poll()
    poll.register(socket, event)
    return poll.poll
