"""Lines of COPY's text format: split, masked, joined; NULL and escapes as PostgreSQL means them."""

from __future__ import annotations

from typing import Any

import pytest

from confiture_flows.anonymization.copying.masking import (
    BatchMask,
    ColumnMask,
    chance_matches,
    escape,
    unescape,
)
from confiture_flows.anonymization.copying.neutral import neutral_literal
from confiture_flows.anonymization.strategy import Column, StrategyBase, Uniqueness
from confiture_flows.errors import StrategyError


class Upper(StrategyBase):
    """Shouts, and remembers what it was given."""

    name = "upper"

    def prepare(self) -> None:
        self.seen: list[Any] = []

    def anonymize(self, value: str, *others: Any) -> str | None:
        self.seen.append((value, *others))
        return None if value == "gone" else value.upper()


def mask(**changes: Any) -> ColumnMask:
    return ColumnMask(Upper(None, Column("s", "t", "c", "text")), **changes)


@pytest.mark.parametrize(
    "value", ["", "plain", "tab\tline\nback\\slash\r\b\f\v", "\\N", "é😀", "\\t"]
)
def test_what_is_escaped_comes_back(value: str) -> None:
    assert unescape(escape(value)) == value
    assert not set("\t\n\r") & set(escape(value))


@pytest.mark.parametrize(("field", "value"), [("\\101", "A"), ("\\x41b", "Ab"), ("\\q", "q")])
def test_rare_escapes_are_understood(field: str, value: str) -> None:
    assert unescape(field) == value


def test_null_never_reaches_a_strategy_and_stays_null() -> None:
    one = mask()
    assert BatchMask([one])("1\ta\n2\t\\N\n3\tb\\tc\n4\t\n5\tgone\n") == (
        "1\tA\n2\t\\N\n3\tB\\tC\n4\t\n5\t\\N\n"
    )
    assert isinstance(one.strategy, Upper)
    assert [value for (value,) in one.strategy.seen] == ["a", "b\tc", "", "gone"]


def test_what_stands_before_is_not_looked_at() -> None:
    head = "\\N\t\\\\\t{}\t\\x"
    assert BatchMask([mask()])(f"{head}\ta\n") == f"{head}\tA\n"


def test_lines_of_masked_columns_alone() -> None:
    assert BatchMask([mask(), mask()], heads=False)("a\tb\nc\td\n") == "A\tB\nC\tD\n"


def test_needed_columns_are_given_and_dropped() -> None:
    one = mask(needs=(1, 0))
    assert BatchMask([one], extras=2)("1\ta\tx\t\\N\n") == "1\tA\n"
    assert isinstance(one.strategy, Upper)
    assert one.strategy.seen == [("a", None, "x")]


def test_unchanged_values_beyond_chance_stop_the_copy() -> None:
    with pytest.raises(StrategyError, match=r"s\.t\.c: .* gave 2 values back unchanged"):
        BatchMask([mask()])("1\tA\n2\tB\n3\tc\n")
    few = mask()
    BatchMask([few])("1\tA\n2\tb\n3\tc\n")
    assert few.chance == 1


@pytest.mark.parametrize(
    ("unique", "capacity", "distinct", "allowed"),
    [
        ("probable", None, 1000, 0),
        ("probable", 1 << 80, 1000, 0),
        ("no", None, 1000, 500),
        ("no", None, 1, 0),
        ("no", 1, 10, 10),
        ("no", 1000, 1000, 7),
    ],
)
def test_chance(unique: Uniqueness, capacity: int | None, distinct: int, allowed: int) -> None:
    class Some(StrategyBase):
        def capacity(self) -> int | None:
            return capacity

    Some.unique = unique
    assert chance_matches(Some(None, Column("s", "t", "c", "text")), distinct) == allowed


def test_types_without_a_neutral_value_have_none() -> None:
    assert neutral_literal(Column("s", "t", "c", "text")) == ""
    assert neutral_literal(Column("s", "t", "c", "int4[]")) == "{}"
    assert neutral_literal(Column("s", "t", "c", "mood")) is None
