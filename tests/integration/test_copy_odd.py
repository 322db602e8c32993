"""Databases that hardly anybody has: what is odd about them arrives, and is proven, as well."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.report import CopyReport
from confiture_flows.anonymization.copying.values import CopyAccess, CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.plan import CopyPlan, PlannedTable
from confiture_flows.anonymization.proof.prove import prove_copy
from confiture_flows.anonymization.proof.report import LeakReport, ProofOptions
from confiture_flows.anonymization.rules import Pattern
from confiture_flows.errors import StrategyError
from confiture_flows.target import Target
from tests.copies import plan_of, sums

SECRET = Secret(b"0123456789abcdef")
PEOPLE = """
CREATE SCHEMA "my.app";
CREATE TABLE "my.app"."o""dd" ("e.mail" text, "where" text, day date);
INSERT INTO "my.app"."o""dd"
SELECT 'user' || n || '@mail.com', 'here', '2024-01-01' FROM generate_series(1, 20) AS n;
CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 3);
CREATE TABLE computed (two int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO computed DEFAULT VALUES;
"""


def next_day(value: datetime.date) -> datetime.date:
    return value + datetime.timedelta(1)


def execute(dsn: str, script: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(script.encode())


def copy(source: str, place: str, options: ProofOptions, **rules: Any) -> CopyReport:
    def prove(access: CopyAccess, plan: CopyPlan, rows: Mapping[str, int]) -> LeakReport:
        return prove_copy(access, plan, rows, options)

    plan = plan_of(source, **rules)
    plan = replace(plan, tables=(*plan.tables, PlannedTable("public", "nothing", ())))
    a, b = Target("a", source), Target("b", place)
    return copy_database(a, b, plan, SECRET, CopyOptions(workers=1), prove=prove)


def test_names_with_dots_and_tables_without_columns_arrive(source: str, place: str) -> None:
    name = '"my.app"."o""dd"."e.mail"'
    rules: dict[str, Any] = {'o"dd__e.mail': ("constant", {"value": "user1@mail.com"})}
    quasi = {'my.app.o"dd': ("where",)}
    accepted = ProofOptions(quasi_identifiers=quasi, accept=(Pattern.read(name, 3),))
    report = copy(source, place, accepted, **rules)
    assert report.proof
    assert report.proof.verdict == "passed"
    assert [each.said for each in report.proof.checks if each.code == "k_anonymity"] == [
        "at least 20 rows share each where"
    ]
    before, after = sums(source), sums(place)
    assert before.pop('my.app.o"dd') != after.pop('my.app.o"dd')
    assert before == after


def test_database_that_is_read_only_by_default_is_copied(source: str, place: str) -> None:
    execute(
        source,
        f'ALTER DATABASE "{conninfo_to_dict(source)["dbname"]}" '
        "SET default_transaction_read_only = on",
    )
    fresh = make_conninfo(place, dbname=f"{conninfo_to_dict(place)['dbname']}_new")
    try:
        copy(source, fresh, ProofOptions())
        assert sums(fresh) == sums(source)
        with psycopg.connect(fresh) as conn:
            assert conn.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
    finally:
        execute(place, f'DROP DATABASE IF EXISTS "{conninfo_to_dict(fresh)["dbname"]}"')


def test_value_that_python_cannot_hold_is_unfit(source: str, place: str) -> None:
    execute(source, """UPDATE "my.app"."o""dd" SET day = 'infinity' WHERE "e.mail" LIKE '%10%'""")
    with pytest.raises(StrategyError, match="1 of 20 values are none that the strategy"):
        copy(source, place, ProofOptions(), **{'o"dd__day': f"{__name__}:next_day"})
