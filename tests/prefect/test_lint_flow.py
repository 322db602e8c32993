"""lint_flow, and linting as a gate of migrate_flow, on a real Prefect server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.errors import GateError
from confiture_flows.flows import lint_flow, migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.target import Target

FILES = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY, email text);",
    "0002_set.up.sql": "ALTER TABLE users ALTER email SET NOT NULL;",
}

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def known(target: Target) -> Iterator[str]:
    with given_target(target):
        yield target.name


def test_flow_fails_at_its_gate_and_returns_below(
    write: Callable[..., Path], known: str, latest_run: Callable[[], Any]
) -> None:
    directory = str(write(FILES))
    with pytest.raises(GateError, match="CF12"):
        lint_flow(directory=directory)
    assert latest_run().name == "lint migrations"
    # In one set the table is new, so nobody waits for it.
    report = lint_flow(directory=directory, target=known)
    assert latest_run().name == f"lint {known}"
    assert "CF12" not in [each.rule for each in report.findings]


def test_gate_stops_migrate_flow_before_it_applies(
    write: Callable[..., Path],
    known: str,
    conn: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = str(write(FILES))
    monkeypatch.chdir(tmp_path)
    migrate_flow(target=known, directory=directory, to="0001")
    conn.execute("INSERT INTO users SELECT n, 'a' FROM generate_series(1, 1000) n; ANALYZE users")
    (tmp_path / "confiture.toml").write_text("[lint]\ngate = true\nrules = { CF12 = 'error' }\n")
    with pytest.raises(GateError, match="read for nulls"):
        migrate_flow(target=known, directory=directory)
    found = conn.execute("SELECT count(*) FROM tb_confiture").fetchone()
    assert found == (1,)
