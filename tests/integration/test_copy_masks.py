"""Masking on the way, and strategies that break their promises: stopped, without a value told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.report import CopyReport
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.errors import ConfigError, CopyError, StrategyError
from confiture_flows.target import Target
from tests.copies import plan_of
from tests.integration.copy_strategies import MODULE

SECRET = Secret(b"0123456789abcdef")
OPTIONS = CopyOptions(workers=1, strategy_timeout=1.5, modules=(MODULE,))
ROWS = 3_000
PEOPLE = f"""
CREATE TABLE people (id int PRIMARY KEY, email varchar(40), note text, age int, doc jsonb);
INSERT INTO people SELECT n, n || '@mail.com', CASE n % 3 WHEN 0 THEN NULL
    WHEN 1 THEN E'tab\\t, line\\n, back\\\\slash ' || n ELSE 'note ' || n END, n % 90,
    jsonb_build_object('name', 'N' || n) FROM generate_series(1, {ROWS}) AS n;
"""


def copy(source: str, place: str, options: CopyOptions = OPTIONS, **rules: Any) -> CopyReport:
    plan = plan_of(source, **rules)
    return copy_database(Target("a", source), Target("b", place), plan, SECRET, options)


def rows(dsn: str, columns: str = "id, email, note, age, doc") -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(f"SELECT {columns} FROM people ORDER BY id".encode()).fetchall()


def empty(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        found = conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        return found.fetchone() == (0,)


def test_sql_and_python_give_the_same_copy(source: str, place: str) -> None:
    rules: dict[str, Any] = {"people__email": "hash", "people__note": "hash"}
    report = copy(source, place, replace(OPTIONS, engine="sql"), **rules)
    assert (report.tables[0].way.name, report.tables[0].way.format) == ("sql", "binary")
    by_sql = rows(place)
    python = CopyOptions(workers=1, engine="python", batch_size=4_000)
    report = copy(source, place, python, **rules)
    assert report.tables[0].way.name == "python"
    assert rows(place) == by_sql
    before = rows(source)
    assert [row[3:] for row in by_sql] == [row[3:] for row in before]
    assert [row[2] is None for row in by_sql] == [row[2] is None for row in before]
    assert not {row[1] for row in by_sql} & {row[1] for row in before}


def test_python_masks_beside_sql_and_bytes(source: str, place: str) -> None:
    constant = ("constant", {"value": "nobody@example.com"})
    report = copy(source, place, people__age=("test-years", {"more": 100}), people__email=constant)
    way = report.tables[0].way
    assert (way.name, way.in_python, way.in_sql) == ("python", ("age",), ("email",))
    columns = "id, age, note, doc"
    before = rows(source, columns)
    assert rows(place, columns) == [(n, age + 100, note, doc) for n, age, note, doc in before]
    assert {email for (email,) in rows(place, "email")} == {"nobody@example.com"}


def test_keyed_masks_go_where_they_are_cheaper(source: str, place: str) -> None:
    one = copy(source, place, people__email="hash").tables[0].way
    assert (one.name, one.format) == ("sql", "binary")
    two = copy(source, place, people__email="hash", people__note="hash").tables[0].way
    assert (two.name, two.in_python) == ("python", ("email", "note"))
    assert two.reason.startswith("email, note: keyed, cheaper in Python; ")


def test_a_strategy_gets_the_columns_it_needs(source: str, place: str) -> None:
    copy(source, place, people__email="test-other", people__note="null")
    notes = [note for (note,) in rows(source, "note")]
    assert [email for (email,) in rows(place, "email")] == [f"from {n}" for n in notes]
    assert {note for (note,) in rows(place, "note")} == {None}


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("test-raises", r"failed with RuntimeError at .*copy_strategies\.py:\d+"),
        ("test-same", "values back unchanged"),
        ("test-long", "of more than 40 characters"),
        ("test-number", "gave a int where text is due"),
        ("test-count", r"gave [\d,]+ values for [\d,]+"),
        ("test-hangs", r"has not answered for 1\.5 s"),
        ("test-unfit", "are none that the strategy"),
        ("test-refuses", "are none that the strategy"),
        ("test-sql-same", "values back unchanged"),
    ],
)
def test_a_broken_strategy_stops_the_copy(
    source: str, place: str, strategy: str, said: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        copy(source, place, people__email=strategy)
    text = str(caught.value)
    assert "public.people.email" in text
    assert re.search(said, text)
    assert re.search(r"\d", text.replace("test-", ""))
    assert "@mail" not in text
    assert empty(place)


def test_an_error_of_the_source_tells_no_value(source: str, place: str) -> None:
    with pytest.raises(CopyError) as caught:
        copy(source, place, people__email="test-sql-breaks")
    assert "public.people" in str(caught.value)
    assert "@mail" not in str(caught.value) + repr(caught.value.__cause__)
    assert empty(place)


@pytest.mark.parametrize(("unfit", "value"), [("null", None), ("redact", "")])
def test_unfit_values_are_replaced_as_the_rule_says(
    source: str, place: str, unfit: str, value: str | None
) -> None:
    report = copy(source, place, people__email=("test-unfit", {}, unfit))
    after = [email for (email,) in rows(place, "email")]
    ones = [str(n).startswith("1") for n in range(1, ROWS + 1)]
    assert after == [value if one else "fit" for one in ones]
    assert report.tables[0].columns[0].unfit == sum(ones)


def test_engine_sql_refuses_a_strategy_without_sql(source: str, place: str) -> None:
    with pytest.raises(ConfigError, match="has no SQL"):
        copy(
            source, place, CopyOptions(engine="sql", modules=(MODULE,)), people__email="test-unfit"
        )
    assert empty(place)


def test_a_killed_worker_is_followed_by_another(source: str, place: str, tmp_path: Path) -> None:
    report = copy(source, place, people__email=("test-kills", {"flag": tmp_path / "flag"}))
    assert report.rows == ROWS
    assert rows(place, "email")[0] == ("survived 1",)
