"""A connection is opened in one place, says who it is, and ends its query when it is left."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from confiture_flows.errors import TargetError, TargetUnreachableError
from confiture_flows.target import Target, connect
from tests.support import eventually

from .conftest import Role


def test_connection_names_its_purpose(target: Target) -> None:
    with connect(target, "looking") as conn:
        row = conn.execute("SELECT current_setting('application_name')").fetchone()
    assert row == ("confiture-flows looking",)


def test_connection_is_in_autocommit_and_closed_afterwards(target: Target) -> None:
    with connect(target, "test") as conn:
        assert conn.autocommit
    assert conn.closed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dbname": "nowhere_to_be_found"}, 'database "nowhere_to_be_found" does not exist'),
        ({"user": "nobody_of_that_name"}, "nobody_of_that_name"),
    ],
)
def test_refusal_of_the_server_is_told(target: Target, change: dict[str, str], said: str) -> None:
    wrong = replace(target, dsn=make_conninfo(target.dsn, **change))

    with pytest.raises(TargetError, match=said) as caught, connect(wrong, "test"):
        pytest.fail("connected")

    assert type(caught.value) is TargetError
    assert caught.value.exit_code == 3
    assert not caught.value.retryable


def test_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    target = Target("gone", f"postgresql://ann:opensesame@127.0.0.1:{port}/shop")

    said = f"127.0.0.1:{port}"
    with pytest.raises(TargetUnreachableError, match=said) as caught, connect(target, "test"):
        pytest.fail("connected")

    assert caught.value.retryable
    assert "opensesame" not in str(caught.value.__dict__)


def test_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        target = Target("mute", f"host=127.0.0.1 port={port} connect_timeout=2")
        started = time.monotonic()

        with pytest.raises(TargetUnreachableError), connect(target, "test"):
            pytest.fail("connected")

    assert time.monotonic() - started < 30


def test_role_that_may_not_connect_is_refused(
    target: Target, conn: psycopg.Connection, new_role: Callable[[], Role]
) -> None:
    conn.execute(f'REVOKE CONNECT ON DATABASE "{conn.info.dbname}" FROM PUBLIC'.encode())

    limited = replace(target, dsn=new_role().dsn)

    with pytest.raises(TargetError, match="permission denied"), connect(limited, "test"):
        pytest.fail("connected")


def test_query_that_is_left_by_an_error_ends_on_the_server(
    target: Target, sessions: Callable[[], list[str]]
) -> None:
    class Stop(Exception):
        pass

    def leave(conn: psycopg.Connection) -> None:
        conn.pgconn.send_query(b"SELECT pg_sleep(60)")
        eventually(sessions, bool)
        raise Stop

    with pytest.raises(Stop), connect(target, "test") as conn:
        leave(conn)

    assert eventually(sessions, lambda running: not running) == []


def test_broken_connection_is_told_as_such(target: Target, conn: psycopg.Connection) -> None:
    def use(victim: psycopg.Connection) -> None:
        conn.execute("SELECT pg_terminate_backend(%s)", (victim.info.backend_pid,))
        victim.execute("SELECT 1")

    with (
        pytest.raises(TargetUnreachableError, match="broke") as caught,
        connect(target, "test") as victim,
    ):
        use(victim)

    assert caught.value.retryable


def test_connection_that_breaks_in_mid_query_is_told_as_such(
    target: Target, conn: psycopg.Connection, sessions: Callable[[], list[str]]
) -> None:
    def terminate() -> None:
        eventually(sessions, bool)
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'confiture-flows test'"
        )

    killer = threading.Thread(target=terminate)
    killer.start()
    with pytest.raises(TargetUnreachableError, match="broke"), connect(target, "test") as victim:
        victim.execute("SELECT pg_sleep(30)")
    killer.join()
