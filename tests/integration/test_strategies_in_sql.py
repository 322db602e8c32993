"""The SQL of built-in strategies gives on a live server what Python gives."""

from __future__ import annotations

import random
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.unit.anonymization.strategy_cases import (
    ADDRESSES,
    CASES,
    DATES,
    INTEGERS,
    TEXTS,
    TIMES,
    UUIDS,
    ZONED,
    Case,
)

WITH_SQL = [case for case in CASES if case.make().to_sql("value") is not None]


def odd_texts() -> list[str]:
    """Several hundred texts of odd characters, the same in every run."""
    chance = random.Random(1)
    signs = "ab Z\\'\"%_$\n\t\r,;{}🙂é\u0301\u200bßİ名" + "\x7f\x01\u2028"
    return ["".join(chance.choice(signs) for _ in range(chance.randrange(12))) for _ in range(300)]


def odd_values(type_name: str) -> list[str]:
    chance = random.Random(2)
    numbers = [str(chance.randrange(-32768, 32768)) for _ in range(300)]
    return {
        "text": [*TEXTS, *odd_texts()],
        "int2": [*INTEGERS, *numbers],
        "int4": [*INTEGERS, *numbers, "2147483647", "-2147483648", "2147483000"],
        "int8": [*INTEGERS, *numbers, str(2**63 - 1), str(-(2**63)), "9007199254740993"],
        "uuid": list(UUIDS),
        "inet": list(ADDRESSES),
        "date": [
            *DATES,
            "infinity",
            "-infinity",
            *(f"20{n:02}-{n % 12 + 1:02}-28" for n in range(99)),
        ],
        "timestamp": [*TIMES, "infinity", "2024-05-05 05:05:05"],
        "timestamptz": [*ZONED, "-infinity", "2024-03-31 01:30:00+00"],
    }[type_name]


@pytest.mark.parametrize("case", WITH_SQL, ids=str)
def test_sql_equals_python(case: Case, conn: psycopg.Connection[Any]):
    strategy = case.make()
    expression = strategy.to_sql("data.value")
    assert expression is not None
    if strategy.keyed:
        for name, value in strategy.key.settings.items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, value))
    conn.execute("SET TIME ZONE 'UTC'")
    values = odd_values(case.type)
    made = conn.execute(
        sql.SQL(
            "SELECT ({})::{type}::text FROM unnest(%s::{type}[])"
            " WITH ORDINALITY AS data(value, place) ORDER BY place"
        ).format(sql.SQL(expression), type=sql.Identifier(case.type)),  # pyright: ignore
        (values,),
    ).fetchall()
    wanted = conn.execute(
        sql.SQL(
            "SELECT value::{type}::text FROM unnest(%s::text[])"
            " WITH ORDINALITY AS data(value, place) ORDER BY place"
        ).format(type=sql.Identifier(case.type)),
        (list(strategy.anonymize_batch(values)),),
    ).fetchall()
    assert [row[0] for row in made] == [row[0] for row in wanted]


@pytest.mark.parametrize("case", WITH_SQL, ids=str)
def test_sql_leaves_null_as_it_is(case: Case, conn: psycopg.Connection[Any]):
    strategy = case.make()
    if strategy.keyed:
        for name, value in strategy.key.settings.items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, value))
    query = sql.SQL("SELECT {} FROM (SELECT NULL::{} AS value) AS data").format(
        sql.SQL(strategy.to_sql("data.value") or ""),  # pyright: ignore
        sql.Identifier(case.type),
    )
    row = conn.execute(query).fetchone()
    assert row == (None,)


def test_many_strategies_have_sql():
    made = {case.strategy for case in WITH_SQL}
    assert made >= {"hash", "email", "uuid", "name", "address", "constant", "redact"}
    assert made >= {"partial-mask", "number-noise", "ip"}
