"""A connection that ends without a word: nothing half done is repeated, or called rolled back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows._connection import Connection
from confiture_flows.errors import (
    PartialApplyError,
    ResumableApplyError,
    TargetUnreachableError,
)
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target, connect
from tests.support import eventually

from .conftest import Engine


class Line:
    """A line to the server that can be cut in the middle of a query."""

    def __init__(self, dsn: str) -> None:
        where = conninfo_to_dict(dsn)
        host, port = str(where["host"]), int(where.get("port") or 5432)
        self._open: list[socket.socket] = []
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = make_conninfo(
            dsn, host="127.0.0.1", port=self._listener.getsockname()[1], sslmode="disable"
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for each in self._open:
            each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def close(self) -> None:
        with suppress(OSError):  # closed already
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = self._connect()
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_carry, args=(source, sink), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._server
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{host}/.s.PGSQL.{port}")
        return far


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        return


@pytest.fixture
def line(dsn: str) -> Iterator[Line]:
    made = Line(dsn)
    yield made
    made.cut()
    made.close()


def apply_and_cut(line: Line, directory: Path, conn: psycopg.Connection, at: str) -> None:
    """Apply, and cut the line once a query with that text runs."""

    def cut() -> None:
        def running() -> int:
            row = conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE %s",
                (f"%{at}%",),
            ).fetchone()
            return row[0] if row else 0

        eventually(running, lambda count: count > 0)
        line.cut()

    helper = threading.Thread(target=cut)
    helper.start()
    target = Target(name="test", dsn=line.dsn)
    plan = plan_forward(discover(directory, as_written=True).migrations, ())
    try:
        with connect(target, "test") as own:
            apply_plan(own, plan, limits=target.limits)
    finally:
        helper.join()


def patient(engine: Engine) -> Engine:
    """An orphan ends once it notices that nobody is there, and the run's lock with it."""
    limits = replace(engine.target.limits, lock_patience=10)
    return replace(engine, target=replace(engine.target, limits=limits))


def test_single_transaction_may_be_tried_again(
    line: Line, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write({"0001_a.up.sql": "CREATE TABLE a (id int);\nSELECT pg_sleep(7);"})
    with pytest.raises(TargetUnreachableError) as caught:
        apply_and_cut(line, directory, conn, "pg_sleep(7)")
    assert caught.value.retryable
    assert caught.value.version == "0001"


def test_script_of_several_transactions_goes_on_where_it_was_cut(
    line: Line, write: Callable[..., Path], conn: psycopg.Connection, engine: Engine
) -> None:
    sql = "BEGIN; CREATE TABLE a (id int); COMMIT;\nBEGIN; SELECT pg_sleep({}); COMMIT;"
    with pytest.raises(ResumableApplyError, match="connection broke") as caught:
        apply_and_cut(line, write({"0001_a.up.sql": sql.format(7)}), conn, "pg_sleep(7)")
    assert caught.value.retryable
    assert conn.execute("SELECT to_regclass('a')::text").fetchone() == ("a",)

    patient(engine).migrate(write({"0001_a.up.sql": sql.format(0)}), as_written=True)

    assert engine.versions() == ["0001"]


def test_block_that_commits_by_itself_and_was_cut_is_not_tried_again(
    line: Line, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    sql = "DO $$ BEGIN CREATE TABLE a (id int); COMMIT; PERFORM pg_sleep(7); END $$;"
    with pytest.raises(PartialApplyError, match="connection broke") as caught:
        apply_and_cut(line, write({"0001_a.up.sql": sql}), conn, "pg_sleep(7)")
    assert not caught.value.retryable
    assert "confiture-flows resolve 0001 --not-applied" in (caught.value.next_step or "")
    assert conn.execute("SELECT to_regclass('a')::text").fetchone() == ("a",)


def test_concurrent_index_build_that_was_cut_is_built_anew(
    line: Line, write: Callable[..., Path], conn: psycopg.Connection, dsn: str, engine: Engine
) -> None:
    conn.execute("CREATE TABLE a (id int)")
    sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id);"
    directory = write({"0001_i.up.sql": sql})
    with psycopg.connect(dsn) as holder:
        holder.execute("INSERT INTO a VALUES (1)")  # the build waits for this transaction
        with pytest.raises(ResumableApplyError) as caught:
            apply_and_cut(line, directory, conn, "a_id ON a")
    assert caught.value.retryable

    patient(engine).migrate(directory)

    assert conn.execute(
        "SELECT array_agg(indisvalid) FROM pg_index WHERE indrelid = 'a'::regclass"
    ).fetchone() == ([True],)


def test_interrupt_is_not_hidden_by_a_server_that_takes_no_cancel(
    target: Target, line: Line
) -> None:
    def interrupt() -> None:
        line.close()
        raise KeyboardInterrupt

    def query() -> None:
        with connect(replace(target, dsn=line.dsn), "test") as conn:
            assert isinstance(conn, Connection)
            conn.on_silence = interrupt
            conn.execute("SELECT pg_sleep(5)")

    with pytest.raises(KeyboardInterrupt):
        query()
