"""Lines of COPY's text format: split, masked, joined; NULL and escapes as PostgreSQL means them."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from confiture_flows.anonymization.copying.binary_masking import BinaryBatchMask
from confiture_flows.anonymization.copying.codec import codec_for
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


HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)


def row(*fields: bytes | None) -> bytes:
    """As COPY sends it in binary."""
    sent = [
        b"\xff\xff\xff\xff" if each is None else struct.pack(">i", len(each)) + each
        for each in fields
    ]
    return struct.pack(">h", len(fields)) + b"".join(sent)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (b"a", b"A"),
        (None, None),
        (b"", b""),
        (b"gone", None),
        (b"tab\t\\N\n", b"TAB\t\\N\n"),
        ("stra\u00dfe \U0001f600".encode(), "STRASSE \U0001f600".encode()),
        (b"no utf-8: \xe4", b"NO UTF-8: \xe4"),
        (b"long" * 20_000, b"LONG" * 20_000),
    ],
)
def test_binary_rows_are_masked_in_front(value: bytes | None, masked: bytes | None) -> None:
    rest = (b"\0\0\0\1", None, b"\xff\xff")
    one = mask(needs=(0,))
    batch = BinaryBatchMask([one, mask()], others=3, extras=1)
    first = batch([memoryview(HEADER + row(value, b"x", b"seen", *rest)), row(b"b", b"y", None)])
    assert first == HEADER + row(masked, b"X", *rest) + struct.pack(">h", 5) + row(b"B", b"Y")[2:]
    assert isinstance(one.strategy, Upper)
    assert ("b", None) in one.strategy.seen
    assert batch([row(b"c", b"z", b"seen", *rest), b"\xff\xff"]) == (
        row(b"C", b"Z", *rest) + b"\xff\xff"
    )


def test_binary_stream_without_rows_stays_as_it_is() -> None:
    batch = BinaryBatchMask([mask()], others=0)
    assert batch([HEADER + b"\xff\xff"]) == HEADER + b"\xff\xff"
    assert batch([b"\xff\xff"]) == b"\xff\xff"


@pytest.mark.parametrize(
    ("result", "told"),
    [("a\0", "gave text with a NUL"), ("\ud83d", "gave text with half a character")],
)
def test_results_that_no_database_takes_stop_the_copy(result: str, told: str) -> None:
    class Broken(Upper):
        def anonymize(self, value: str, *others: Any) -> str:
            return result

    broken = ColumnMask(Broken(None, Column("s", "t", "c", "text")))
    with pytest.raises(StrategyError, match=told):
        BinaryBatchMask([broken], others=0)([row(b"a")])
    with pytest.raises(StrategyError, match=told):
        BatchMask([broken]).lines([b"1\ta\n"])


def test_strategy_that_leaves_the_program_is_told_like_one_that_raises() -> None:
    class Leaving(Upper):
        def anonymize(self, value: str, *others: Any) -> str:
            raise SystemExit(value)

    leaving = ColumnMask(Leaving(None, Column("s", "t", "c", "text")))
    with pytest.raises(StrategyError, match=r"failed with SystemExit at .*\.py:\d+ \(") as told:
        BatchMask([leaving])("1\twhose\n")
    assert "whose" not in str(told.value)


def test_half_a_character_of_a_document_stays() -> None:
    load, dump = codec_for(114, "json", None)  # pyright: ignore[reportArgumentType]
    assert json.loads(dump(load('{"a": "\\ud83d", "b": "\u00e9"}'))) == {
        "a": "\ud83d",
        "b": "\u00e9",
    }
    assert dump("\u00e9") == '"\u00e9"'
    dump(load('"\\ud83d"')).encode()
