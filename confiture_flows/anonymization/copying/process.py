"""A process of ours that works for this one: it ends with it, whatever happens to either.

It is started afresh, by the name of a module that calls `serve`; what is said goes over a pair of
sockets, a secret too, so that neither arguments nor environment hold it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_GARBAGE_OBJECTS = 100_000


class WorkerProcess:
    """One process.

    Attributes:
        conn: What is said to it, and by it.
        pid: Its number.
    """

    def __init__(self, module: str, files: Sequence[int] = ()) -> None:
        """Start it.

        Args:
            module: What it runs.
            files: Open files that it gets by the same numbers.
        """
        ours, theirs = socket.socketpair()
        life, self._life = os.pipe()
        # It has to find the same modules, strategies of the working directory among them.
        paths = [path or os.getcwd() for path in sys.path]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(life)],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), life, *files),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        os.close(life)
        self.conn = Connection(ours.detach())
        self.pid = self._process.pid

    def end(self) -> None:
        """End the process, whatever it does; may be called again."""
        self._process.kill()
        self._process.wait()
        self.conn.close()
        life, self._life = self._life, -1
        if life >= 0:
            os.close(life)

    def how_it_ended(self) -> str:
        """How it ended by itself, in words that follow "has ended"."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        return f"by {signal.Signals(-code).name}" if code and code < 0 else f"with exit code {code}"


def serve(work: Callable[[Connection], None]) -> None:
    """Be such a process.

    Args:
        work: Called with the connection to the process that has started this one; the end of that
            process ends this one at any moment.
    """
    # Ctrl-C reaches the whole group of processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection, life = map(int, sys.argv[1:])
    # What is imported stays; batches make many objects and no cycles.
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS, 20, 100)
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    with Connection(connection) as parent:
        work(parent)


def _end_with_parent(life: int) -> None:
    os.read(life, 1)
    os._exit(0)
