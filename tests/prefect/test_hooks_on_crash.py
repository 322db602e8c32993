"""on_error hooks when the process of a run is stopped or killed, under `serve` and plainly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient

from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.target import Target
from tests.prefect.test_serve import trigger
from tests.support import eventually, serving

CONFIGURATION = """
[targets.shop]
dsn = "${SHOP_DSN}"

[[hooks]]
use = "deploy_hooks:tell"
"""
HOOKS = """
import json
from confiture_flows.plugins import hook

@hook("on_error")
def tell(context):
    with open("told.jsonl", "a") as file:
        done = [row.version for row in context.done or ()]
        kind = type(context.error).__name__
        file.write(json.dumps({"key": context.key, "error": kind, "done": done}) + "\\n")
"""
SLOW = {
    "0001_users.up.sql": "CREATE TABLE users (id int);",
    "0002_slow.up.sql": "SELECT pg_sleep(60);",
}


@pytest.fixture
def project(tmp_path: Path, write: Callable[..., Path]) -> Path:
    (tmp_path / "confiture.toml").write_text(CONFIGURATION)
    (tmp_path / "deploy_hooks.py").write_text(HOOKS)
    write(SLOW)
    return tmp_path


@pytest.fixture
def environment(target: Target, prefect_server: TemporaryServer) -> dict[str, str]:
    return os.environ | prefect_server.environment() | {"SHOP_DSN": target.dsn}


@pytest.fixture
def served(project: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with serving(project, environment) as process:
        yield process


def told(project: Path) -> list[dict[str, Any]]:
    path = project / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sleeping(conn: psycopg.Connection) -> int:
    row = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(60)%' AND state = 'active'"
    ).fetchone()
    return row[0] if row else 0


def descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = {int(a): int(b) for a, b in (line.split() for line in listed.splitlines())}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM])
def test_on_error_fires_once_when_a_served_run_is_killed(
    served: subprocess.Popen[bytes],
    project: Path,
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
    way: signal.Signals,
) -> None:
    run_id = trigger(prefect_client, target="shop")
    eventually(lambda: sleeping(conn), lambda count: count == 1, seconds=60)
    for pid in descendants(served.pid):
        os.kill(pid, way)
    eventually(
        lambda: prefect_client.read_flow_run(run_id).state_name or "",
        lambda name: name == "Crashed",
        seconds=40,
    )
    eventually(lambda: len(told(project)), lambda count: count >= 1, seconds=20)
    # Long enough for the runner to call them again, if it did.
    eventually(lambda: _hooks_of(prefect_client, run_id), lambda count: count == 1, seconds=20)
    (once,) = told(project)
    assert once["key"] == f"{run_id}:on_error:tell"
    assert once["done"] == ["0001"] or way is signal.SIGTERM
    if way is signal.SIGKILL:
        assert once["error"] == "RunCrashedError"
    assert served.poll() is None


def _hooks_of(client: SyncPrefectClient, run_id: Any) -> int:
    body = {"artifacts": {"flow_run_id": {"any_": [str(run_id)]}, "key": {"like_": "hooks"}}}
    return len(client._client.post("/artifacts/filter", json=body).json())


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("plain", [True, False])
def test_on_error_fires_once_when_the_program_is_stopped(
    project: Path,
    environment: dict[str, str],
    conn: psycopg.Connection,
    way: signal.Signals,
    plain: bool,
) -> None:
    program = Path(sys.executable).with_name("confiture-flows")
    process = subprocess.Popen(
        [program, "migrate", "--target", "shop", *(["--plain"] if plain else [])],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    eventually(lambda: sleeping(conn), lambda count: count == 1, seconds=60)
    process.send_signal(way)
    output, _ = process.communicate(timeout=30)
    assert len(told(project)) == 1, output
    eventually(lambda: sleeping(conn), lambda count: count == 0, seconds=5)
    assert "Traceback" not in output, output
    assert process.returncode == 130, output
