"""The test kit finds what is wrong with a strategy, names it, and shows the smallest value."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from confiture_flows.anonymization.registry import built_in_names, register_strategy
from confiture_flows.anonymization.strategy import Column, StrategyBase, UnfitValue
from confiture_flows.anonymization.testing import (
    StrategyDefect,
    check_strategy,
    examine_strategy,
)
from confiture_flows.errors import ConfigError
from confiture_flows.postgres import Server

_count = itertools.count()


class Good(StrategyBase):
    """A pseudonym, in Python and SQL."""

    keyed = True
    unique = "probable"

    class Config(StrategyBase.Config):
        length: int = 16

    def anonymize(self, value: str, *others: Any) -> str:
        return self.key.digest(value.encode()).hex()[: self.config.length]

    def to_sql(self, column: str, *others: str) -> str:
        return f"left(encode({self.key.sql(column)}, 'hex'), {self.config.length})"

    def capacity(self) -> int:
        return 16**self.config.length


class Unchanged(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        return super().anonymize(value) if "@" in value else value


class Flaky(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        return f"x{next(_count)}"


class SameKey(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        return "x" + value[::-1]


class TooLong(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        return super().anonymize(value) * (4 if len(value) > 3 else 1)


class Raises(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        return super().anonymize(value[0] + value)


class NoText(Good):
    def anonymize(self, value: str, *others: Any) -> Any:
        return len(value)


class Nul(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        return "\0"


class OtherBatch(Good):
    def anonymize_batch(self, values: Any, *others: Any) -> list[str]:
        return [self.anonymize(value).upper() for value in values]


class ShortBatch(Good):
    def anonymize_batch(self, values: Any, *others: Any) -> list[str]:
        return [self.anonymize(value) for value in dict.fromkeys(values)]


class GreedyBatch(Good):
    def anonymize_batch(self, values: Any, *others: Any) -> list[str]:
        values.sort()
        return [self.anonymize(value) for value in values]


class Colliding(Good):
    unique = "bijective"

    def anonymize(self, value: str, *others: Any) -> str:
        return super().anonymize(value[:3])


class SmallCapacity(Good):
    def capacity(self) -> int:
        return 5


class Forgetful(Good):
    def prepare(self) -> None:
        self.salt = str(next(_count))

    def anonymize(self, value: str, *others: Any) -> str:
        return super().anonymize(value + self.salt)


class Undecided(Good):
    def validate(self, value: str) -> bool:
        return True

    def anonymize(self, value: str, *others: Any) -> str:
        if value.isdigit():
            raise UnfitValue
        return super().anonymize(value)


class Half(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        return super().anonymize(value)[1:] + "\ud83d"


class Leaves(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        raise SystemExit(value)


class VagueValidate(Good):
    def validate(self, value: str) -> Any:
        return value


class NothingFits(Good):
    def anonymize(self, value: str, *others: Any) -> str:
        raise UnfitValue


class OtherSql(Good):
    def to_sql(self, column: str, *others: str) -> str:
        return f"left(encode({self.key.sql(f'lower({column})')}, 'hex'), {self.config.length})"


class BrokenSql(Good):
    def to_sql(self, column: str, *others: str) -> str:
        return f"left({column}, 'x')"


class SomeBrokenSql(Good):
    def to_sql(self, column: str, *others: str) -> str:
        good = super().to_sql(column)
        broken = f"(1 / (length({column}) * 0))::text"
        return f"CASE WHEN length({column}) > 5 THEN {broken} ELSE {good} END"


class LeakySql(Good):
    """Python refuses what SQL hands back."""

    def anonymize(self, value: str, *others: Any) -> str:
        if "@" not in value:
            raise UnfitValue
        return super().anonymize(value)

    def to_sql(self, column: str, *others: str) -> str:
        good = super().to_sql(column)
        return f"CASE WHEN {column} LIKE '%@%' THEN {good} ELSE {column} END"


class SqlOnly(StrategyBase):
    def to_sql(self, column: str, *others: str) -> str:
        return f"reverse(reverse({column}))"


@pytest.mark.parametrize(
    ("broken", "name", "why"),
    [
        (Unchanged, "changes", "values come back as they were"),
        (Flaky, "deterministic", "the second time"),
        (SameKey, "key", "says keyed = True"),
        (TooLong, "type", "gives 64 characters for a column of 40"),
        (Raises, "unfit", "raises IndexError, not UnfitValue"),
        (NoText, "type", "gives a int, not a str"),
        (Nul, "type", "NUL"),
        (Half, "type", "half a character"),
        (Leaves, "unfit", "raises SystemExit, not UnfitValue"),
        (OtherBatch, "batch", "another result than anonymize"),
        (ShortBatch, "batch", "for "),
        (GreedyBatch, "batch", "changes the list"),
        (Colliding, "injective", "gives one result for both"),
        (SmallCapacity, "injective", r"capacity\(\) 5"),
        (Forgetful, "deterministic", "another instance"),
        (Undecided, "validate", "says True, and anonymize raises UnfitValue"),
        (VagueValidate, "validate", "not True or False"),
        (NothingFits, "unfit", "none of the samples fits"),
        (OtherSql, "sql", "to_sql gives"),
        (BrokenSql, "sql", "invalid input syntax"),
        (SomeBrokenSql, "sql", "division by zero"),
        (LeakySql, "sql", "hands back a value that anonymize refuses"),
        (SqlOnly, "sql", "values come back"),
    ],
)
def test_each_broken_promise_is_found(
    broken: type[StrategyBase], name: str, why: str, server: Server
):
    with pytest.raises(StrategyDefect, match=why) as caught:
        check_strategy(broken, column="varchar", dsn=server.dsn)
    assert name in {each.property for each in caught.value.check.broken}


def test_a_good_strategy_holds(server: Server):
    check = check_strategy(Good, {"length": 12}, dsn=server.dsn)
    assert {each.type for each in check.results} == {"text", "varchar"}
    assert {each.outcome for each in check.results} == {"holds"}
    assert check.values > 200


def test_the_example_is_the_smallest(server: Server):
    check = examine_strategy(TooLong, column="varchar", dsn=server.dsn)
    (broken,) = [each for each in check.broken if each.property == "type"]
    assert broken.example is not None
    assert len(eval(broken.example)) == 4


def test_random_results_are_allowed_by_name():
    check = check_strategy(
        Flaky, column="text", without=["deterministic", "batch", "pickles", "sql"]
    )
    left = {each.property for each in check.results if each.why == "as asked"}
    assert left == {"deterministic", "batch", "pickles", "sql"}


def test_functions_and_psycopgs_objects(server: Server):
    def odd(value: int, *, step: int = 3) -> int:
        return value - step if value > 0 else value + step

    check = examine_strategy(odd, {"step": 7}, dsn=server.dsn, without=["pickles"])
    assert {each.type for each in check.results} == {"int2", "int4", "int8"}
    assert check.broken == ()
    check = examine_strategy(odd, {"step": -(10**6)}, column="int4", without=["pickles"])
    assert check.broken == ()  # an int is an int; the server says what its column holds


@pytest.mark.parametrize(
    "kind",
    ["numeric", "float8", "bool", "date", "time", "timestamp", "timestamptz", "uuid", "jsonb",
     "inet", "bytea", "text[]"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["text", "python"])
def test_every_type_has_values_that_the_server_takes(kind: str, form: Any, server: Server):
    class Same(StrategyBase):
        accepts = (kind,)
        takes = form
        keeps = True

        def anonymize(self, value: Any, *others: Any) -> Any:
            return value

        def to_sql(self, column: str, *others: str) -> str:
            return column

    check_strategy(Same, dsn=server.dsn, examples=30, without=["pickles"])


def test_enum_gets_its_labels_only():
    @register_strategy("mood-kit")
    def mood(value: str) -> str:
        return "sad" if value == "ok" else "glad"

    enum = Column("public", "people", "mood", "mood", labels=("ok", "sad"))
    check = examine_strategy(mood, column=enum, without=["pickles"])
    assert [each.why for each in check.broken] == ["gives a value that the enum does not have"]


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"config": {"lenght": 8}}, "has no option lenght"),
        ({"column": "geometry"}, "No values are known here for the type geometry"),
    ],
)
def test_what_cannot_be_tried_is_refused(said: dict[str, Any], match: str):
    with pytest.raises(ConfigError, match=match):
        check_strategy(Good, **said)


def test_without_hypothesis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="hypothesis, which is not installed") as caught:
        check_strategy(Good)
    assert "confiture-flows[testing]" in str(caught.value)


def test_column_that_it_refuses_is_told():
    with pytest.raises(ConfigError, match="'null' does not fit: the column is NOT NULL"):
        check_strategy("null", column=Column("public", "people", "name", "text", nullable=False))


# What a strategy needs to be tried at all, or is not meant to keep.
SETTINGS: dict[str, dict[str, Any]] = {
    "array": {"config": {"element": "email"}, "column": "text[]"},
    "bucket": {"config": {"width": 10}},
    "constant": {"config": {"value": "staff"}},
    "dp-noise": {
        "config": {"epsilon": 0.5, "at_least": 0, "at_most": 100, "row": "id"},
    },
    "jsonb": {"config": {"paths": {"$.email": "email", "$.name": "name"}}},
    "national-id": {"config": {"kind": "us-ssn"}},
    "number-noise": {"config": {"share": 0.1}},
    "pick": {"config": {"values": ["10", "20", "30"]}},
    "sql": {"config": {"expression": "left({column}, 1) || '.'"}},
    "template": {
        "config": {"template": "{who}@shop.test", "parts": {"who": "hash"}},
        "column": "text",
    },
}


@pytest.mark.parametrize("name", [each for each in built_in_names() if each != "shuffle"])
def test_built_in_strategies_keep_what_they_promise(name: str, server: Server):
    check_strategy(name, dsn=server.dsn, examples=40, **SETTINGS.get(name, {}))


def test_strategy_of_whole_columns_is_said_to_be_none_of_single_values():
    check = examine_strategy("shuffle", column="text")
    assert [each.property for each in check.broken] == ["unfit"]
    assert "none of the samples fits" in check.broken[0].why
