"""`confiture-flows deploy`: described, compared, made, and run by a process worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Pending, Scheduled
from psycopg import sql
from psycopg.conninfo import make_conninfo

from confiture_flows.blocks import MigrationProject
from confiture_flows.cli.deploy import deploy
from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.cli.trigger import trigger
from confiture_flows.config import load_project
from confiture_flows.errors import ConfigError
from confiture_flows.flows._wanted import wanted_deployments
from confiture_flows.flows.deploy import plan_deployments
from confiture_flows.flows.plan_deployment import deploy_plan
from confiture_flows.plan_file import PlanFile, PlanMigrations, write_plan_file
from confiture_flows.postgres import Server
from confiture_flows.tasks.apply import apply_plan
from tests.prefect.crashes import HOOK, told, write_hook
from tests.support import descendants, eventually, git, running, sleepers

POOL = f"confiture-{os.getpid()}"
DATABASE = f"confiture_deployed_{os.getpid()}"
PROJECT = "PREFECT_INTEGRATIONS_CONFITURE_FLOWS_PROJECT"
DESCRIBED = f"""
[targets.depot]
dsn = "${{DEPOT_DSN}}"

[deployments.depot]
flow = "migrate"
parameters = {{ target = "depot" }}
work_pool = "{POOL}"
description = "On demand."

[deployments.undo]
flow = "rollback"
parameters = {{ target = "depot" }}
work_pool = "{POOL}"
on_collision = "cancel-new"

[deployments.depot-nightly]
flow = "lint"
parameters = {{ fail_on = "warning" }}
work_pool = "{POOL}"
schedule = {{ cron = "30 2 * * *", timezone = "Europe/Vienna" }}
tags = ["night"]

[deployments.from-git]
flow = "migrate"
parameters = {{ target = "depot", project = "depot-in-git" }}
work_pool = "{POOL}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("depot")
    (folder / "db" / "migrations").mkdir(parents=True)
    (folder / "db" / "migrations" / "0001_a.up.sql").write_text("CREATE TABLE a (id int);")
    (folder / "confiture.toml").write_text(DESCRIBED)
    return folder


@pytest.fixture(scope="module")
def project_in_git(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, prefect_server: TemporaryServer
) -> str:
    """A MigrationProject block of a repository that has one migration more."""
    clone = tmp_path_factory.mktemp("git")
    (clone / "db" / "migrations").mkdir(parents=True)
    for name, text in {
        "0001_a": "CREATE TABLE a (id int);",
        "0002_b": "CREATE TABLE b ();",
    }.items():
        (clone / "db" / "migrations" / f"{name}.up.sql").write_text(text)
    (clone / "confiture.toml").write_text('[targets.depot]\ndsn = "${DEPOT_DSN}"\n')
    git(clone, "init", "-q", "-b", "main")
    git(clone, "add", ".")
    git(clone, "commit", "-qm", "x")
    block = MigrationProject(git_url=clone.as_uri(), git_branch="main")
    block.save("depot-in-git", overwrite=True, _sync=True)  # pyright: ignore[reportCallIssue]
    return "depot-in-git"


