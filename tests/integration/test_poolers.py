"""Behind a real pgbouncer: sessions are fine, their lack is recognised and refused."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.config import Limits
from confiture_flows.errors import ApplyError, TargetError
from confiture_flows.postgres import provide_server
from confiture_flows.target import Target

from .conftest import Engine

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")
ONE = {"0001_users.up.sql": "CREATE TABLE users (id int);"}


@pytest.fixture(scope="module")
def tcp_dsn() -> Iterator[str]:
    """A server that listens where pgbouncer, as another user, may connect."""
    with provide_server(tcp=True, settings={"fsync": "off"}) as server:
        yield server.dsn


@contextmanager
def running_pgbouncer(dsn: str, database: str, mode: str, size: int, more: str) -> Iterator[str]:
    """Yield the DSN of a database behind pgbouncer."""
    server = conninfo_to_dict(dsn)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.chmod(folder, 0o755)
        ini = Path(folder) / "pgbouncer.ini"
        ini.write_text(
            f"[databases]\n{database} = host={server['host']} port={server['port']}"
            f" user={server['user']} password={server['password']}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n"
            f"ignore_startup_parameters = extra_float_digits,options\n{more}\n"
        )
        # It refuses to run as root.
        user = ("-u", "nobody") if os.getuid() == 0 else ()
        # Into a file: a pipe that nobody reads is full after some hundred connections.
        log = stack.enter_context((Path(folder) / "log").open("wb"))
        process = subprocess.Popen([PGBOUNCER or "", *user, ini], stdout=log, stderr=log)
        stack.callback(process.wait)
        stack.callback(process.kill)
        through = make_conninfo(
            host="127.0.0.1", port=port, dbname=database, user=server["user"], password="any"
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(through, connect_timeout=2).close()
                break
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.1)
        yield through


@pytest.fixture
def behind(tcp_dsn: str) -> Iterator[Callable[..., str]]:
    """Put a new database behind a pgbouncer of a mode."""
    name = f"pooled_{time.monotonic_ns()}"
    with psycopg.connect(tcp_dsn, autocommit=True) as admin, ExitStack() as stack:
        admin.execute(f"CREATE DATABASE {name}".encode())

        def start(mode: str, size: int = 5, more: str = "") -> str:
            return stack.enter_context(running_pgbouncer(tcp_dsn, name, mode, size, more))

        yield start
        stack.close()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def engine_at(dsn: str) -> Engine:
    limits = Limits(lock_timeout_ms=100, lock_patience=2, busy_patience=2)
    return Engine(Target(name="pooled", dsn=dsn, limits=limits))


@contextmanager
def other_clients(dsn: str, number: int) -> Iterator[None]:
    """Clients of an application that use the pool all the time."""
    over = threading.Event()

    def use() -> None:
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as own:
            while not over.is_set():
                own.execute("SELECT 1")
                time.sleep(0.001)

    threads = [threading.Thread(target=use) for _ in range(number)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def assert_refused(engine: Engine, directory: Path, match: str) -> None:
    with pytest.raises(TargetError, match=match) as caught:
        engine.migrate(directory)
    assert caught.value.exit_code == 3
    assert not caught.value.retryable
    assert "PostgreSQL itself" in (caught.value.next_step or "")


@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("more", ["", "server_round_robin = 1"])
def test_transaction_mode_is_refused_when_nobody_else_is_there(
    behind: Callable[..., str], write: Callable[..., Path], size: int, more: str
) -> None:
    """The same backend keeps coming back then."""
    engine = engine_at(behind("transaction", size, more))
    assert_refused(engine, write(ONE), "transaction mode")
    assert engine.versions() == []


MODE_OR_LOCK = "transaction mode|advisory lock"


@pytest.mark.parametrize("clients", [1, 3, 10])
def test_transaction_mode_is_refused_among_other_clients(
    behind: Callable[..., str], write: Callable[..., Path], clients: int
) -> None:
    """It goes unseen only where chance gives one run one backend all along, and then the lock
    is seen to be gone: nothing is applied without it.
    """
    engine = engine_at(behind("transaction"))
    refused = 0
    with other_clients(engine.target.dsn, clients):
        for _ in range(5):
            with pytest.raises((TargetError, ApplyError), match=MODE_OR_LOCK) as caught:
                engine.migrate(write(ONE))
            refused += isinstance(caught.value, TargetError)
    assert refused
    assert engine.versions() == []


def test_statement_mode_is_refused(behind: Callable[..., str], write: Callable[..., Path]) -> None:
    assert_refused(engine_at(behind("statement")), write(ONE), "statement mode")


@pytest.mark.parametrize("clients", [0, 3])
def test_session_mode_works(
    behind: Callable[..., str], write: Callable[..., Path], clients: int
) -> None:
    dsn = behind("session", 10)
    with other_clients(dsn, clients):
        engine = engine_at(dsn)
        engine.migrate(write(ONE))
        assert engine.versions() == ["0001"]


def test_session_mode_with_one_connection_works(
    behind: Callable[..., str], write: Callable[..., Path]
) -> None:
    """There is none left for a second look."""
    engine = engine_at(behind("session", 1))
    started = time.monotonic()
    engine.migrate(write(ONE))
    assert engine.versions() == ["0001"]
    assert time.monotonic() - started < 60
