"""Built-in strategies: what all of them hold to."""

from __future__ import annotations

import pickle
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue
from confiture_flows.errors import ConfigError

from .strategy_cases import CASES, DP, OTHER_SECRET, Case, make

each_case = pytest.mark.parametrize("case", CASES, ids=str)


def masked(strategy: StrategyBase, case: Case) -> list[Any]:
    return list(strategy.anonymize_batch(case.values, *case.others))


@each_case
def test_batch_equals_scalar_and_both_are_deterministic(case: Case):
    one_by_one = list(map(case.make().anonymize, case.values, *case.others))
    assert masked(case.make(), case) == one_by_one
    assert masked(pickle.loads(pickle.dumps(case.make())), case) == one_by_one


@each_case
def test_result_depends_on_the_key_where_it_says_so(case: Case):
    strategy = case.make()
    fixed = {"generalise", "zero"} & {str(each) for each in case.config.values()}
    same = masked(strategy, case) == masked(case.make(OTHER_SECRET), case)
    keyed = (strategy.keyed or strategy.composite) and not fixed
    assert same is not keyed


@each_case
def test_no_value_stays_unless_it_may(case: Case):
    strategy = case.make()
    # A permutation has values that come back: one in as many as there are of their form.
    if not strategy.keeps and strategy.unique != "bijective":
        pairs = zip(case.values, masked(strategy, case), strict=True)
        assert [value for value, made in pairs if value == made] == []


@each_case
def test_empty_batch(case: Case):
    assert list(case.make().anonymize_batch((), *((),) * len(case.others))) == []


@pytest.mark.parametrize("room", [33, 40, 60])
@pytest.mark.parametrize(
    "case", [each for each in CASES if each.type == "text" and each.strategy != "uuid"], ids=str
)
def test_results_fit_the_column(case: Case, room: int):
    values = [each for each in case.values if len(each) <= room]
    if values:
        made = case.make(max_length=room).anonymize_batch(values)
        assert max(map(len, made)) <= room


def numbered(count: int) -> list[str]:
    return [f"user{number}@shop.invalid" for number in range(count)]


OF_A_PERSON = {"strategy": "date-shift", "type": "date", "config": {"person": "a"}}
UNIQUE: list[tuple[str, str, dict[str, Any], int]] = [
    ("email", "text", {}, 1_000_000),
    # Of so many values some would meet if there were room for 32 bits alone.
    ("hash", "text", {}, 200_000),
    ("uuid", "text", {}, 200_000),
    ("phone", "text", {"unique": True}, 200_000),
    ("ip", "inet", {"unique": True}, 200_000),
    ("user-name", "text", {}, 200_000),
    ("url", "text", {}, 200_000),
    ("credit-card", "text", {"unique": True}, 200_000),
    ("iban", "text", {"unique": True}, 200_000),
]


@pytest.mark.parametrize(("name", "type_name", "config", "count"), UNIQUE)
def test_many_values_stay_different(name: str, type_name: str, config: dict[str, Any], count: int):
    strategy = make(name, type_name, **config)
    assert strategy.unique != "no"
    assert len(set(strategy.anonymize_batch(numbered(count)))) == count


@pytest.mark.parametrize(
    ("name", "config", "most"),
    [
        ("name", {"part": "first"}, 400),
        ("name", {"part": "last", "locale": "ja"}, 207),
        ("constant", {"value": "x"}, 1),
        ("redact", {}, 1),
        ("phone", {"region": "de"}, 5000),
        ("ip", {}, 762),
        ("city", {}, 99),
        ("pick", {"values": ("a", "b", "c")}, 3),
    ],
)
def test_capacity_is_what_can_be_made(name: str, config: dict[str, Any], most: int):
    strategy = make(name, **config)
    assert strategy.capacity() == most
    assert len(set(strategy.anonymize_batch(numbered(most * 20)))) == most


@pytest.mark.parametrize(
    ("name", "type_name", "config", "values"),
    [
        ("number-noise", "numeric", {"share": 0.1}, ["NaN", "Infinity", "-Infinity"]),
        ("number-noise", "float8", {"share": 0.1}, ["NaN", "Infinity", "0"]),
        ("number-noise", "int4", {"amount": 5, "at_least": 100}, ["0", "90"]),
        ("date-shift", "date", {}, ["infinity", "-infinity", "", "31.12.2024", "2024-02-30"]),
        ("date-shift", "date", {}, ["5874897-12-31"]),
        ("date-truncate", "date", {}, ["", "2024-1-1", "2024-02-30", "2024-01-01 00:00:00"]),
        ("date-truncate", "timestamptz", {}, ["2024-01-01", "2024-01-01 00:00:00", "now"]),
        ("bucket", "numeric", {"width": 10}, ["NaN", "Infinity", ""]),
        ("postcode", "text", {}, ["", "--", "\uff11\uff12"]),
        ("postcode", "text", {"keep": 8}, ["123", "12345678"]),
        ("permute", "text", {}, ["", "--", "Zoë", "名", "a" * 41]),
        ("jsonb", "jsonb", {"paths": {"$.a": "email"}}, ['{"a": 1}', "{", "[]", '{"a": {}}']),
        ("jsonb", "jsonb", {"paths": {"$.a[*]": "email"}}, ['{"a": "b"}', '{"a": [true]}']),
        ("array", "text[]", {"element": "email"}, ["", "a,b", "{a"]),
        ("ip", "text", {"form": "prefix"}, ["", "10.0.0.256", "localhost", "fe80::1%eth0"]),
    ],
)
def test_value_that_cannot_be_read_is_unfit(
    name: str, type_name: str, config: dict[str, Any], values: list[str]
):
    strategy = make(name, type_name, **config)
    for value in values:
        for _ in range(3):
            with pytest.raises(UnfitValue):
                strategy.anonymize(value)


