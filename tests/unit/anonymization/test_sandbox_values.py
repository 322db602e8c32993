"""Values survive the way through the pipes; bytes that are none are refused without being shown."""

from __future__ import annotations

import datetime
import ipaddress
import pickle
import random
import uuid
from decimal import Decimal
from typing import Any

import pytest

from confiture_flows.anonymization.sandbox.samples import samples
from confiture_flows.anonymization.sandbox.values import (
    BrokenValuesError,
    UnknownValueError,
    pack,
    unpack,
)
from confiture_flows.anonymization.strategy import Column
from confiture_flows.anonymization.trust import Isolation, StrategyName

UTC = datetime.UTC
VALUES: list[list[Any]] = [
    [],
    [""],
    ["", "", "a"],
    ["Zoë 李 \U0001f600", "\n\t\\", "x" * 100_000],
    ["with\0nul", "b"],
    ["\udc80"],
    [None, "a", None],
    [None],
    [True, False, 0, 1, -5, 10**30],
    [1.5, float("inf"), -0.0],
    [Decimal("1.20"), Decimal("-0")],
    [datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5, 6, UTC)],
    [datetime.time(1, 2, 3), datetime.timedelta(-1, 5, 7)],
    [uuid.UUID(int=5), b"\0\xff", {"a": [1, None, "x"]}],
    [[1, [None, "a"]], [], [{"a": 1}]],
    [ipaddress.ip_address("::1"), ipaddress.ip_interface("10.0.0.1/8")],
    [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("::1/64")],
]


@pytest.mark.parametrize("values", VALUES, ids=repr)
def test_values_come_back_as_they_were(values: list[Any]) -> None:
    (back,) = unpack(pack([values]))
    assert back == values
    assert list(map(type, back)) == list(map(type, values))


def test_columns_stay_apart() -> None:
    columns = [["a", "b"], [None, "c"], [1, 2]]
    assert unpack(pack(columns)) == columns


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, {"a": object()}, range(3)],
    ids=["object", "set", "object in dict", "range"],
)
def test_value_without_a_form_is_refused(value: object) -> None:
    with pytest.raises(UnknownValueError):
        pack([[value]])


def test_lists_that_never_end_are_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(UnknownValueError, match="too deep"):
        pack([[endless]])


def test_no_bytes_make_it_do_anything_but_refuse() -> None:
    numbers, said = random.Random(7), set[str]()
    good = pack([["a", "secret", "c"], [None, Decimal("1.5"), {"a": [1]}]])
    for _ in range(3000):
        data = bytearray(good)
        for _change in range(numbers.randint(1, 4)):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        try:
            unpack(bytes(data[: numbers.randint(1, len(data))]))
        except BrokenValuesError as error:
            said.add(str(error))
    assert len(said) > 3
    assert "secret" not in "".join(said)
    with pytest.raises(BrokenValuesError):
        unpack(pickle.dumps(["a"]))


@pytest.mark.parametrize("type_name", ["text", "int4", "numeric", "date", "timestamptz", "uuid"])
def test_samples_are_of_the_type_in_both_forms(type_name: str) -> None:
    column = Column("public", "t", "c", type_name)
    texts, objects = samples(column, "text"), samples(column, "python")
    assert len(texts) == len(objects) > 1
    assert {type(each) for each in texts} == {str}
    assert len({type(each) for each in objects}) == 1


def test_samples_fit_the_column() -> None:
    short = Column("public", "t", "c", "varchar", max_length=5)
    assert max(map(len, samples(short, "text"))) == 5
    enum = Column("public", "t", "c", "mood", labels=("sad", "glad"))
    assert samples(enum, "text") == ["sad", "glad"]
    assert samples(Column("public", "t", "c", "tsvector"), "text") == []


def test_name_keeps_its_trust_on_the_way_to_another_process() -> None:
    name = StrategyName("vendor.masks:Mask", (Isolation("vendor", "seccomp", 3.0),))
    again = pickle.loads(pickle.dumps(name))
    assert str(again) == "vendor.masks:Mask"
    assert again.isolation(again) == Isolation("vendor", "seccomp", 3.0)
    assert again.isolation("vendors:Mask") is None
    assert again.isolation("hash") is None
