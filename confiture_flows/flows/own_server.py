"""The server that Prefect starts where none is named, kept out of the reach of Ctrl-C.

A terminal sends Ctrl-C to every process of its foreground group. Prefect starts its server as one
of them: it ends at once, and the run, which has to tell it how it ended, waits a minute for it.
"""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_SERVER_EPHEMERAL_ENABLED,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
)

# Prefect's own 20 s are too few for a first start, which makes a database, on a busy machine.
_PATIENCE = 60


def needs_own_server() -> bool:
    """Whether Prefect would start a server for this process, and has not yet."""
    if PREFECT_API_URL.value() or not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        return False
    from prefect.server.api.server import SubprocessASGIServer

    return not SubprocessASGIServer().running


def start_own_server() -> None:
    """Start it, as Prefect would; it ends with this process.

    Raises:
        RuntimeError: It does not answer in time.
    """
    with out_of_reach() as pool:
        pool.submit(_start).result()


def out_of_reach() -> ThreadPoolExecutor:
    """A thread whose child processes Ctrl-C does not reach.

    A process inherits the signal mask of the thread that starts it; ours goes on hearing Ctrl-C.
    """
    return ThreadPoolExecutor(1, initializer=_hold_interrupts)


def _hold_interrupts() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _start() -> None:
    from prefect.server.api.server import SubprocessASGIServer

    wanted = PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value()
    SubprocessASGIServer().start(timeout=max(_PATIENCE, wanted))
