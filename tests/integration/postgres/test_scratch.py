"""Scratch databases come like their target, and are gone, also after kill -9."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from confiture_flows.postgres import Server
from confiture_flows.postgres.likeness import Likeness, Role, read_likeness
from confiture_flows.postgres.scratch import (
    PREFIX,
    ScratchUnavailable,
    drop_abandoned,
    scratch_database,
)
from tests.support import eventually

REPOSITORY = Path(__file__).parents[3]
HOLD = """
import sys, time
import psycopg
from confiture_flows.postgres.likeness import read_likeness
from confiture_flows.postgres.scratch import scratch_database
with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    likeness = read_likeness(conn)
with scratch_database(likeness, sys.argv[1]) as scratch, psycopg.connect(scratch.dsn) as conn:
    print(conn.info.dbname, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def likeness(conn: psycopg.Connection) -> Likeness:
    return read_likeness(conn)


@pytest.fixture
def own_server(likeness: Likeness) -> None:
    """Skips where this machine has no binaries of the server's version."""
    try:
        with scratch_database(likeness):
            pass
    except ScratchUnavailable as error:
        pytest.skip(error.reason)


def databases(conn: psycopg.Connection) -> set[str]:
    found = conn.execute(f"SELECT datname FROM pg_database WHERE datname ^@ '{PREFIX}'".encode())
    return {name for (name,) in found}


def test_named_server_gets_a_database_for_the_block(
    likeness: Likeness, server: Server, conn: psycopg.Connection
) -> None:
    before = databases(conn)
    with scratch_database(likeness, server.dsn) as scratch:
        assert not scratch.private
        assert len(databases(conn) - before) == 1
        with psycopg.connect(scratch.dsn) as there:
            assert {there.info.dbname} == databases(conn) - before
    assert databases(conn) == before


def test_settings_survive_reset_all(conn: psycopg.Connection, server: Server) -> None:
    conn.execute("SET search_path = 'Mixed, Case', public; SET timezone = 'Asia/Tokyo'")
    with (
        scratch_database(read_likeness(conn), server.dsn) as scratch,
        psycopg.connect(scratch.dsn) as there,
    ):
        there.execute("RESET ALL")
        row = there.execute("SELECT current_setting('search_path'), current_setting('timezone')")
        assert row.fetchone() == ('"Mixed, Case", public', "Asia/Tokyo")


@pytest.mark.usefixtures("own_server")
def test_own_server_has_the_name_the_roles_and_the_encoding(likeness: Likeness) -> None:
    group, member = Role("a group", "NOINHERIT", ()), Role("o'hara", "CREATEDB", ("a group",))
    wanted = replace(likeness, database='we"ird', roles=(group, member), encoding="LATIN1")
    with (
        scratch_database(wanted) as scratch,
        psycopg.connect(scratch.target("o'hara").dsn) as there,
    ):
        assert scratch.private
        row = there.execute(
            "SELECT current_database(), session_user, pg_has_role('a group', 'member'),"
            " current_setting('server_encoding'), current_setting('server_version_num')::int"
        ).fetchone()
        assert row is not None
        assert row[:4] == ('we"ird', "o'hara", True, "LATIN1")
        assert row[4] // 10_000 == likeness.major


@pytest.mark.usefixtures("own_server")
@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_own_server_takes_names_that_are_there_already(likeness: Likeness, name: str) -> None:
    with (
        scratch_database(replace(likeness, database=name)) as scratch,
        psycopg.connect(scratch.dsn) as there,
    ):
        assert there.execute("SELECT count(*) FROM pg_class WHERE oid >= 16384").fetchone() == (0,)


@pytest.mark.usefixtures("own_server")
def test_scratch_needs_the_version_and_the_extensions(likeness: Likeness, server: Server) -> None:
    def refusal(wanted: Likeness, dsn: str | None) -> str:
        with pytest.raises(ScratchUnavailable) as caught, scratch_database(wanted, dsn):
            pass
        assert caught.value.next_step
        return caught.value.reason

    lacking = replace(likeness, extensions=("plpgsql", "none_has_it"))
    assert "extension none_has_it" in refusal(lacking, server.dsn)
    assert "extension none_has_it" in refusal(lacking, None)
    other = replace(likeness, major=12)
    assert "the target is PostgreSQL 12" in refusal(other, server.dsn)
    assert "There is no PostgreSQL 12 here" in refusal(other, None)


def test_database_of_a_killed_run_is_dropped_by_the_next_and_a_living_one_is_not(
    likeness: Likeness, server: Server, conn: psycopg.Connection
) -> None:
    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, server.dsn],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    killed, abandoned = start()
    living, kept = start()
    try:
        assert {abandoned, kept} <= databases(conn)
        killed.kill()
        killed.wait()

        # The server notices in its own time that the session is gone.
        eventually(lambda: drop_abandoned(conn), lambda dropped: dropped == (abandoned,))
        with scratch_database(likeness, server.dsn):
            assert abandoned not in databases(conn)
            assert kept in databases(conn)
    finally:
        for process in (killed, living):
            process.kill()
            process.communicate()
        eventually(
            lambda: (drop_abandoned(conn), databases(conn))[1], lambda left: kept not in left
        )


def test_database_with_a_name_like_ours_is_not_taken_for_one(conn: psycopg.Connection) -> None:
    name = f"{PREFIX}of_somebody"
    conn.execute(f"CREATE DATABASE {name}".encode())
    try:
        drop_abandoned(conn)
        assert name in databases(conn)
    finally:
        conn.execute(f"DROP DATABASE {name}".encode())