@pytest.mark.parametrize(
    ("name", "type_name", "column", "config", "why"),
    [
        ("email", "text", {}, {"domain": "gmail.com"}, "reserved"),
        ("email", "varchar", {"max_length": 15}, {}, "too few"),
        ("uuid", "varchar", {"max_length": 35}, {}, "a UUID has 36"),
        ("name", "varchar", {"max_length": 1}, {}, "too few"),
        (
            "name",
            "varchar",
            {"max_length": 1},
            {"part": "last"},
            "fewer characters than the shortest has",
        ),
        ("address", "varchar", {"max_length": 2}, {}, "column takes fewer characters"),
        ("phone", "varchar", {"max_length": 8}, {}, "numbers have 12"),
        ("phone", "varchar", {"max_length": 9}, {"unique": True}, "too few"),
        ("constant", "varchar", {"max_length": 2}, {"value": "abc"}, "longer"),
        ("constant", "mood", {"labels": ("sad", "ok")}, {"value": "abc"}, "none of sad, ok"),
        ("number-noise", "int4", {}, {}, "share or amount"),
        ("number-noise", "int4", {}, {"amount": 1.5}, "whole number"),
        ("ip", "cidr", {}, {"form": "prefix"}, "no host"),
        ("ip", "inet", {}, {"form": "prefix", "unique": True}, "unique needs"),
        ("date-truncate", "date", {}, {"to": "day"}, "cannot be cut"),
        ("bucket", "int4", {}, {"width": 2.5}, "whole"),
        ("bucket", "int4", {}, {"width": 2, "edges": (1,)}, "width or edges"),
        ("bucket", "int4", {}, {"edges": (2, 1)}, "ascend"),
        ("pick", "mood", {"labels": ("sad",)}, {"values": ("sad", "mad")}, "none of sad"),
        ("pick", "text", {}, {"values": ("a", "b"), "weights": (1,)}, "as many weights"),
        ("free-text", "text", {}, {"also": ("(",)}, "no regular expression"),
        ("free-text", "text", {}, {"also": ("x*",)}, "empty text"),
        ("credit-card", "varchar", {"max_length": 15}, {}, "a number has 16"),
        ("iban", "varchar", {"max_length": 21}, {}, "an IBAN has 22"),
        ("array", "text", {}, {"element": "email"}, "no array"),
        ("array", "int4[]", {}, {"element": "email"}, "not int4"),
        ("array", "text[]", {}, {"element": "emial"}, "no strategy 'emial'"),
        ("jsonb", "jsonb", {}, {"paths": {"email": "email"}}, "no path"),
        ("jsonb", "jsonb", {}, {"paths": {"$.a[0]": "email"}}, "no path"),
        ("jsonb", "jsonb", {}, {"paths": {"$.a": OF_A_PERSON}}, "needs other columns"),
        ("template", "text", {}, {"template": "{who}"}, "not in parts"),
        ("template", "text", {}, {"template": "who"}, "no parts"),
        ("template", "text", {}, {"template": "{digits:3}", "parts": {"a": "name"}}, "no {a}"),
        ("dp-noise", "int2", {}, {**DP, "at_most": 40000}, "leave int2"),
        ("null", "text", {"nullable": False}, {}, "NOT NULL"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    name: str, type_name: str, column: dict[str, Any], config: dict[str, Any], why: str
):
    with pytest.raises(ConfigError, match=why):
        make(name, type_name, column=column, **config)


@given(some.text(), some.integers(0, 5), some.integers(0, 5), some.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_partial_mask_hides_at_least_what_it_says(value: str, first: int, last: int, hide: int):
    made = make("partial-mask", first=first, last=last, hide=hide, sign="\0").anonymize(value)
    assert len(made) == max(len(value), 1)
    assert made.count("\0") >= min(hide, len(made))


@given(some.integers(-(2**31), 2**31 - 1), some.integers(1, 2**30))
@settings(max_examples=200, deadline=None)
def test_noise_is_bounded_and_never_nothing(value: int, amount: int):
    made = int(make("number-noise", "int4", amount=amount).anonymize(str(value)))
    assert 0 < abs(made - value) <= amount
    assert -(2**31) <= made < 2**31


def test_dates_of_a_person_keep_their_order_and_distance():
    strategy = make("date-shift", "date", person="patient", days=30)
    assert strategy.needs() == ("patient",)
    dates = ["2024-01-01", "2024-01-11", "2024-03-01", "2024-01-01"]
    first, second, third, other = strategy.anonymize_batch(dates, ["a", "a", "a", "b"])
    days = {"2024-01-01", first, other}
    assert len(days) == 3
    read = date.fromisoformat
    assert (read(second) - read(first)).days == 10
    assert (read(third) - read(first)).days == 60
    assert 0 < abs((read(first) - date(2024, 1, 1)).days) <= 30
    with pytest.raises(UnfitValue):
        strategy.anonymize("2024-01-01", None)
