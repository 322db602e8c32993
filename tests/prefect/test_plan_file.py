"""A plan file as a parameter of flows, and a deployment that takes it by a schedule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule

from confiture_flows.errors import ConfigError
from confiture_flows.flows import migrate_flow
from confiture_flows.flows.plan_deployment import deploy_plan, make_process_pool, process_pools
from confiture_flows.plan_file import PlanFile, PlanMigrations, write_plan_file

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
