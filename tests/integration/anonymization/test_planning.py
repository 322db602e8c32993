"""What is wrong with rules is found before a byte moves, all of it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from confiture_flows._anonymization_config import DetectionConfig
from confiture_flows.anonymization.checks import MaskedTable
from confiture_flows.anonymization.plan import stop_if_refused
from confiture_flows.anonymization.planning import Planned
from confiture_flows.anonymization.rules import Rules
from confiture_flows.anonymization.source import read_source
from confiture_flows.anonymization.uncovered import find_uncovered
from confiture_flows.errors import ConfigError, GateError
from confiture_flows.report.finding import Severity

Plan = Callable[..., Planned]
HASHED = {"strategy": "hash", "domain": "email"}

MISTAKES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "a misspelt column",
        {"columns": {"public.customers.emial": "hash"}},
        "rule.names_nothing",
        "emial",
    ),
    (
        "a misspelt table",
        {"columns": {"public.custmers.*": "hash"}},
        "rule.names_nothing",
        "custmers",
    ),
    (
        "a misspelt table rule",
        {"tables": {"public.oders": {"rows": False}}},
        "rule.names_nothing",
        "oders",
    ),
    (
        "a misspelt seed",
        {"subset": {"public.custmers": "id = 1"}},
        "rule.names_nothing",
        "custmers",
    ),
    ("a misspelt allow", {"allow": ("*.*.emial",)}, "rule.names_nothing", "emial"),
    (
        "a pattern that only meets a generated column",
        {"columns": {"*.*.lou?": "hash"}},
        "rule.names_nothing",
        "computes anew",
    ),
    (
        "two equally precise rules",
        {"columns": {"*.customers.nick": "hash", "public.*.nick": "null"}},
        "rule.ambiguous",
        "public.customers.nick",
    ),
    ("an unknown strategy", {"columns": {"public.customers.nick": "hsah"}}, "rule.wrong", "'hsah'"),
    (
        "an unknown option",
        {"columns": {"public.customers.nick": {"strategy": "hash", "config": {"size": 3}}}},
        "rule.wrong",
        "size",
    ),
    (
        "a strategy that fails when it is made",
        {"columns": {"public.customers.nick": "tests.integration.leaky_strategies:Unready"}},
        "rule.wrong",
        "leaky_strategies:Unready' cannot be made: KeyError: 'no such table'",
    ),
    (
        "a strategy whose process dies when it is made",
        {"columns": {"public.customers.nick": "tests.integration.leaky_strategies:Isolated"}},
        "rule.wrong",
        "public.customers.nick: It took longer than 1 s",
    ),
    (
        "a type that is not accepted",
        {"columns": {"public.customers.born": "hash"}},
        "rule.wrong",
        "date",
    ),
    ("null for NOT NULL", {"columns": {"public.products.name": "null"}}, "rule.wrong", "NOT NULL"),
    (
        "on_unfit null for NOT NULL",
        {"columns": {"public.products.name": {"strategy": "hash", "on_unfit": "null"}}},
        "rule.not_null",
        "public.products.name",
    ),
    (
        "redact where there is no empty value",
        {"columns": {"public.products.sizes": {"strategy": "keep", "on_unfit": "redact"}}},
        "rule.no_redaction",
        "int4range",
    ),
    (
        "a generated column",
        {"columns": {"public.customers.loud": "hash"}},
        "rule.generated",
        "nick",
    ),
    (
        "a partition key",
        {"columns": {"public.visits.at": "null"}},
        "rule.partition_key",
        "public.visits.at",
    ),
    (
        "a unique column and a strategy that promises nothing",
        {
            "columns": {
                "public.customers.email": "lower-case",
                "public.orders.customer_email": "null",
            }
        },
        "unique.not_promised",
        "customers_email_key",
    ),
    (
        "two ends of a foreign key under different strategies",
        {"columns": {"public.customers.email": "hash", "public.orders.customer_email": "keep"}},
        "foreign_key.contradiction",
        "public.orders.customer_email",
    ),
    (
        "two ends in different domains",
        {"columns": {"public.customers.email": HASHED, "public.orders.customer_email": "hash"}},
        "foreign_key.contradiction",
        "public.customers.email",
    ),
    (
        "a condition that PostgreSQL refuses",
        {"tables": {"public.products": {"where": "colour = 'red'"}}},
        "rule.wrong_condition",
        "colour",
    ),
    (
        "a sample of a table that refers to itself",
        {"tables": {"public.orders": {"sample": 0.5}}},
        "rows.circle",
        "orders_follows_fkey",
    ),
]


@pytest.mark.usefixtures("own_strategies")
@pytest.mark.parametrize(
    ("said", "code", "told"), [each[1:] for each in MISTAKES], ids=[each[0] for each in MISTAKES]
)
def test_mistakes_refuse_the_copy(planned: Plan, said: dict[str, Any], code: str, told: str):
    found = planned(**said)
    errors = [each for each in found.plan.errors if each.code == code]
    assert errors, [each.code for each in found.plan.errors]
    assert any(told in each.message for each in errors)
    assert all(each.next_step for each in errors)
    with pytest.raises(ConfigError, match=r"othing was copied"):
        stop_if_refused(found.plan)


def test_without_a_secret_a_keyed_strategy_is_refused(planned: Plan):
    found = planned({"public.customers.nick": "hash"}, secret=None)
    assert [each.code for each in found.plan.errors] == ["rule.wrong"]
    assert "needs a secret" in found.plan.errors[0].message


def test_all_mistakes_are_told_at_once(planned: Plan):
    found = planned(
        {"public.customers.emial": "hash", "public.customers.nick": "hsah"},
        tables={"public.oders": {"rows": False}},
    )
    with pytest.raises(ConfigError) as told:
        stop_if_refused(found.plan)
    assert all(word in told.value.message for word in ("emial", "hsah", "oders", "3 mistakes"))


def test_expected_collisions_are_told_as_a_number(planned: Plan, shop: psycopg.Connection):
    shop.execute(
        "INSERT INTO customers (email) SELECT 'x' || g || '@example.org'"
        " FROM generate_series(100, 50000) AS g; ANALYZE customers"
    )
    short = {"strategy": "hash", "config": {"length": 8}}
    found = planned({"public.customers.email": short})
    [error] = [each for each in found.plan.errors if each.code == "unique.collisions"]
    # 50,000 values among 16**8 results: about 0.29 pairs.
    assert "about 0.29 would collide" in error.message
    long = planned({"public.customers.email": "hash"})
    assert not [each for each in long.plan.errors if each.code == "unique.collisions"]


def test_unique_expression_of_values_that_stay_different_is_told(
    planned: Plan, shop: psycopg.Connection
):
    shop.execute("CREATE UNIQUE INDEX ON products (lower(sku))")
    found = planned({"public.products.sku": "permute"}).findings
    assert [each.severity for each in found if each.code == "unique.of_expression"] == [
        Severity.WARNING
    ]


def test_foreign_keys_carry_a_rule_to_their_other_ends(planned: Plan):
    for named, other in (
        ("public.customers.email", "public.orders.customer_email"),
        ("public.orders.customer_email", "public.customers.email"),
    ):
        found = planned({named: HASHED})
        assert not found.plan.errors
        rules = {
            str(each.column): each.rule for table in found.plan.tables for each in table.columns
        }
        assert rules[other] == rules[named]
        [told] = [each for each in found.findings if each.code == "foreign_key.carried_on"]
        assert other in told.message
        assert told.severity is Severity.INFO


def test_reference_that_becomes_null_asks_nothing_of_the_other_end(planned: Plan):
    found = planned({"public.orders.customer_email": "null"})
    assert not found.plan.errors
    rules = {str(each.column): each.rule for table in found.plan.tables for each in table.columns}
    assert rules["public.customers.email"] is None


def test_rules_of_a_partitioned_table_are_those_of_its_partitions(planned: Plan):
    found = planned({"public.visits.who": "hash", "public.visits_new.who": "null"})
    assert not found.plan.errors
    strategies = {
        table.name: [each.rule.strategy for each in table.columns if each.rule]
        for table in found.plan.tables
        if table.name.startswith("visits")
    }
    assert strategies == {"visits_old": ["hash"], "visits_new": ["null"]}


def test_referenced_tables_come_first(planned: Plan):
    names = [table.name for table in planned().plan.tables]
    assert names.index("customers") < names.index("orders") < names.index("order_items")
    assert names.index("products") < names.index("order_items")


def test_personal_columns_without_a_rule_are_told(planned: Plan):
    found = planned({"public.orders.customer_email": HASHED})
    told = {
        each.message.split()[0]: each for each in found.findings if each.code == "personal.no_rule"
    }
    assert set(told) == {"public.customers.born", "public.visits.ip"}
    assert told["public.visits.ip"].next_step
    assert told["public.visits.ip"].severity is Severity.WARNING
    silent = planned(
        {"public.orders.customer_email": HASHED}, allow=("public.visits.ip", "*.*.born")
    )
    assert not [each for each in silent.findings if each.code == "personal.no_rule"]


def looks(found: Planned) -> set[str]:
    return {
        each.message.removesuffix(" and is copied as it is.")
        for each in found.findings
        if each.code == "personal.no_rule" and "odd" in each.message
    }


def test_values_tell_of_columns_whose_names_say_nothing(shop: psycopg.Connection, planned: Plan):
    shop.execute(
        "CREATE TABLE odd (id int, attr text, masked text, doc jsonb, email text);"
        "INSERT INTO odd SELECT n, 'planted' || n || '@mail.org', 'planted' || n || '@mail.org',"
        " jsonb_build_object('tel', '+49 30 9018' || 100 + n), 'template-' || n"
        " FROM generate_series(1, 100) AS n"
    )
    columns = {"public.orders.customer_email": HASHED, "public.odd.masked": "hash"}
    found = planned(columns)
    assert looks(found) == {
        "public.odd.attr looks like e-mail (100 of 100 samples are e-mail addresses)",
        "public.odd.doc looks like phone at $.tel ('tel'; 100 of 100 samples are phone numbers)",
    }
    assert not [each for each in found.findings if "planted" in each.message]
    assert looks(planned(columns, detection=DetectionConfig(samples=0))) == {
        "public.odd.email looks like e-mail ('email')"
    }


def test_table_that_cannot_be_sampled_is_judged_by_names_and_named(
    shop: psycopg.Connection, dsn: str
):
    shop.execute("CREATE TABLE held (email text)")
    source = read_source(shop)
    tables = tuple(MaskedTable(each, {}, {}) for each in source.tables if each.name == "held")
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        found = find_uncovered(shop, Rules(), source, tables)
    assert [each.category for each in found.detections.values()] == ["e-mail"]
    (finding,) = found.unread
    assert finding.message == (
        "public.held: its columns without a rule were judged by their names alone: somebody holds "
        "a lock on it."
    )


def test_rule_to_paste_names_any_name(shop: psycopg.Connection, planned: Plan):
    shop.execute("""CREATE TABLE "o'dd" ("e""mail" text, " phone[1]" text)""")
    [one, other] = [
        next(iter(tomllib.loads(each.next_step or "")))
        for each in planned({}).findings
        if each.code == "personal.no_rule" and "o'dd" in each.message
    ]
    found = planned({one: "hash", other: "hash"})
    assert not found.plan.errors
    [table] = [each for each in found.plan.tables if each.name == "o'dd"]
    assert len(table.masked) == 2


def test_deny_lists_what_has_no_rule_ready_to_paste(planned: Plan):
    columns = {"public.customers.*": "keep", "*.orders.*": "keep", "*.order_items.*": "keep"}
    found = planned(columns, allow=("*.visits*.*", "public.products.name"), unlisted="deny")
    with pytest.raises(GateError) as told:
        stop_if_refused(found.plan)
    # "*.products.sku" is kept already: a foreign key ties it to order_items.
    assert told.value.next_step is None or "sku" not in told.value.next_step
    found = planned(columns, unlisted="deny")
    with pytest.raises(GateError) as told:
        stop_if_refused(found.plan)
    assert '"public.products.name" = "keep"' in str(told.value.next_step)
