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

from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.cli.trigger import trigger
from confiture_flows.postgres import Server
from tests.support import eventually, serving

DATABASE = f"confiture_triggered_{os.getpid()}"


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, server: Server, prefect_server: TemporaryServer
) -> Iterator[Path]:
    """Where deployments/serve.py runs, with a target `shop` of its own."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "confiture.toml").write_text('[targets.shop]\ndsn = "${SHOP_DSN}"\n')
    for name, text in {
        "good/0001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
        "bad/0001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
        "bad/0002_b.up.sql": "ALTER TABLE nothing ADD b int;",
        "slow/0001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);",
        "slow/0002_s.up.sql": "SELECT pg_sleep(60);",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    identifier = sql.Identifier(DATABASE)
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        dsn = make_conninfo(server.dsn, dbname=DATABASE)
        with serving(folder, prefect_server.environment() | {"SHOP_DSN": dsn}):
            yield folder
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def directory(folder: Path, name: str) -> tuple[str, ...]:
    return ("target=shop", f"directory={folder / name}")


@pytest.fixture(scope="module")
def deployed(folder: Path) -> Path:
    """The same folder, once its deployments are there."""

    def known() -> set[str]:
        with get_client(sync_client=True) as client:
            return {each.name for each in client.read_deployments()}

    eventually(known, lambda names: {"migrate", "rollback"} <= names, seconds=120)
    return folder


def test_a_run_that_completes_is_summed_up(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trigger("migrate/migrate", param=directory(deployed, "good")) == 0
    out, err = capsys.readouterr()
    assert "- **state:** Completed" in out
    assert "| apply" in out
    assert "target=shop" in out
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
    deployed: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    def sleepers() -> int:
        with psycopg.connect(server.dsn) as admin:
            row = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state = 'active' "
                "AND query LIKE '%%pg_sleep(60)%%'",
                (DATABASE,),
            ).fetchone()
        return row[0] if row else 0

    given = directory(deployed, "slow")
    assert trigger("migrate/migrate", param=given, timeout=15, cancel_on_timeout=True) == 10
    told = capsys.readouterr().err
    assert "told to cancel" in told
    run_id = UUID(told.splitlines()[0].rpartition("/")[2])

    def state() -> str | None:
        with get_client(sync_client=True) as client:
            return client.read_flow_run(run_id).state_name

    eventually(state, lambda name: name == "Cancelled", seconds=60)
    assert sleepers() == 0


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
