"""What runs tell the Prefect server, and what is written about it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.errors import ApplyError
from confiture_flows.flows import migrate_flow, rollback_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.target import Target
from confiture_flows.tasks._events import StageEvent
from tests.support import eventually, told_of, webhook_server

REPOSITORY = Path(__file__).parents[2]
NO_BLOCK = "00000000-0000-0000-0000-000000000000"
SHOP = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);\n"
    'CREATE TABLE "odd name" (id int);',
    "0002_orders.up.sql": "CREATE SCHEMA sales; CREATE TABLE sales.orders (id int);",
    "0002_orders.down.sql": "DROP SCHEMA sales CASCADE;",
}
BROKEN = {"0003_broken.up.sql": "ALTER TABLE users ADD n int;\nSELECT 1/0;"}
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target) -> Iterator[str]:
    told_of = replace(target, name="told", dry_run="static")
    with given_target(told_of):
        yield told_of.name


def test_every_stage_is_told(
    known: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    run_events: Callable[..., list[Any]],
    latest_run: Callable[[], Any],
) -> None:
    directory = str(write(SHOP))
    migrate_flow(target=known, directory=directory)
    there = latest_run()
    rollback_flow(target=known, directory=directory)
    back = latest_run()
    assert (there.name, back.name) == ("migrate told 0001..0002", "rollback told 0002")
    found = run_events(there.id)
    target = "confiture.target.told"
    assert told_of(found) == [
        ("migrations.discovered", target),
        ("migrations.validated", target),
        ("migrations.planned", target),
        ("migrations.dry-run", target),
        ("migration.applied", "confiture.migration.told.0001"),
        ("migration.applied", "confiture.migration.told.0002"),
        ("migrations.verified", target),
        ("run.completed", target),
    ]
    assert found[2]["payload"] == {"direction": "up", "plan": "0001..0002", "migrations": 2}
    assets = {
        each["resource"]["prefect.resource.id"]: each["payload"]["migrations"]
        for each in found
        if each["event"] == "prefect.asset.materialization.succeeded"
    }
    # "odd name" can be no key.
    assert [(key.split("/")[-2:], by) for key, by in sorted(assets.items())] == [
        (["public", "users"], ["0001"]),
        (["sales", "orders"], ["0002"]),
    ]
    assert all(key.split("/")[3] == conn.info.dbname for key in assets)

    assert told_of(run_events(back.id))[-2:] == [
        ("migration.rolled-back", "confiture.migration.told.0002"),
        ("run.completed", target),
    ]


def test_failed_run_pages_by_the_automation_of_the_deployments(
    known: str,
    write: Callable[..., Path],
    run_events: Callable[..., list[Any]],
    latest_run: Callable[[], Any],
    prefect_server: TemporaryServer,
    tmp_path: Path,
) -> None:
    example = REPOSITORY / "deployments" / "automations" / "page-on-failure.yaml"
    with webhook_server() as webhook:
        block = CustomWebhookNotificationBlock(
            name="pager", url=webhook.url, json_data={"title": "{{subject}}", "text": "{{body}}"}
        )  # pyright: ignore[reportCallIssue]
        number = block.save("pager", overwrite=True)
        copy = tmp_path / "page-on-failure.yaml"
        copy.write_text(example.read_text().replace(NO_BLOCK, str(number)))
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "automation", "create", "--from-file", copy],
            env=os.environ | prefect_server.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Created 2 automation(s)" in done.stdout, done.stdout + done.stderr
        with pytest.raises(ApplyError):
            migrate_flow(target=known, directory=str(write(SHOP | BROKEN)))
        found = run_events(latest_run().id)
        assert told_of(found)[-2:] == [
            ("migration.failed", "confiture.migration.told.0003"),
            ("run.failed", "confiture.target.told"),
        ]
        (page,) = eventually(lambda: webhook.got, lambda got: len(got) > 0, seconds=30)
    assert page["title"] == "told: failed at 0003; 2 migrations applied before it"
    assert "division by zero" in page["text"]


def test_the_table_of_events_has_each_and_no_other() -> None:
    page = (REPOSITORY / "docs" / "explanation" / "events.md").read_text(encoding="utf-8")
    written = re.findall(r"^\| `(confiture\.[^`]+)` \|", page, flags=re.MULTILINE)
    assert sorted(written) == sorted(event.value for event in StageEvent)
