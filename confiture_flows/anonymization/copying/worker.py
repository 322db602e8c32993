"""The process that copies chunks: `python -m confiture_flows.anonymization.copying.worker`.

Its arguments are the numbers of two files: the connection to the process that has started it, over
which the secret comes too, and a pipe that ends when that process does.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from contextlib import closing
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.transfer import Transfer, TransferProgress
from confiture_flows.errors import ConfitureFlowsError

if TYPE_CHECKING:
    from confiture_flows.anonymization.copying.values import CopyAccess

_GARBAGE_OBJECTS = 100_000


class _Told(TransferProgress):
    """Sends progress to the parent."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def calling(self, column: str, count: int) -> None:
        self._parent.send(("calling", column, count))

    def moved(self, rows: int) -> None:
        self._parent.send(("moved", rows))

    def writing(self, statement: bytes) -> None:
        self._parent.send(("writing", statement))

    def rows(self, data: bytes) -> None:
        self._parent.send(("rows", data))


def serve(parent: Connection) -> None:
    """Copy chunks as they are asked for, until nobody asks any more."""
    try:
        access: CopyAccess = parent.recv()
    except EOFError:
        return
    transfer = Transfer(access, _Told(parent))
    with closing(transfer):
        while True:
            try:
                chunk = parent.recv()
            except EOFError:
                return
            try:
                parent.send(("done", transfer.copy(chunk)))
            except ConfitureFlowsError as error:
                parent.send(("failed", error))


def _end_with_parent(life: int) -> None:
    os.read(life, 1)
    os._exit(0)


def main() -> None:
    """Serve the process that has started this one."""
    # Ctrl-C reaches the whole group of processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection, life = map(int, sys.argv[1:])
    # What is imported stays; batches make many objects and no cycles.
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS, 20, 100)
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    with Connection(connection) as parent:
        serve(parent)


if __name__ == "__main__":
    main()
