"""Strategies by name: classes, functions, built-in ones, module:Class."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from confiture_flows.anonymization.describe import example_strategy
from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.registry import StrategyRegistry, built_in_names, registered
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.strategy import Column
from confiture_flows.anonymization.validator import ConfigValidator
from confiture_flows.errors import ConfigError
from confiture_flows.plugins import StrategyBase, register_strategy

SECRET = Secret(b"0123456789abcdef0123456789abcdef")
NAME = Column("public", "users", "name", "text")


def rule(strategy: str, **config: object) -> ColumnRule:
    return ColumnRule(Pattern.read("public.users.name", 3), strategy, config)


@pytest.fixture
def registry() -> StrategyRegistry:
    return StrategyRegistry()


def test_class_is_found_by_its_name(registry: StrategyRegistry):
    @register_strategy("initial", registry=registry)
    class Initial(StrategyBase):
        def anonymize(self, value: str, *others: object) -> str:
            return value[:1]

    assert registry.find("initial") is Initial
    assert Initial.name == "initial"


def test_function_takes_its_keywords_as_configuration(registry: StrategyRegistry):
    @register_strategy("stars", registry=registry)
    def stars(value: str, *, sign: str = "*") -> str:
        """Signs."""
        return sign * len(value)

    made = StrategyFactory(registry=registry).make(rule("stars", sign="#"), NAME)
    assert made.anonymize_batch(["ab", "c"]) == ["##", "#"]
    with pytest.raises(ConfigError, match="has no option sing"):
        ConfigValidator(registry).validate("stars", {"sing": "#"})


def test_annotation_says_what_a_function_takes(registry: StrategyRegistry):
    @register_strategy("year", registry=registry)
    def year(value: datetime.date) -> datetime.date:
        return value.replace(month=1, day=1)

    found = registry.find("year")
    assert (found.takes, found.accepts) == ("python", ("date",))
    with pytest.raises(ConfigError, match=r"is text; the strategy 'year' takes date"):
        StrategyFactory(registry=registry).make(rule("year"), NAME)


def test_two_of_one_name_are_refused_with_both_origins(registry: StrategyRegistry):
    @register_strategy("one", registry=registry)
    def first(value: str) -> str:
        return value + "1"

    with pytest.raises(ConfigError, match=r"first and .*second"):

        @register_strategy("one", registry=registry)
        def second(value: str) -> str:
            return value + "2"

    with pytest.raises(ConfigError, match=r"confiture_flows\.anonymization\.strategies\.hash"):
        register_strategy("hash", registry=registry)(first)


def test_unknown_strategy_names_those_there_are(registry: StrategyRegistry):
    with pytest.raises(ConfigError, match="no strategy 'emial'") as caught:
        registry.find("emial")
    assert "keep" in str(caught.value.next_step)


def test_missing_secret_is_refused(registry: StrategyRegistry):
    with pytest.raises(ConfigError, match="needs a secret"):
        StrategyFactory().make(rule("hash"), NAME)


@pytest.mark.parametrize("name", built_in_names())
def test_built_in_strategy_is_found_and_documented(name: str):
    found = registered.find(name)
    assert found.name == name
    assert found.__doc__


@pytest.mark.parametrize(
    ("name", "config", "told"),
    [
        ("email", {"domain": "x.com"}, "'email': domain: is not reserved; use example.com"),
        ("array", {"element": 3}, "'array': element: Input should be a valid dictionary."),
        ("jsonb", {"paths": {"$.a": {"strategy": "x", "typ": "y"}}}, "no option paths.$.a.typ."),
        ("template", {"template": "{a}", "parts": {"a": {}}}, "parts.a.strategy: Field required."),
        ("bucket", {"width": 1, "edges": [1]}, "'bucket': config: give either width or edges."),
    ],
)
def test_wrong_option_is_told_by_its_place(name: str, config: dict[str, Any], told: str):
    with pytest.raises(ConfigError, match=re.escape(told)):
        ConfigValidator().validate(name, config)


def test_what_does_not_fit_is_told_once():
    of = Column("public", "people", "value", "text[]")
    with pytest.raises(
        ConfigError, match=r"does not fit text\[\]: There is no strategy 'emial'\.$"
    ):
        example_strategy(registered.find("array"), "array", {"element": "emial"}, of)
