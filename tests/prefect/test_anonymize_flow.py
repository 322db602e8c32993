"""anonymize_flow on a real Prefect server: what it does, and what its run's page shows."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import CancelledRun
from prefect.states import Cancelling
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.errors import ConfigError, CopyError, GateError, LeakError, StrategyError
from confiture_flows.flows import anonymize_flow
from confiture_flows.flows._targets import given_target, resolve_target
from confiture_flows.postgres import Server
from confiture_flows.target import Target
from tests.support import eventually

SECRET = "a secret that nobody may read anywhere"
RULES = """
[anonymization]
secret = "a secret that nobody may read anywhere"
[anonymization.columns]
"public.people.email" = "email"
"public.people.name" = "name"
"""
PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE NOT NULL, name text);
CREATE TABLE letters (id int PRIMARY KEY, email text REFERENCES people (email), words int);
INSERT INTO people SELECT g, 'original' || g || '@example.org', 'Original Name ' || g
FROM generate_series(1, 3000) AS g;
INSERT INTO letters SELECT id, email, id FROM people;
ANALYZE
"""

pytestmark = pytest.mark.usefixtures("prefect_server")
Ask = Callable[[str, dict[str, Any]], Any]


@pytest.fixture
def staging(server: Server, dsn: str) -> Iterator[Target]:
    """A target whose database is not there yet."""
    name = make_name(dsn)
    yield Target("staging", make_conninfo(server.dsn, dbname=name))
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        admin.execute(drop.format(sql.Identifier(name)))


def make_name(dsn: str) -> str:
    return f"{conninfo_to_dict(dsn)['dbname']}_copy"


@pytest.fixture
def known(
    target: Target,
    staging: Target,
    conn: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """Two targets, people in the first, and a configuration file."""
    conn.execute(PEOPLE)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "confiture.toml"
    file.write_text(RULES)
    with given_target(target), given_target(staging):
        yield file


def artifacts(ask: Ask, run: str) -> dict[str, Any]:
    found = ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
    return {each["key"]: each for each in found}


def test_flow_copies_and_its_page_tells_how(
    known: Path,
    ask: Ask,
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    staging: Target,
    dsn: str,
):
    report = anonymize_flow(source="test", target="staging")
    assert report.rows == 6000
    with psycopg.connect(staging.dsn) as copy:
        rows = copy.execute(
            "SELECT count(*), count(*) FILTER (WHERE p.email LIKE '%original%'"
            " OR name LIKE '%Original%') FROM people AS p JOIN letters USING (email)"
        ).fetchone()
    assert rows == (3000, 0)
    told()
    run = latest_run()
    assert run.parameters["source"] == "test"
    shown = artifacts(ask, str(run.id))
    assert set(shown) == {
        "confiture-copy-plan-staging",
        "confiture-copy-progress",
        "confiture-copy-proof-staging",
        "confiture-copy-staging",
    }
    plan = shown["confiture-copy-plan-staging"]["data"].replace("<br>", " ")
    assert "email by email" in plan
    assert "a foreign key ties it to" in plan
    assert "public.people" in shown["confiture-copy-staging"]["data"]
    assert shown["confiture-copy-progress"]["data"] == 100.0
    copied = {"copy public.people", "copy public.letters"}
    of_run = {"flow_runs": {"id": {"any_": [str(run.id)]}}}
    # The server records what it is told a moment later.
    eventually(
        lambda: {each["name"] for each in ask("/task_runs/filter", of_run)},
        lambda names: names >= copied | {"plan copy", "finish copy", "prove copy"},
        seconds=30,
    )
    assert "Leak proof (full): passed." in shown["confiture-copy-proof-staging"]["data"]
    # Nothing of it tells the secret, a connection string, or an original.
    everything = json.dumps(
        [
            ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [str(run.id)]}}}),
            ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [str(run.id)]}}}),
            ask("/flow_runs/filter", of_run),
            ask("/task_runs/filter", of_run),
        ]
    )
    assert "copied to staging" in everything
    for hidden in (SECRET, dsn, "original1@", "Original Name"):
        assert hidden not in everything


def test_flow_stops_before_anything_is_copied(known: Path, staging: Target):
    known.write_text(RULES + '"public.people.nmae" = "name"\n')
    with pytest.raises(ConfigError, match="nmae"):
        anonymize_flow(source="test", target="staging")
    known.write_text(RULES.replace('"public.people.name" = "name"', ""))
    with pytest.raises(GateError, match=r"public\.people\.name looks like name"):
        anonymize_flow(source="test", target="staging", fail_on="warning")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(staging.dsn)


def test_strategy_that_fails_ends_the_run_and_its_workers(
    known: Path, staging: Target, tmp_path: Path, conn: psycopg.Connection
):
    (tmp_path / "late_failure.py").write_text(
        "def mask(value: str) -> str:\n"
        "    if value.endswith('2999'):\n        raise RuntimeError(value)\n"
        "    return 'Somebody'\n"
    )
    known.write_text(
        RULES.replace('name" = "name"', 'name" = "late_failure:mask"').replace(
            "[anonymization]\n", '[anonymization]\nstrategies = ["late_failure"]\n'
        )
    )
    with pytest.raises(StrategyError, match=r"public\.people\.name") as failed:
        anonymize_flow(source="test", target="staging")
    assert "Original" not in str(failed.value)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(staging.dsn)


