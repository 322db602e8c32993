"""The process that copies chunks: `python -m confiture_flows.anonymization.copying.worker`.

Its arguments are the numbers of two files: the connection to the process that has started it, over
which the secret comes too, and a pipe that ends when that process does.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.process import serve
from confiture_flows.anonymization.copying.transfer import Transfer, TransferProgress
from confiture_flows.errors import ConfitureFlowsError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from confiture_flows.anonymization.copying.values import CopyAccess


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


def copy_chunks(parent: Connection) -> None:
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


if __name__ == "__main__":
    serve(copy_chunks)
