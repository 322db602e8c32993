"""What exactly is approved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from confiture_flows.migrations.approval import plan_hash
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import Plan, plan_back, plan_forward


def test_hash_is_of_what_runs_and_where(tmp_path: Path, make_rows: Callable[..., tuple]) -> None:
    for name, text in {
        "1_a.up.sql": "CREATE TABLE a ();",
        "1_a.down.sql": "DROP TABLE a, b;",
        "2_b.up.sql": "-- confiture: include more.sql",
        "more.sql": "CREATE TABLE c ();",
    }.items():
        (tmp_path / name).write_text(text)

    def forward(*applied: str) -> Plan:
        return plan_forward(discover(tmp_path).migrations, make_rows(*applied))

    first = plan_hash(forward(), "shop")
    assert plan_hash(forward(), "shop") == first
    others = [
        plan_hash(forward(), "prod"),
        plan_hash(forward("1"), "shop"),
        plan_hash(plan_back(discover(tmp_path).migrations, make_rows("1"), None), "shop"),
    ]
    for name, text in {
        "1_a.up.sql": "-- confiture: transaction=none\nCREATE TABLE a ();",
        "more.sql": "CREATE TABLE d ();",
    }.items():
        (tmp_path / name).write_text(text)
        others.append(plan_hash(forward(), "shop"))
    assert len({first, *others}) == len(others) + 1