def test_target_that_is_given_twice_is_there_until_the_end(staging: Target):
    with given_target(staging):
        with given_target(replace(staging, fail_on="warning")):
            assert resolve_target("staging").fail_on == "warning"
        assert resolve_target("staging") == staging
    with pytest.raises(ConfigError):
        resolve_target("staging")


def test_secret_comes_from_a_block(known: Path, staging: Target):
    block: Any = Secret
    block(value=SECRET).save("anonymization-secret", overwrite=True)
    anonymize_flow(source="test", target="staging")
    with psycopg.connect(staging.dsn) as copy:
        first = copy.execute("SELECT email FROM people ORDER BY id").fetchall()
    known.write_text(RULES.replace(f'secret = "{SECRET}"', 'secret_block = "anonymization-secret"'))
    anonymize_flow(source="test", target="staging")
    with psycopg.connect(staging.dsn) as copy:
        assert copy.execute("SELECT email FROM people ORDER BY id").fetchall() == first
    known.write_text(RULES.replace(f'secret = "{SECRET}"', 'secret_block = "nothing-like-it"'))
    with pytest.raises(ConfigError, match="nothing-like-it"):
        anonymize_flow(source="test", target="staging")


def test_flow_copies_into_a_directory(known: Path, tmp_path: Path):
    report = anonymize_flow(source="test", directory=str(tmp_path / "files"))
    assert report.rows == 6000
    text = "".join(
        each.read_text(errors="replace")
        for each in (tmp_path / "files").rglob("*")
        if each.is_file()
    )
    assert "original" not in text
    with pytest.raises(ConfigError, match="to a target or to a directory"):
        anonymize_flow(source="test")


def test_cancelled_run_ends_its_processes_and_leaves_the_target(
    known: Path,
    staging: Target,
    tmp_path: Path,
    prefect_client: SyncPrefectClient,
    latest_run: Callable[[], Any],
):
    started = tmp_path / "started"
    (tmp_path / "sleepy.py").write_text(
        "import pathlib, time\n\n"
        "def mask(value: str) -> str:\n"
        "    if value.endswith('2999'):\n"
        f"        pathlib.Path({str(started)!r}).touch()\n"
        "        time.sleep(60)\n"
        "    return 'Somebody'\n"
    )
    known.write_text(
        RULES.replace('name" = "name"', 'name" = "sleepy:mask"').replace(
            "[anonymization]\n", '[anonymization]\nstrategies = ["sleepy"]\n'
        )
    )
    with ThreadPoolExecutor(1) as threads:
        context = contextvars.copy_context()
        running = threads.submit(context.run, anonymize_flow, source="test", target="staging")
        eventually(started.exists, bool, seconds=60)
        run = latest_run()
        prefect_client.set_flow_run_state(run.id, Cancelling(), force=True)
        with pytest.raises(CancelledRun, match="the target is as it was"):
            running.result(timeout=45)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(staging.dsn)


def test_flow_loads_in_place(known: Path, staging: Target, server: Server, tmp_path: Path):
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        name = str(conninfo_to_dict(staging.dsn)["dbname"])
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with psycopg.connect(staging.dsn, autocommit=True) as target:
        target.execute(PEOPLE)
        target.execute("TRUNCATE people, letters")
        oid = target.execute("SELECT 'people'::regclass::oid").fetchone()
    report = anonymize_flow(source="test", target="staging", in_place=True)
    assert (report.rows, report.in_place) == (6000, True)
    with psycopg.connect(staging.dsn) as target:
        assert target.execute("SELECT 'people'::regclass::oid").fetchone() == oid
    with pytest.raises(CopyError, match=r"public\.people is not empty"):
        anonymize_flow(source="test", target="staging", in_place=True)
    with pytest.raises(ConfigError, match="only a database has tables"):
        anonymize_flow(source="test", directory=str(tmp_path / "files"), in_place=True)


def test_flow_fails_on_a_leak_and_its_page_tells_where(
    known: Path,
    ask: Ask,
    told: Callable[[], None],
    latest_run: Callable[[], Any],
    staging: Target,
    conn: psycopg.Connection,
):
    conn.execute("ALTER TABLE letters ADD note text; UPDATE letters SET note = 'of ' || email")
    with pytest.raises(LeakError, match=r"public\.letters\.note"):
        anonymize_flow(source="test", target="staging")
    told()
    run = latest_run()
    shown = artifacts(ask, str(run.id))
    proof = shown["confiture-copy-proof-staging"]["data"]
    assert "Leak proof (full): failed." in proof
    assert "public.letters.note" in proof
    assert "confiture-copy-staging" not in shown
    logs = ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [str(run.id)]}}})
    assert "example.org" not in json.dumps([shown, logs])