@pytest.fixture(scope="module")
def worker(
    tmp_path_factory: pytest.TempPathFactory, server: Server, prefect_server: TemporaryServer
) -> Iterator[subprocess.Popen[bytes]]:
    """A process worker, started where no project is, and its database."""
    identifier = sql.Identifier(DATABASE)
    environment = prefect_server.environment() | {
        "DEPOT_DSN": make_conninfo(server.dsn, dbname=DATABASE),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        command = [sys.executable, "-m", "prefect", "worker", "start", "-p", POOL]
        folder = tmp_path_factory.mktemp("worker")
        with running([*command, "--type", "process"], folder, environment) as process:
            yield process
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


Deployer = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def deployer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Deployer:
    """`deploy --json` in the folder; gives its exit code and what it printed."""
    monkeypatch.chdir(folder)

    def run(**options: Any) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = deploy(json=True, **options)
        return code, json.loads(capsys.readouterr().out)

    return run


def actions(said: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["action"] for each in said["result"]["deployments"]}


def test_a_pool_that_is_not_there_is_told(
    folder: Path,
    project_in_git: str,
    deployer: Deployer,
    prefect_client: SyncPrefectClient,
) -> None:
    code, said = deployer(yes=True)
    assert code == 2
    assert said["error"]["next_step"].startswith("Create it: prefect work-pool create confiture-")


@pytest.fixture
def pool(
    worker: subprocess.Popen[bytes], project_in_git: str, prefect_client: SyncPrefectClient
) -> str:
    """The work pool, once the worker has made it."""

    def pools() -> list[str]:
        return [each.name for each in prefect_client.read_work_pools()]

    eventually(pools, lambda names: POOL in names, seconds=120)
    return POOL


@pytest.fixture
def deployed(pool: str, folder: Path, deployer: Deployer) -> Deployer:
    """The deployments as they are described."""
    (folder / "confiture.toml").write_text(DESCRIBED)
    assert deployer(yes=True)[0] == 0
    return deployer


def test_what_is_described_is_shown_then_made_then_left_alone(
    pool: str, deployer: Deployer, prefect_client: SyncPrefectClient
) -> None:
    code, said = deployer()
    assert code == 2
    assert "--yes" in said["error"]["next_step"]
    assert set(actions(said).values()) == {"create"}
    with pytest.raises(ObjectNotFound):
        prefect_client.read_deployment_by_name("migrate/depot")
    code, said = deployer(yes=True)
    assert (code, said["result"]["done"]) == (0, True)
    code, said = deployer()
    assert code == 0
    assert set(actions(said).values()) == {"nothing"}


def test_deployments_are_as_described(
    deployed: Deployer, folder: Path, prefect_client: SyncPrefectClient
) -> None:
    migrate = prefect_client.read_deployment_by_name("migrate/depot")
    undo = prefect_client.read_deployment_by_name("rollback/undo")
    in_git = prefect_client.read_deployment_by_name("migrate/from-git")
    nightly = prefect_client.read_deployment_by_name("lint/depot-nightly")
    assert migrate.description == "On demand."
    assert set(migrate.tags) == {"confiture", "target:depot"}
    # All that writes on a target shares one limit of one run.
    limits = [each.global_concurrency_limit for each in (migrate, undo, in_git)]
    assert {(each.name, each.limit) for each in limits if each} == {("confiture-flows.depot", 1)}
    assert len({each.id for each in limits if each}) == 1
    strategies = [each.concurrency_options for each in (migrate, undo)]
    assert [str(each and each.collision_strategy.value) for each in strategies] == [
        "ENQUEUE",
        "CANCEL_NEW",
    ]
    assert nightly.global_concurrency_limit is None
    assert migrate.pull_steps == [
        {"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}
    ]
    assert not in_git.pull_steps
    assert "night" in nightly.tags


def test_the_form_of_the_parameters_reads_well(
    deployed: Deployer, prefect_client: SyncPrefectClient
) -> None:
    for name in ("migrate/depot", "rollback/undo", "lint/depot-nightly"):
        schema = prefect_client.read_deployment_by_name(name).parameter_openapi_schema or {}
        for key, each in schema["properties"].items():
            assert each["title"] == key.replace("_", " ").capitalize()
            assert each["description"].endswith(".")
            assert "\n" not in each["description"]
        assert "target" in schema["properties"]


def test_a_schedule_is_seen_and_keeps_its_pause_when_it_changes(
    deployed: Deployer, folder: Path, prefect_client: SyncPrefectClient
) -> None:
    nightly = prefect_client.read_deployment_by_name("lint/depot-nightly")
    only = DeploymentFilter(id=DeploymentFilterId(any_=[nightly.id]))
    runs = eventually(
        lambda: prefect_client.read_flow_runs(deployment_filter=only),
        lambda found: len(found) > 0,
        seconds=90,
    )
    starts = [run.expected_start_time for run in runs if run.expected_start_time]
    times = [each.astimezone(ZoneInfo("Europe/Vienna")) for each in starts]
    assert {(each.hour, each.minute) for each in times} == {(2, 30)}
    prefect_client.update_deployment_schedule(nightly.id, nightly.schedules[0].id, active=False)
    text = DESCRIBED.replace("30 2 * * *", "15 4 * * *").replace('"cancel-new"', '"allow"')
    (folder / "confiture.toml").write_text(text)
    code, said = deployed(yes=True)
    assert code == 0
    changes = {
        each["name"]: [change["field"] for change in each["changes"]]
        for each in said["result"]["deployments"]
        if each["changes"]
    }
    assert changes == {
        "lint/depot-nightly": ["schedule"],
        "rollback/undo": ["limit", "on_collision"],
    }
    undo = prefect_client.read_deployment_by_name("rollback/undo")
    assert undo.global_concurrency_limit is None
    (schedule,) = prefect_client.read_deployment_by_name("lint/depot-nightly").schedules
    assert schedule.schedule.cron == "15 4 * * *"  # pyright: ignore
    assert schedule.active is False
    by_hand = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 5 * * *", timezone="UTC"))
    (other,) = prefect_client.create_deployment_schedules(nightly.id, [by_hand])
    (folder / "confiture.toml").write_text(DESCRIBED.replace("schedule = ", "# "))
    _, said = deployed(yes=True)
    others = {each["name"]: each["other_schedules"] for each in said["result"]["deployments"]}
    assert others["lint/depot-nightly"] == ["0 5 * * * (UTC)"]
    left = prefect_client.read_deployment_by_name("lint/depot-nightly").schedules
    assert [each.id for each in left] == [other.id]


def test_runs_of_one_target_wait_or_give_way(
    deployed: Deployer, prefect_client: SyncPrefectClient
) -> None:
    def begun(name: str) -> tuple[Any, str]:
        """A run of which a worker says that it begins it."""
        deployment = prefect_client.read_deployment_by_name(name)
        later = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=1))
        run = prefect_client.create_flow_run_from_deployment(deployment.id, state=later)
        prefect_client.set_flow_run_state(run.id, Pending())
        return run.id, prefect_client.read_flow_run(run.id).state_name or ""

    runs = [begun(name) for name in ("migrate/depot", "migrate/from-git", "rollback/undo")]
    states = [name for _, name in runs]
    for run_id, _ in runs:
        prefect_client.set_flow_run_state(run_id, Cancelled(), force=True)
    assert states == ["Pending", "AwaitingConcurrencySlot", "Cancelled"]


