"""on_error hooks when the process of a run is stopped or killed, under `serve` and plainly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient

from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.target import Target
from tests.prefect.conftest import Served
from tests.prefect.crashes import HOOK, told, write_hook
from tests.prefect.test_stopping import SLOW, check_nothing_is_left
from tests.support import descendants, eventually, sleepers


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM])
def test_on_error_fires_once_when_a_served_run_is_killed(
    served: Served,
    write: Callable[..., Path],
    dsn: str,
    conn: psycopg.Connection,
    prefect_client: SyncPrefectClient,
    way: signal.Signals,
) -> None:
    write_hook(served.folder)
    served.configure(f'[targets.shop]\ndsn = "{dsn}"\n{HOOK}')
    run_id = served.run(prefect_client, target="shop", directory=str(write(SLOW)))
    eventually(lambda: sleepers(conn), lambda count: count == 1, seconds=60)
    for pid in descendants(served.process.pid):
        os.kill(pid, way)
    eventually(
        lambda: prefect_client.read_flow_run(run_id).state_name or "",
        lambda name: name == "Crashed",
        seconds=40,
    )
    eventually(lambda: len(told(served.folder, run_id)), lambda count: count >= 1)
    # Long enough for the runner to call them again, if it did.
    eventually(lambda: _hooks_of(prefect_client, run_id), lambda count: count == 1)
    (once,) = told(served.folder, run_id)
    assert once["key"] == f"{run_id}:on_error:tell"
    assert once["done"] == ["0001"] or way is signal.SIGTERM
    if way is signal.SIGKILL:
        assert once["error"] == "RunCrashedError"
    assert served.process.poll() is None


def _hooks_of(client: SyncPrefectClient, run_id: Any) -> int:
    body = {"artifacts": {"flow_run_id": {"any_": [str(run_id)]}, "key": {"like_": "hooks"}}}
    return len(client._client.post("/artifacts/filter", json=body).json())


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("plain", [True, False])
def test_a_program_that_is_stopped_ends_its_query_and_calls_on_error_once(
    tmp_path: Path,
    write: Callable[..., Path],
    target: Target,
    prefect_server: TemporaryServer,
    conn: psycopg.Connection,
    way: signal.Signals,
    plain: bool,
) -> None:
    write_hook(tmp_path)
    (tmp_path / "confiture.toml").write_text(f'[targets.shop]\ndsn = "${{SHOP_DSN}}"\n{HOOK}')
    write(SLOW)
    program = Path(sys.executable).with_name("confiture-flows")
    process = subprocess.Popen(
        [program, "migrate", "--target", "shop", *(["--plain"] if plain else [])],
        cwd=tmp_path,
        env=os.environ | prefect_server.environment() | {"SHOP_DSN": target.dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    eventually(lambda: sleepers(conn), lambda count: count == 1, seconds=60)
    process.send_signal(way)
    check_nothing_is_left(conn)
    output, _ = process.communicate(timeout=60)
    assert len(told(tmp_path)) == 1, output
    assert "Traceback" not in output, output
    assert process.returncode == 130, output
