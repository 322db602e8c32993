"""Syntax that our parser knows and an older server does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import ApplyError
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target, connect


def test_syntax_the_server_does_not_know_names_its_statement(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    if conn.info.server_version >= 170000:
        pytest.skip("this server knows JSON_TABLE")
    sql = (
        "CREATE TABLE first (id int);\n"
        "SELECT *\nFROM JSON_TABLE('[]'::jsonb, '$[*]' COLUMNS (id int PATH '$')) AS t;\n"
    )
    plan = plan_forward(discover(write({"0001_a.up.sql": sql})).migrations, ())
    with connect(target, "test") as own, pytest.raises(ApplyError, match="syntax error") as caught:
        apply_plan(own, plan, limits=target.limits)
    assert (caught.value.statement, caught.value.line) == (2, 3)
    assert conn.execute("SELECT to_regclass('first')").fetchone() == (None,)
