"""`confiture-flows trigger`: runs of a deployment that is served, followed to their end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling
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


def state(client: SyncPrefectClient, run_id: UUID) -> str | None:
    return client.read_flow_run(run_id).state_name


def test_a_cancel_ends_the_query_of_a_served_run(
    deployed: Path, served: Served, database: str, prefect_client: SyncPrefectClient
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        given = {"target": "triggered", "directory": str(deployed / "slow")}
        run_id = served.run(prefect_client, **given)
        eventually(lambda: sleepers(conn), lambda count: count == 1, seconds=90)

        prefect_client.set_flow_run_state(run_id, Cancelling())

        eventually(lambda: sleepers(conn), lambda count: count == 0)
        eventually(
            lambda: state(prefect_client, run_id), lambda each: each == "Cancelled", seconds=40
        )
        assert conn.execute("SELECT version FROM tb_confiture").fetchall() == [("0001",)]
        conn.execute("SET lock_timeout = '1s'")
        conn.execute("ALTER TABLE a ADD free int")
    assert served.process.poll() is None


def test_a_run_that_takes_too_long_is_cancelled_when_asked(
    deployed: Path, prefect_client: SyncPrefectClient, capsys: pytest.CaptureFixture[str]
) -> None:
    given = directory(deployed, "slow")
    assert trigger("migrate/migrate", param=given, timeout=5, cancel_on_timeout=True) == 10
    told = capsys.readouterr().err
    assert "told to cancel" in told
    run_id = UUID(told.splitlines()[0].rpartition("/")[2])
    eventually(lambda: state(prefect_client, run_id), lambda each: each == "Cancelled", seconds=60)


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
