"""`confiture-flows trigger`: runs of a deployment that is served, followed to their end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from confiture_flows.cli.trigger import trigger
from confiture_flows.postgres import Server
from tests.prefect.conftest import Served
from tests.support import eventually, sleepers

DATABASE = f"confiture_triggered_{os.getpid()}"


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[str]:
    """One database for all, since their migrations go on from each other."""
    identifier = sql.Identifier(DATABASE)
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        yield make_conninfo(server.dsn, dbname=DATABASE)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def directory(folder: Path, name: str) -> tuple[str, ...]:
    return ("target=triggered", f"directory={folder / name}")


@pytest.fixture
def deployed(served: Served, database: str) -> Path:
    """The folder that is served, with a target and three directories of migrations."""
    served.configure(f'[targets.triggered]\ndsn = "{database}"\n')
    for name, text in {
        "good/0001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
        "bad/0001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
        "bad/0002_b.up.sql": "ALTER TABLE nothing ADD b int;",
        "slow/0001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
        "slow/0002_s.up.sql": "LOCK TABLE a;\nSELECT pg_sleep(60);",
    }.items():
        (served.folder / name).parent.mkdir(exist_ok=True)
        (served.folder / name).write_text(text)
    return served.folder


def test_a_run_that_completes_is_summed_up(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trigger("migrate/migrate", param=directory(deployed, "good")) == 0
    out, err = capsys.readouterr()
    assert "- **state:** Completed" in out
    assert "| apply" in out
    assert "target=triggered" in out
    lines = err.splitlines()
    assert lines[0].startswith("Created: http")
    assert any(line.startswith("Completed") for line in lines)
    assert any(" INFO " in line and "applied" in line.lower() for line in lines), err


def test_a_run_that_fails_ends_with_the_exit_code_of_its_error(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trigger("migrate/migrate", param=directory(deployed, "bad")) == 1
    out, _ = capsys.readouterr()
    assert 'relation "nothing" does not exist' in out.replace("\\", "")
    assert trigger("rollback", param=(*directory(deployed, "good"), "to=zero"), json=True) == 7
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["error"]["code"]) == (False, "irreversible")
    assert told["result"]["state"] == "Failed"


def test_a_run_that_takes_too_long_is_cancelled_when_asked(
    deployed: Path, served: Served, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        given = directory(deployed, "slow")
        assert trigger("migrate/migrate", param=given, timeout=15, cancel_on_timeout=True) == 10
        told = capsys.readouterr().err
        assert "told to cancel" in told
        run_id = UUID(told.splitlines()[0].rpartition("/")[2])

        def state() -> str | None:
            with get_client(sync_client=True) as client:
                return client.read_flow_run(run_id).state_name

        eventually(state, lambda name: name == "Cancelled", seconds=60)
        assert sleepers(conn) == 0
        # The query has ended on the server, with its locks, and what was applied is known. On a
        # busy machine the run may have been cancelled before it began.
        if conn.execute("SELECT to_regclass('a') IS NOT NULL").fetchone() == (True,):
            assert conn.execute("SELECT version FROM tb_confiture").fetchall() == [("0001",)]
            conn.execute("SET lock_timeout = '1s'")
            conn.execute("ALTER TABLE a ADD free int")
    assert served.process.poll() is None


@pytest.mark.parametrize(
    ("deployment", "given", "said"),
    [
        ("migrate/nothing", (), "There are: "),
        ("migrate/migrate", ("targt=shop",), "no parameter targt"),
        ("migrate/migrate", ("target=shop", "granularity=all"), "does not take these parameters"),
        ("migrate/migrate", ("target",), "not name=value"),
    ],
)
def test_wrong_words_are_told(
    deployed: Path,
    capsys: pytest.CaptureFixture[str],
    deployment: str,
    given: tuple[str, ...],
    said: str,
) -> None:
    assert trigger(deployment, param=given) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("address", [None, "http://127.0.0.1:9/api"])
def test_without_a_server_nothing_is_started(
    address: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with temporary_settings({PREFECT_API_URL: address}):
        assert trigger("migrate") == 3
    assert "PREFECT_API_URL" in capsys.readouterr().err
