"""Sample rows are masked and inserted before a copy: what only values can tell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.anonymization.planning import Planned
from confiture_flows.anonymization.registry import register_strategy, registered
from confiture_flows.anonymization.strategy import StrategyBase
from confiture_flows.anonymization.trial import try_plan
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.target import Target

Try = Callable[..., tuple[Finding, ...]]
EMAILS = {"strategy": "hash", "domain": "email"}


@pytest.fixture
def tried(shop: psycopg.Connection, planned: Callable[..., Planned], target: Target) -> Try:
    def run(*args: Any, on: Target | Path = target, **more: Any) -> tuple[Finding, ...]:
        found = planned(*args, **more)
        assert not found.plan.errors
        return try_plan(shop, found, target, on)

    return run


def errors(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in found if each.severity is Severity.ERROR]


def test_rules_that_fit_have_no_findings(tried: Try):
    assert tried({"public.customers.email": EMAILS, "public.customers.nick": "hash"}) == ()


def test_domain_and_check_are_tried(tried: Try, shop: psycopg.Connection):
    shop.execute("ALTER TABLE customers ADD CONSTRAINT nick_is_friendly CHECK (nick LIKE 'Nick%')")
    found = errors(tried({"public.customers.code": "hash"}))
    assert [code for code, _ in found] == ["trial.refused"]
    assert "40 of 40 sample rows of public.customers" in found[0][1]
    assert "short_code_check" in found[0][1]
    [(_, message)] = errors(tried({"public.customers.nick": "hash"}))
    assert "nick_is_friendly" in message


def test_what_rows_break_as_they_are_is_not_held_against_the_rules(
    tried: Try, shop: psycopg.Connection
):
    shop.execute("ALTER TABLE products ADD CONSTRAINT cheap CHECK (sku <> 'sku-1') NOT VALID")
    assert tried({"public.products.name": "hash"}) == ()


@pytest.mark.usefixtures("own_strategies")
@pytest.mark.parametrize(
    ("strategy", "column", "told"),
    [
        ("too-long", "public.orders.note", "more than 20 characters"),
        ("unchanged", "public.customers.nick", "unchanged"),
        ("raising", "public.customers.nick", "ZeroDivisionError"),
        ("no-text", "public.customers.nick", "int"),
    ],
)
def test_strategies_that_misbehave_are_stopped_without_a_value(
    tried: Try, shop: psycopg.Connection, strategy: str, column: str, told: str
):
    shop.execute("ALTER TABLE orders ADD note varchar(20) NOT NULL DEFAULT 'a secret note'")
    [(code, message)] = errors(tried({column: strategy}))
    assert code == "trial.strategy"
    assert column in message
    assert told in message
    assert "Nick" not in message
    assert "secret note" not in message


def test_strategy_that_hangs_is_told(
    shop: psycopg.Connection, planned: Callable[..., Planned], target: Target
):
    over = threading.Event()

    @register_strategy("hanging")
    def hanging(value: str) -> str:
        over.wait(60)
        return "x"

    try:
        found = planned({"public.customers.nick": "hanging"})
        told = errors(try_plan(shop, found, target, target, timeout=0.5))
    finally:
        over.set()
        registered.remove("hanging")
    [(code, message)] = told
    assert code == "trial.strategy"
    assert "public.customers.nick" in message
    assert "has not answered for 0.5 s, for 40 rows" in message


def test_duplicates_within_the_sample_are_counted(tried: Try, shop: psycopg.Connection):
    shop.execute("CREATE UNIQUE INDEX one_nick ON customers (born, left(nick, 1))")

    @register_strategy("one-day", accepts=("date",), unique="probable")
    def one_day(value: str) -> str:
        return "2000-01-01"

    try:
        [(_, message)] = errors(tried({"public.customers.born": "one-day"}))
    finally:
        registered.remove("one-day")
    assert "39 of 40 sample rows of public.customers are no longer unique" in message


def test_both_ends_that_cut_differently_are_told(tried: Try, shop: psycopg.Connection):
    shop.execute(
        "CREATE TABLE newsletters (email varchar(40) REFERENCES customers (email));"
        "INSERT INTO newsletters SELECT email FROM customers"
    )
    found = errors(tried({"public.customers.email": EMAILS}))
    assert [code for code, _ in found] == ["foreign_key.differs"]
    assert "40 of 40 values" in found[0][1]
    assert "newsletters" in found[0][1]


def test_a_folder_as_target_is_tried_on_a_server_of_its_own(tried: Try, tmp_path: Path):
    found = tried({"public.customers.code": "hash"}, on=tmp_path)
    assert [code for code, _ in errors(found)] == ["trial.refused"]


def test_trial_that_cannot_be_held_is_told_and_not_passed_over(tried: Try):
    nowhere = Target("staging", "postgresql://nobody@127.0.0.1:1/staging")
    [found] = tried({"public.customers.code": "hash"}, on=nowhere)
    assert (found.code, found.severity) == ("trial.not_possible", Severity.WARNING)
    assert "127.0.0.1:1" in found.message


def test_what_the_source_masks_is_tried_by_its_sql(tried: Try, shop: psycopg.Connection):
    def by(expression: str) -> dict[str, Any]:
        return {"strategy": "sql", "config": {"expression": expression}}

    shop.execute("ALTER TABLE customers ADD CONSTRAINT short CHECK (length(nick) < 12)")
    assert tried({"public.customers.nick": by("left({column}, 2)")}) == ()
    [(code, message)] = errors(tried({"public.customers.nick": by("{column} || ' Longer'")}))
    assert (code, "short" in message) == ("trial.refused", True)

    @register_strategy("forgetful")
    class Forgetful(StrategyBase):
        """Its SQL is not what its Python is."""

        def anonymize(self, value: str, *others: Any) -> str:
            return "x"

        def to_sql(self, column: str, *others: str) -> str:
            return column

    broken = by("{column} || repeat('x', 1 / (length({column}) - length({column})))")
    try:
        found = tried({"public.customers.nick": broken, "public.products.name": "forgetful"})
    finally:
        registered.remove("forgetful")
    told = {message.split(":")[0]: message for _, message in errors(found)}
    assert "division by zero (22012)" in told["public.customers.nick"]
    assert "gave 10 of 10 different values back unchanged" in told["public.products.name"]
