"""Placeholders in flows: values reach the server, and no place where Prefect keeps things."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg

from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.flows import migrate_flow
from tests import leaks

SECRET = leaks.secret("tr1ple-s3cret")


def test_flow_takes_values_from_the_configuration_and_the_environment(
    prefect_server: TemporaryServer,
    write: Callable[..., Path],
    tmp_path: Path,
    dsn: str,
    conn: psycopg.Connection,
    monkeypatch,
) -> None:
    write({"0001_a.up.sql": "CREATE TABLE t AS SELECT '${one}' AS x, '${two}' AS y;"})
    (tmp_path / "confiture.toml").write_text(
        f"[placeholders]\none = '1'\ntwo = '1'\n[targets.shop]\ndsn = '''{dsn}'''\n"
    )
    monkeypatch.setenv("CONFITURE_PLACEHOLDER_TWO", "2")
    monkeypatch.chdir(tmp_path)

    migrate_flow(target="shop", granularity="migration")

    assert conn.execute("SELECT x, y FROM t").fetchone() == ("1", "2")


def test_prefect_keeps_no_value(
    prefect_server: TemporaryServer, write: Callable[..., Path], tmp_path: Path, dsn: str
) -> None:
    write(
        {
            "0001_a.up.sql": "CREATE TABLE t AS SELECT '${secret}' AS x;",
            "0002_b.up.sql": "SELECT '${secret}'::int;",
            "R__views.sql": "SELECT '${secret}';",
        }
    )
    (tmp_path / "confiture.toml").write_text(
        f"[targets.shop]\ndsn = '''{dsn}'''\nplaceholders = {{ secret = '{SECRET}' }}\n"
    )
    program = Path(sys.executable).with_name("confiture-flows")
    results = tmp_path / "results"
    shown = ""
    for to in (["--to", "0001"], []):
        done = subprocess.run(
            [program, "migrate", *to],
            cwd=tmp_path,
            env=os.environ
            | prefect_server.environment()
            | {
                "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
                "PREFECT_LOCAL_STORAGE_PATH": str(results),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        shown += done.stdout + done.stderr
    assert "0002_b was rolled back" in shown
    kept = b"".join(path.read_bytes() for path in prefect_server.home.rglob("*") if path.is_file())
    stored = [path.read_bytes() for path in results.rglob("*") if path.is_file()]
    for trace in leaks.traces(SECRET):
        assert not [place for place in (shown.encode(), kept, *stored) if trace in place]
    # Results were kept, as the setting asks, and a plan would be found in them.
    assert any(trace in place for trace in leaks.traces("0001_a.up.sql") for place in stored)
    assert b"0002_b" in kept  # the scan looked at the right place
