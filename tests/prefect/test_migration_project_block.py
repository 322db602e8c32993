"""The MigrationProject block: a directory or a git repository, its gates, and flows that use it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.testing.standard_test_suites.blocks import BlockStandardTestSuite
from pydantic import SecretStr, ValidationError

from confiture_flows.blocks import MigrationProject, PostgresTarget
from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.config import load_project, project_in_force
from confiture_flows.errors import ConfigError, GateError
from confiture_flows.flows import anonymize_flow, migrate_flow
from confiture_flows.flows._project import under
from confiture_flows.flows._targets import resolve_target
from confiture_flows.target import Target


class TestMigrationProject(BlockStandardTestSuite):
    """What Prefect expects of every block."""

    @pytest.fixture
    def block(self) -> type[MigrationProject]:
        return MigrationProject

    @pytest.mark.skip(reason="It fetches a picture from the network; these blocks have none.")
    def test_has_a_valid_image(self, block: Any) -> None: ...


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test")
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits; its confiture.toml names the target `shop`."""
    monkeypatch.setenv("SHOP_DSN", dsn)
    folder = tmp_path / "origin"
    (folder / "sql").mkdir(parents=True)
    (folder / "confiture.toml").write_text(
        '[migrations]\ndirectory = "sql"\n[targets.shop]\ndsn = "${SHOP_DSN}"\n'
        '[anonymization]\nrandom = true\n[anonymization.tables]\n"public.a" = { rows = false }\n'
    )
    (folder / "sql/0001_a.up.sql").write_text("CREATE TABLE a (id bigint PRIMARY KEY);")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    (folder / "sql/0002_b.up.sql").write_text("CREATE TABLE b (id bigint PRIMARY KEY);")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "two")
    return folder


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"git_branch": "main"}, "need a git_url"),
        ({"git_url": "https://u:hunter2@git.example/a.git"}, "holds a user or a password"),
        ({"git_url": "https://hunter2@git.example/a.git"}, "holds a user or a password"),
        ({"git_url": "https://git.example/a.git", "directory": "../etc"}, "without '..'"),
        (
            {"git_url": "https://git.example/a.git", "git_branch": "a", "git_commit": "abcdef1"},
            "git_branch or git_commit",
        ),
    ],
)
def test_block_refuses(said: dict[str, str], refusal: str) -> None:
    with pytest.raises(ValidationError, match=refusal):
        MigrationProject(**said)  # pyright: ignore[reportArgumentType]


def test_project_of_the_worker_is_its_own_configuration(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    with MigrationProject(transaction="as-written", lint=True).checked_out() as project:
        assert (project.directory, project.as_written, project.lint.gate) == (
            repository / "sql",
            True,
            True,
        )


def test_a_project_makes_its_targets_stricter_and_never_laxer() -> None:
    strict = Target("shop", "dbname=shop", fail_on="warning", dry_run="scratch")
    with (
        MigrationProject(fail_on="error", dry_run="static").checked_out() as project,
        project_in_force(project),
    ):
        kept = under(load_project(), strict)
        raised = under(load_project(), Target("shop", "dbname=shop"))
    assert (kept.fail_on, kept.dry_run) == ("warning", "scratch")
    assert (raised.fail_on, raised.dry_run) == ("error", "static")


@pytest.mark.usefixtures("prefect_server")
def test_flow_applies_what_a_commit_of_a_repository_holds(
    repository: Path, conn: psycopg.Connection, tmp_path: Path
) -> None:
    first = git(repository, "rev-parse", "HEAD~1")
    url = repository.as_uri()
    MigrationProject(git_url=url, git_commit=first).save("shop-at-one", overwrite=True)
    MigrationProject(git_url=url).save("shop-latest", overwrite=True)
    exists = "SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NOT NULL"

    migrate_flow(target="shop", project="shop-at-one")
    assert conn.execute(exists).fetchone() == (True, False)
    report = migrate_flow(target="shop", project="shop-latest")
    assert conn.execute(exists).fetchone() == (True, True)
    assert [row.version for row in report.done or ()] == ["0002"]
    conn.execute("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
    copied = anonymize_flow(source="shop", directory=str(tmp_path / "files"), project="shop-latest")
    rows = {each.name: each.rows for each in copied.tables}
    assert (rows.get("public.a", 0), rows["public.b"]) == (0, 1)
    assert load_project().source is None  # the worker's own again


@pytest.mark.usefixtures("prefect_server")
def test_a_repository_cannot_lead_past_a_block(
    repository: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    PostgresTarget(dsn=SecretStr(dsn), fail_on="info", approve="always").save(
        "shop", overwrite=True
    )
    with MigrationProject(git_url=repository.as_uri()).checked_out() as project:
        with project_in_force(project):
            found = resolve_target("shop")
        monkeypatch.chdir(repository)
        own = resolve_target("shop")
    PostgresTarget.delete("shop", _sync=True)  # pyright: ignore[reportCallIssue]
    assert (found.fail_on, found.approve) == ("info", "always")
    assert own.approve == "never"


@pytest.mark.usefixtures("prefect_server")
def test_gate_of_a_project_stops_a_run(
    write: Callable[..., Path], dsn: str, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write({"0001_a.up.sql": "CREATE TABLE a (id int PRIMARY KEY, at timestamp);"})
    (directory.parent / "confiture.toml").write_text(f'[targets.shop]\ndsn = "{dsn}"\n')
    monkeypatch.chdir(directory.parent)
    MigrationProject(directory=str(directory), lint=True, fail_on="info").save(
        "strict", overwrite=True
    )
    with pytest.raises(GateError):
        migrate_flow(target="shop", project="strict")
    assert conn.execute("SELECT to_regclass('a')").fetchone() == (None,)


@pytest.mark.usefixtures("prefect_server")
def test_what_cannot_be_cloned_is_told_without_its_token(tmp_path: Path) -> None:
    block = MigrationProject(
        git_url=(tmp_path / "nothing").as_uri(), git_token=SecretStr("hunter2")
    )
    with pytest.raises(ConfigError, match="cannot be cloned") as raised, block.checked_out():
        pass
    assert "hunter2" not in f"{raised.value!r} {raised.value.__cause__!r}"


@pytest.mark.usefixtures("prefect_server")
def test_unknown_project_is_told(dsn: str) -> None:
    with pytest.raises(ConfigError, match="no MigrationProject block 'nothing'"):
        migrate_flow(target="shop", project="nothing")


def test_blocks_register_from_the_package(
    prefect_client: SyncPrefectClient, prefect_server: TemporaryServer
) -> None:
    command = [sys.executable, "-m", "prefect", "block", "register", "-m", "confiture_flows"]
    environment = os.environ | prefect_server.environment()
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    for slug in ("postgres-target", "migration-project"):
        assert prefect_client._client.get(f"/block_types/slug/{slug}").status_code == 200
