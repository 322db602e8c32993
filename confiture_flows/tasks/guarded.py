"""A connection for a task: with the target's limits, and ended when its run ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from confiture_flows.migrations.session import reset_session, session_reset
from confiture_flows.target import connect
from confiture_flows.tasks._guard import Guard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.target import Target


@contextmanager
def connect_guarded(target: Target, purpose: str) -> Iterator[tuple[Connection, Guard]]:
    """Open a connection inside a task run.

    Args:
        target: The database.
        purpose: What the session is for; part of its application_name.

    Raises:
        RunCancelledError: Somebody cancelled the run meanwhile.
        RunTimeoutError: The task's timeout_seconds are over.
        TargetError: The target does not answer, or refuses.
    """
    with connect(target, purpose) as conn, Guard(conn) as guard:
        reset_session(conn, session_reset(conn, target.limits))
        yield conn, guard
