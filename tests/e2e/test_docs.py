"""The examples of the documentation run, and its tables say what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect import flow

from confiture_flows import errors
from confiture_flows.cli.main import app
from confiture_flows.config import load_project
from confiture_flows.errors import ConfitureFlowsError
from confiture_flows.flows import dry_run_flow, migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.migrations.layouts import all_layouts
from confiture_flows.postgres import Server
from confiture_flows.target import Target, configured_target
from tests.pages.blocks import blocks, page


@pytest.mark.usefixtures("prefect_server")
def test_readme_runs_a_target_of_the_configuration(
    dsn: str,
    write: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    conn: psycopg.Connection,
) -> None:
    write({"0001_a.up.sql": "CREATE TABLE a (id int);"})
    (tmp_path / "confiture.toml").write_text('[targets.shop]\ndsn = "${SHOP}"\n')
    monkeypatch.setenv("SHOP", dsn)
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("README.md", "python")
    exec(compile(example, "README.md", "exec"), {})
    assert conn.execute("SELECT to_regclass('a') IS NOT NULL").fetchone() == (True,)


def test_python_migrations_of_the_guide_run(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    from confiture_flows.migrations.lifecycle import Request, run_lifecycle
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plain import PlainStages
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    split, index = blocks("docs/guides/python-migrations.md", "python")
    table = "CREATE TABLE customers (id int, name text, first text, last text);"
    row = "INSERT INTO customers VALUES (1, 'Ada Lovelace');"
    files = {"0001_a.up.sql": table + row, "0002_split.py": split, "0003_index.py": index}
    request = Request(write(files))
    with connect(target, "test") as session:
        stages = PlainStages(session, target, request, Observer(), lambda _report: None)
        run_lifecycle(stages, target="test", direction=Direction.UP, gate=Severity.ERROR)
    assert conn.execute("SELECT first, last FROM customers").fetchone() == ("Ada", "Lovelace")
    assert conn.execute("SELECT to_regclass('customers_last')::text").fetchone() is not None


@pytest.mark.usefixtures("prefect_server")
def test_block_of_the_configuration_page_is_a_target() -> None:
    from confiture_flows.blocks import PostgresTarget

    (example,) = blocks("docs/configuration.md", "python")
    exec(compile(example, "configuration.md", "exec"), {})
    saved = PostgresTarget.load("prod")
    assert isinstance(saved, PostgresTarget)
    assert saved.database == "shop"


def test_configuration_example_is_read_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = blocks("docs/configuration.md", "toml")
    (tmp_path / "confiture.toml").write_text(example)
    monkeypatch.setenv("PROD_PASSWORD", "secret")
    project = load_project(tmp_path)
    target = configured_target(project, "prod")
    assert target is not None
    assert (target.production, target.fail_on, target.name) == (True, "warning", "prod")
    assert project.layout == "pairs"


def test_deployments_of_the_guide_are_what_it_says(tmp_path: Path) -> None:
    from confiture_flows.flows._wanted import wanted_deployments

    example = blocks("docs/guides/scheduling.md", "toml")[0]
    (tmp_path / "confiture.toml").write_text(example)
    prod, nightly, weekly = wanted_deployments(load_project(tmp_path))
    assert (prod.name, prod.limit, prod.on_collision) == (
        "migrate/prod",
        "confiture-flows.prod",
        "enqueue",
    )
    assert (nightly.schedule_text, nightly.limit) == ("0 2 * * * (Europe/Vienna)", None)
    assert (weekly.limit, weekly.folder) == ("confiture-flows.staging", "/srv/project")


def test_verifying_guide_shows_what_happens(
    dsn: str,
    server: Server,
    write: Callable[..., Path],
    tmp_path: Path,
    conn: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guide = "docs/guides/verifying.md"
    up, script, by_hand = blocks(guide, "sql")
    write({"0001_users.up.sql": up, "0001_users.verify.sql": script})
    (tmp_path / "confiture.toml").write_text(f'[targets.shop]\ndsn = "{dsn}"\n')
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> str:
        arguments = command.split()[1:]
        if "--replay" in arguments:  # as the page says, but without a server of its own
            arguments += ["--scratch", server.dsn]
        capsys.readouterr()
        app(arguments)
        place = r"replayed in [^:]+(?=: )"
        return re.sub(place, "replayed in PostgreSQL 15", capsys.readouterr().out)

    first, second = blocks(guide, "console")
    migrate, verify, *expected = first.splitlines()
    run(migrate.removeprefix("$ "))
    assert run(verify.removeprefix("$ ")).splitlines() == expected
    conn.execute(by_hand.encode())
    verify, *expected = second.splitlines()
    assert run(verify.removeprefix("$ ")).splitlines() == expected


@pytest.mark.usefixtures("prefect_server")
def test_task_of_the_verifying_guide_finds_drift(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection, server: Server
) -> None:
    names: dict[str, Any] = {}
    for example in blocks("docs/guides/verifying.md", "python"):
        exec(compile(example, "verifying.md", "exec"), names)
    directory = str(write({"0001_a.up.sql": "CREATE TABLE a (id int);"}))
    with given_target(target):
        migrate_flow(target=target.name, directory=directory)
    conn.execute("ALTER TABLE a ADD n int")

    @flow
    def nightly() -> list[str]:
        return names["check"](replace(target, scratch=server.dsn), directory)

    assert nightly() == ["Column public.a.n is in the database, but no migration makes it."]


def test_every_layout_has_its_row() -> None:
    text, names = page("docs/layouts.md"), [layout.name for layout in all_layouts()]
    assert [name for name in names if f"| `{name}` |" not in text] == []


def test_every_exit_code_has_its_row() -> None:
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ConfitureFlowsError)
    }
    rows = re.findall(r"^\| (\d+) \|", page("docs/cli.md"), flags=re.MULTILINE)
    assert codes <= {int(code) for code in rows}


def test_json_example_has_the_shape_of_the_command_line() -> None:
    from confiture_flows.report.json import envelope

    (example,) = blocks("docs/cli.md", "json")
    shown = json.loads(example)
    made = envelope("migrate", target="shop", result={}, error=errors.ApplyError("broken"))
    assert list(shown) == list(made)
    assert set(shown["error"]) == set(made["error"])


@pytest.mark.usefixtures("prefect_server")
def test_dry_run_guide_says_what_happens(
    target: Target,
    server: Server,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    guide = "docs/guides/dry-run-mode.md"
    files = {block.split("\n")[0].rpartition("/")[2]: block for block in blocks(guide, "sql")}
    assert len(files) == 4
    directory = str(write(files))
    conn.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text, age text);"
        "CREATE TABLE orders (id bigint, user_id bigint NOT NULL);"
        "INSERT INTO users SELECT g, 'u' || g, '7' FROM generate_series(1, 2000) AS g;"
        "INSERT INTO orders SELECT g, g FROM generate_series(1, 2000) AS g; ANALYZE"
    )
    rehearsed = replace(target, scratch=server.dsn)
    with given_target(rehearsed):
        report = dry_run_flow(target=target.name, directory=directory, rows=2000)
    first, second = report.migrations
    assert first.statements[0].rewrites == ("public.users",)
    assert first.proof
    assert [change.name for change in first.proof.changes] == ["public.users_email"]
    assert second.proof
    assert [loss.name for loss in second.proof.losses] == ["public.orders.status"]

    names: dict[str, Any] = {}
    (example,) = blocks(guide, "python")
    exec(compile(example, "dry-run-mode.md", "exec"), names)

    @flow
    def count() -> int:
        return names["locks_of"](rehearsed, directory)

    assert count() == report.table_locks


def test_every_finding_of_a_dry_run_has_its_row() -> None:
    source = page("confiture_flows/dryrun/findings.py")
    codes = set(re.findall(r'"((?:impact|rehearsal|rollback|target)\.\w+)"', source))
    text = page("docs/guides/dry-run-mode.md")
    assert len(codes) > 10
    assert [code for code in codes if f"`{code}`" not in text] == []