def test_a_worker_runs_the_folder_and_the_project_of_its_settings(
    deployed: Deployer,
    server: Server,
    prefect_client: SyncPrefectClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def applied() -> list[tuple[Any, ...]]:
        with psycopg.connect(server.dsn, dbname=DATABASE) as conn:
            return conn.execute("SELECT version FROM tb_confiture ORDER BY 1").fetchall()

    assert trigger("migrate/depot", timeout=200) == 0
    assert "Completed" in capsys.readouterr().out
    assert applied() == [("0001",)]
    # The block of the settings is where the deployment names none.
    deployment = prefect_client.read_deployment_by_name("migrate/depot")
    run = prefect_client.create_flow_run_from_deployment(
        deployment.id, job_variables={"env": {PROJECT: "depot-in-git"}}
    )

    def state() -> str:
        return prefect_client.read_flow_run(run.id).state_name or ""

    eventually(state, lambda name: name in ("Completed", "Failed", "Crashed"), seconds=200)
    assert applied() == [("0001",), ("0002",)]


def test_a_worker_follows_the_plan_of_a_wizard(
    pool: str,
    tmp_path: Path,
    write: Callable[..., Path],
    server: Server,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write({"0001_c.up.sql": "CREATE TABLE c ();", "0002_d.up.sql": "CREATE TABLE d ();"})
    (tmp_path / "confiture.toml").write_text(
        '[targets.depot]\ndsn = "${DEPOT_DSN}"\nledger = "tb_planned"\n'
    )
    plan = PlanFile(path="migrate", target="depot", migrations=PlanMigrations(to="0001"))
    write_plan_file(plan, tmp_path / "wizard-plan.toml")
    made = deploy_plan(plan, tmp_path / "wizard-plan.toml", pool=pool, name="planned")
    assert trigger(made.name, timeout=200) == 0
    assert "migrate depot 0001" in capsys.readouterr().out
    with psycopg.connect(server.dsn, dbname=DATABASE) as conn:
        assert conn.execute("SELECT version FROM tb_planned").fetchall() == [("0001",)]
        assert conn.execute("SELECT to_regclass('c') IS NOT NULL").fetchone() == (True,)


def test_a_killed_run_of_a_worker_is_told_and_the_next_one_goes_on(
    deployed: Deployer,
    worker: subprocess.Popen[bytes],
    folder: Path,
    write: Callable[..., Path],
    dsn: str,
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
) -> None:
    write_hook(folder)
    (folder / "confiture.toml").write_text(f'{DESCRIBED}[targets.killed]\ndsn = "{dsn}"\n{HOOK}')
    conn.execute("CREATE TABLE slow AS SELECT 1")
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE a (id int);",
            "0002_b.up.sql": "-- confiture: transaction=none\nCREATE TABLE b (id int);\n"
            "SELECT pg_sleep(60) FROM slow;",
        }
    )
    deployment = prefect_client.read_deployment_by_name("migrate/depot")
    given = {"target": "killed", "directory": str(directory)}

    def begin() -> Any:
        return prefect_client.create_flow_run_from_deployment(deployment.id, parameters=given).id

    def end(run_id: Any) -> str:
        over = ("Completed", "Failed", "Crashed")
        name = lambda: prefect_client.read_flow_run(run_id).state_name or ""  # noqa: E731
        return eventually(name, lambda found: found in over, seconds=90)

    def applied() -> list[Any]:
        return [row[0] for row in conn.execute("SELECT version FROM tb_confiture ORDER BY 1")]

    killed = begin()
    eventually(lambda: sleepers(conn), lambda count: count == 1, seconds=90)
    for pid in descendants(worker.pid):
        os.kill(pid, signal.SIGKILL)
    assert end(killed) == "Crashed"
    eventually(lambda: sleepers(conn), lambda count: count == 0)
    # The worker starts another process for the hooks.
    (once,) = eventually(lambda: told(folder, killed), bool, seconds=90)
    assert (once["error"], once["done"]) == ("RunCrashedError", ["0001"])
    assert applied() == ["0001"]
    journal = "SELECT version, statement, state FROM tb_confiture_journal"
    assert conn.execute(journal).fetchall() == [("0002", 1, "done")]
    # What it has done is not done again: b exists.
    conn.execute("DELETE FROM slow")
    assert end(begin()) == "Completed"
    assert applied() == ["0001", "0002"]
    assert conn.execute(journal).fetchall() == []
    assert len(told(folder)) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('flow = "migrate"\nparameters = { targt = "x" }', "has no parameter targt"),
        ('flow = "migrate"\nparameters = { target = "x", granularity = "all" }', "do not fit"),
        ('flow = "migrate"\nschedule = { cron = "0 2 * * *" }', "nobody can be asked for target"),
        ('flow = "lint"\nschedule = { cron = "hourly-ish" }', "its schedule cannot be"),
        ('flow = "lint"\nschedule = { interval = 60, timezone = "Vienna" }', "schedule cannot be"),
        ('flow = "lint"\nschedule = { timezone = "UTC" }', "either a cron or an interval"),
        ('flow = "lint"\nschedule = { cron = "0 2 * * *", interval = 60 }', "either a cron or"),
        ('flow = "migrat"', "deployments.x.flow"),
        ('flow = "lint"', "no work pool is named"),
        ('flow = "lint"\nparameters = { target = "postgresql://u:sesame@h/d" }', "to be a name"),
        ('flow = "lint"\nparameters = { target = 2020-01-01 }', "text, numbers and lists"),
    ],
)
def test_wrong_tables_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "confiture.toml").write_text(f"[deployments.x]\n{table}\n")
    with pytest.raises(ConfigError, match=said) as wrong:
        wanted_deployments(load_project(), "p" if "work pool" not in said else None)
    assert "sesame" not in str(wrong.value)


