"""deployments/serve.py: triggered through the API, and cancelled while a query runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.target import Target
from tests.support import eventually, serving


@pytest.fixture
def served(
    tmp_path: Path, target: Target, prefect_server: TemporaryServer
) -> Iterator[subprocess.Popen[bytes]]:
    """The deployments, served from a folder with a configuration of its own."""
    (tmp_path / "confiture.toml").write_text('[targets.shop]\ndsn = "${SHOP_DSN}"\n')
    with serving(tmp_path, prefect_server.environment() | {"SHOP_DSN": target.dsn}) as process:
        yield process


def trigger(client: SyncPrefectClient, **parameters: Any) -> Any:
    def find() -> Any:
        try:
            return client.read_deployment_by_name("migrate/migrate")
        except ObjectNotFound:
            return None

    deployment = eventually(find, lambda found: found is not None, seconds=40)
    return client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id


def test_triggered_run_migrates_and_a_cancel_ends_its_query(
    served: subprocess.Popen[bytes],
    write: Callable[..., Path],
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
) -> None:
    def state(run_id: Any) -> str:
        return prefect_client.read_flow_run(run_id).state_name or ""

    def sleepers() -> int:
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(60)%' AND state = 'active'"
        ).fetchone()
        return row[0] if row else 0

    write({"0001_users.up.sql": "CREATE TABLE users (id int);"})
    first = trigger(prefect_client, target="shop")
    eventually(lambda: state(first), lambda name: name == "Completed", seconds=60)
    assert conn.execute("SELECT version FROM tb_confiture").fetchall() == [("0001",)]

    write({"0002_slow.up.sql": "LOCK TABLE users;\nSELECT pg_sleep(60);"})
    second = trigger(prefect_client, target="shop")
    eventually(sleepers, lambda count: count == 1, seconds=60)
    prefect_client.set_flow_run_state(second, Cancelling())
    eventually(sleepers, lambda count: count == 0, seconds=15)
    eventually(lambda: state(second), lambda name: name == "Cancelled", seconds=40)
    assert conn.execute("SELECT version FROM tb_confiture").fetchall() == [("0001",)]
    conn.execute("SET lock_timeout = '1s'")
    conn.execute("ALTER TABLE users ADD free int")
    assert served.poll() is None
