"""A plan file as a parameter of flows, and a deployment that takes it by a schedule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import CancelledRun
from psycopg.rows import dict_row

from confiture_flows.errors import ConfigError
from confiture_flows.flows import copy_and_migrate_flow, migrate_flow
from confiture_flows.flows.plan_deployment import deploy_plan, make_process_pool, process_pools
from confiture_flows.plan_file import (
    PlanAnonymization,
    PlanColumnRule,
    PlanFile,
    PlanMigrations,
    write_plan_file,
)

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def plan(
    tmp_path: Path, dsn: str, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A plan for what a variable names, as far as 0001."""
    write({"0001_a.up.sql": "CREATE TABLE a (id int);", "0002_b.up.sql": "CREATE TABLE b ();"})
    monkeypatch.setenv("PLANNED_DSN", dsn)
    monkeypatch.chdir(tmp_path)
    said = PlanFile(
        path="migrate",
        target="env:PLANNED_DSN",
        migrations=PlanMigrations(directory="db/migrations", to="0001"),
    )
    write_plan_file(said, tmp_path / "wizard-plan.toml")
    return tmp_path / "wizard-plan.toml"


def test_flow_does_what_a_plan_says(plan: Path, conn: psycopg.Connection) -> None:
    report = migrate_flow(plan_file=str(plan))
    assert [row.version for row in report.done or ()] == ["0001"]

    # A parameter comes before the plan.
    report = migrate_flow(plan_file=str(plan), to="0002")
    assert [row.version for row in report.done or ()] == ["0002"]
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (2,)


def test_flow_copies_and_migrates_the_copy(
    tmp_path: Path,
    conn: psycopg.Connection,
    new_database: Callable[[], str],
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    latest_run: Callable[[], Any],
    dsn: str,
) -> None:
    write({"0001_b.up.sql": "ALTER TABLE people ADD b text DEFAULT 'migrated';"})
    conn.execute("CREATE TABLE people AS SELECT 1 AS id, 'ann@shop.example' AS email")
    copy = new_database()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "confiture.toml").write_text(
        f'[anonymization]\nrandom = true\n[targets.shop]\ndsn = "{dsn}"\n'
        f'[targets.copy]\ndsn = "{copy}"\napprove = "always"\napprove_timeout = 1\n'
    )
    plan = PlanFile(
        path="migrate-and-copy",
        source="shop",
        target="copy",
        anonymization=PlanAnonymization(
            columns={"public.people.email": PlanColumnRule(strategy="email")}
        ),
    )
    write_plan_file(plan, tmp_path / "plan.toml")

    def copied() -> list[Any]:
        with psycopg.connect(copy) as there, there.cursor(row_factory=dict_row) as cursor:
            return cursor.execute("SELECT * FROM people").fetchall()

    # The copy needs nobody's word; what is applied to it does.
    with pytest.raises(CancelledRun):
        copy_and_migrate_flow(plan_file="plan.toml")
    (row,) = copied()
    assert (row.keys(), row["email"] == "ann@shop.example") == ({"id", "email"}, False)

    text = (tmp_path / "confiture.toml").read_text()
    (tmp_path / "confiture.toml").write_text(text.replace('approve = "always"', ""))
    report = copy_and_migrate_flow(plan_file="plan.toml")
    assert [each.version for each in report.done or ()] == ["0001"]
    assert [each["b"] for each in copied()] == ["migrated"]
    assert latest_run().name == "migrate copy 0001"
    assert conn.execute("SELECT * FROM people").fetchall() == [(1, "ann@shop.example")]


def test_flow_without_target_and_plan_says_so(plan: Path) -> None:
    with pytest.raises(ConfigError, match="neither a target nor a plan file"):
        migrate_flow()


def test_plan_becomes_a_deployment_with_a_schedule(
    plan: Path, prefect_client: SyncPrefectClient
) -> None:
    make_process_pool("here")
    prefect_client.create_work_pool(WorkPoolCreate(name="there", type="docker"))
    assert "here" in process_pools()
    assert "there" not in process_pools()
    with pytest.raises(ConfigError, match="There is a work pool there already"):
        make_process_pool("there")
    said = PlanFile(path="migrate", target="env:PLANNED_DSN")

    made = deploy_plan(said, plan, pool="here", cron="0 3 * * *", time_zone="Europe/Berlin")

    deployment = prefect_client.read_deployment_by_name(made.name)
    assert deployment.parameters == {"plan_file": "wizard-plan.toml"}
    assert deployment.job_variables == {"working_dir": str(plan.parent)}
    (schedule,) = deployment.schedules
    assert isinstance(schedule.schedule, CronSchedule)
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("0 3 * * *", "Europe/Berlin")
    assert "prefect worker start --pool here" in made.start
    with pytest.raises(ConfigError, match="schedule"):
        deploy_plan(said, plan, pool="here", cron="every night")
