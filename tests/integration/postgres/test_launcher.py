"""A server over each folder of binaries: it answers, is private, and leaves nothing behind."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres import start_server

from .conftest import Footprint


def folder_of(dsn: str) -> Path:
    return Path(str(conninfo_to_dict(dsn)["host"]))


def test_server_answers_and_leaves_nothing(bin_dir: Path) -> None:
    with start_server(bin_dir) as server:
        footprint = Footprint(folder_of(server.dsn))
        with psycopg.connect(server.dsn) as connection:
            number = connection.info.server_version
            row = connection.execute(
                "SELECT current_user, current_database(), pg_encoding_to_char(encoding),"
                " datcollate, current_setting('fsync'), current_setting('listen_addresses')"
                " FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        assert footprint.server_runs()

    assert server.version == (number // 10_000, number % 10_000)
    assert row == ("postgres", "postgres", "UTF8", "C", "on", "")
    assert not footprint.remains()


def test_psql_of_the_same_folder_connects(bin_dir: Path) -> None:
    with start_server(bin_dir) as server:
        assert server.bin_dir == bin_dir
        done = subprocess.run(
            [bin_dir / "psql", server.dsn, "-XAtc", "SELECT 40 + 2"], capture_output=True, text=True
        )
    assert (done.stdout.strip(), done.stderr) == ("42", "")


def test_settings_reach_the_server(any_bin_dir: Path) -> None:
    with (
        start_server(any_bin_dir, settings={"fsync": "off", "my.word": "a 'b' c"}) as server,
        psycopg.connect(server.dsn) as connection,
    ):
        row = connection.execute("SELECT current_setting('fsync'), current_setting('my.word')")
        assert row.fetchone() == ("off", "a 'b' c")


def test_environment_of_the_caller_does_not_reach_the_server(
    any_bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with start_server(any_bin_dir) as server, psycopg.connect(server.dsn) as connection:
        row = connection.execute("SELECT current_setting('timezone'), current_setting('port')")
        assert row.fetchone() == ("UTC", "5432")


def test_folder_is_closed_to_other_users(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir) as server:
        assert stat.S_IMODE(folder_of(server.dsn).stat().st_mode) == 0o700


def test_tcp_wants_the_password_of_its_dsn(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir, tcp=True) as server:
        with psycopg.connect(server.dsn) as connection:
            row = connection.execute(
                "SELECT host(inet_server_addr()), current_setting('listen_addresses')"
            ).fetchone()
        parts = conninfo_to_dict(server.dsn)
        assert str(parts["password"]) not in repr(server)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.dsn, password="wrong")
    assert row == ("127.0.0.1", "127.0.0.1")


def test_a_temporary_folder_with_a_long_or_odd_name_is_no_obstacle(
    any_bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / ("long, 'odd' " + "x" * 100)
    odd.mkdir()
    monkeypatch.setenv("TMPDIR", str(odd))
    with start_server(any_bin_dir) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert list(odd.iterdir()) == []


def test_failed_start_says_the_servers_last_words(any_bin_dir: Path) -> None:
    with (
        pytest.raises(EmbeddedServerError, match='invalid value for parameter "work_mem"'),
        start_server(any_bin_dir, settings={"work_mem": "plenty"}),
    ):
        pass


def test_where_the_server_listens_is_not_a_setting(any_bin_dir: Path) -> None:
    with (
        pytest.raises(EmbeddedServerError, match="sets listen_addresses, port"),
        start_server(any_bin_dir, settings={"Port": "1", "listen_addresses": "*"}),
    ):
        pass


def test_error_in_the_block_ends_the_server_and_goes_on(any_bin_dir: Path) -> None:
    footprint = None
    with pytest.raises(ZeroDivisionError), start_server(any_bin_dir) as server:  # noqa: PT012
        footprint = Footprint(folder_of(server.dsn))
        raise ZeroDivisionError
    assert footprint is not None
    assert not footprint.remains()


def test_two_servers_at_once_do_not_meet(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir) as one, start_server(any_bin_dir) as other:
        with psycopg.connect(one.dsn, autocommit=True) as connection:
            connection.execute("CREATE DATABASE only_here")
        with psycopg.connect(other.dsn) as connection:
            row = connection.execute("SELECT count(*) FROM pg_database").fetchone()
    assert row == (3,)


def test_nothing_is_printed(any_bin_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with start_server(any_bin_dir) as server, psycopg.connect(server.dsn) as connection:
        connection.execute("DO $$ BEGIN RAISE WARNING 'in the log' ; END $$")
    assert capfd.readouterr() == ("", "")


def test_server_ends_with_open_connections(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir) as server:
        footprint = Footprint(folder_of(server.dsn))
        connection = psycopg.connect(server.dsn)
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000)")
    assert not footprint.remains()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the user")
def test_as_root_the_server_runs_as_somebody_else(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir) as server:
        footprint = Footprint(folder_of(server.dsn))
        shown = subprocess.run(
            ["ps", "-o", "uid=,group=,supgrp=", "-p", str(footprint.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    assert shown[0] != "0"
    assert "root" not in shown