def test_target_may_be_a_variable_of_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: str
) -> None:
    monkeypatch.chdir(tmp_path)
    table = f'[deployments.x]\nflow = "migrate"\nwork_pool = "{pool}"\nparameters.target = '
    (tmp_path / "confiture.toml").write_text(f'{table}"env:SHOP"\n')
    (found,) = plan_deployments(load_project()).diffs
    assert found.wanted.parameters == {"target": "env:SHOP"}
    assert found.wanted.limit == "confiture-flows.env-SHOP"
    (tmp_path / "confiture.toml").write_text(f'{table}"shop"\n')
    with pytest.raises(ConfigError, match="shop"):
        plan_deployments(load_project())


def test_targets_alone_give_deployments_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "confiture.toml").write_text('[targets.a]\ndsn = ""\n[targets.b]\ndsn = ""\n')
    found = wanted_deployments(load_project(), "p")
    assert [each.name for each in found] == [
        f"{flow}/{target}" for target in "ab" for flow in ("migrate", "rollback", "dry run")
    ]
    assert [each for each in found if each.schedule] == []
    (tmp_path / "confiture.toml").write_text("")
    with pytest.raises(ConfigError, match="nothing to deploy"):
        wanted_deployments(load_project(), "p")


def test_settings_say_how_often_a_stage_is_tried_again() -> None:
    assert (apply_plan.retries, apply_plan.retry_delay_seconds) == (3, [2, 4, 8])
    prefix = "PREFECT_INTEGRATIONS_CONFITURE_FLOWS_STAGE_RETR"
    code = (
        "from confiture_flows.tasks.apply import apply_plan as task\n"
        "print(task.retries, task.retry_delay_seconds)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {f"{prefix}IES": "2", f"{prefix}Y_DELAY_SECONDS": "0.5"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.strip() == "2 [0.5, 1.0]"
