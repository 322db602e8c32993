"""A type's name -> values of it as psycopg's objects and as PostgreSQL's text, by hypothesis."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable  # noqa: TC003 - of a dataclass
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.strategy import ANY_TYPE, TYPE_GROUPS, Column
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis import settings
    from hypothesis.strategies import SearchStrategy

    from confiture_flows.anonymization.strategy import StrategyBase

# What columns of text hold in practice; random text is hardly ever one of these.
REALISTIC = (
    "ada@shop.example",
    "Grace.Hopper+news@Mail.example.com",
    "Ada Lovelace",
    "O'Brien, Zoë",
    "+1 202 555 0143",
    "+49 30 23125 042",
    "(020) 7946 0018",
    "4111 1111 1111 1111",
    "5500000000000004",
    "DE89370400440532013000",
    "GB82 WEST 1234 5698 7654 32",
    "78-05-1120",
    "192.0.2.17",
    "2001:db8::1",
    "https://shop.example/a/b?user=ada#top",
    "a7f3c2d1-4b5e-4c6d-8e9f-0a1b2c3d4e5f",
    "221B Baker Street",
    "Berlin",
    "10115",
    "2024-02-29",
    "42",
    "AB12",
    "Call Ada on +1 202 555 0143 or write to ada@shop.example.",
)
MAX_LENGTH = 40  # of the varchar that strategies are tried on
# A strategy of any type is tried on text, unless the caller names a column.
_OF_ANY = ("text", "varchar")


@dataclass(frozen=True, slots=True)
class ValueKind:
    """How values of a type are made.

    Attributes:
        make: Gives hypothesis' strategy of psycopg's objects.
        text: Writes an object as PostgreSQL does.
        classes: What a strategy of the type may return; empty is anything that JSON has.
    """

    make: Callable[[], SearchStrategy[Any]]
    text: Callable[[Any], str]
    classes: tuple[type, ...]


@dataclass(frozen=True, slots=True)
class TriedValues:
    """What a strategy is tried on in one column.

    Attributes:
        generator: For smaller examples of what fails; None when only given values are tried.
        realistic: Given by the caller, or as columns hold them.
        generated: Others.
    """

    generator: SearchStrategy[Any] | None
    realistic: tuple[Any, ...]
    generated: tuple[Any, ...]

    @property
    def all(self) -> tuple[Any, ...]:
        """Both."""
        return self.realistic + self.generated


def columns_for(strategy: type[StrategyBase], said: Column | str | None) -> tuple[Column, ...]:
    """The columns that a strategy is tried on: the caller's, or one of each type that it takes.

    Raises:
        ConfigError: It takes only types of which no values are known here.
    """
    if isinstance(said, Column):
        return (said,)
    names = [said] if said else _accepted(strategy.accepts)
    if not names:
        raise ConfigError(
            f"No values are known here for {', '.join(strategy.accepts)}.",
            next_step="Give column=Column(...) and values=[...].",
        )
    return tuple(
        Column(
            "public", "people", "value", name, max_length=MAX_LENGTH if name == "varchar" else None
        )
        for name in names
    )


def samples_for(
    strategy: type[StrategyBase], column: Column, values: Sequence[Any], examples: int
) -> TriedValues:
    """Values of a column's type, in the form that the strategy takes.

    Raises:
        ConfigError: There are none.
    """
    if column.labels:
        return TriedValues(None, tuple(values) or column.labels, ())
    kind = _kinds().get(column.type)
    if kind is None:
        if not values:
            raise ConfigError(
                f"No values are known here for the type {column.type}.",
                next_step="Give values=[...].",
            )
        return TriedValues(None, tuple(values), ())
    generator = kind.make()
    if column.max_length is not None:
        longest = column.max_length
        generator = generator.filter(lambda value: len(value) <= longest)
    if strategy.takes == "text" and column.type not in TYPE_GROUPS["text"]:
        generator = generator.map(kind.text)
    realistic = tuple(values)
    if not realistic and column.type in TYPE_GROUPS["text"]:
        longest = column.max_length or 1000
        realistic = tuple(each for each in REALISTIC if len(each) <= longest)
    return TriedValues(generator, realistic, _collected(generator, examples))


def kind_of(type_name: str) -> ValueKind | None:
    """How values of a type are made, when that is known."""
    return _kinds().get(type_name)


def quiet(examples: int) -> settings:
    """Settings of hypothesis that give the same values each time, and write nothing down."""
    from hypothesis import HealthCheck, Phase, settings

    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        # It explains failures by tracing every line, which nobody would see.
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


def _accepted(accepts: tuple[str, ...]) -> list[str]:
    if ANY_TYPE in accepts:
        return list(_OF_ANY)
    known = _kinds()
    names = [name for each in accepts for name in TYPE_GROUPS.get(each, (each,)) if name in known]
    if len(names) > 1:
        names = [each for each in names if each != "citext"]  # an extension that may not be there
    return list(dict.fromkeys(names))


def _collected(generator: SearchStrategy[Any], examples: int) -> tuple[Any, ...]:
    from hypothesis import Phase, given, settings

    found: dict[str, Any] = {}

    @settings(quiet(examples), phases=(Phase.generate,))
    @given(generator)
    def collect(value: Any) -> None:
        found.setdefault(repr(value), value)

    collect()
    return tuple(found.values())


def _kinds() -> dict[str, ValueKind]:
    from hypothesis import strategies as st

    def text() -> SearchStrategy[str]:
        return st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))

    def whole(bits: int) -> ValueKind:
        limit = 2 ** (bits - 1)
        return ValueKind(lambda: st.integers(-limit, limit - 1), str, (int,))

    def json_kind() -> ValueKind:
        keys = st.sampled_from(("name", "email", "phones", "address", "n"))
        leaf = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.sampled_from(REALISTIC)
        values = st.recursive(leaf, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
        return ValueKind(lambda: st.dictionaries(keys, values, max_size=4), json.dumps, ())

    days = (datetime.date(1900, 1, 1), datetime.date(2100, 12, 31))
    moments = [datetime.datetime.combine(day, datetime.time()) for day in days]
    words = ValueKind(text, str, (str,))
    return {
        **dict.fromkeys(("text", "varchar", "citext"), words),
        "int2": whole(16),
        "int4": whole(32),
        "int8": whole(64),
        "numeric": ValueKind(
            lambda: st.decimals(-(10**9), 10**9, places=2), str, _classes("numeric")
        ),
        "float8": ValueKind(lambda: st.integers(-(10**6), 10**6).map(float), repr, (float, int)),
        "bool": ValueKind(st.booleans, lambda value: "t" if value else "f", (bool,)),
        "date": ValueKind(lambda: st.dates(*days), str, (datetime.date,)),
        "time": ValueKind(st.times, str, (datetime.time,)),
        "timestamp": ValueKind(lambda: st.datetimes(*moments), str, (datetime.datetime,)),
        "timestamptz": ValueKind(
            lambda: st.datetimes(*moments, timezones=st.just(datetime.UTC)),
            lambda value: str(value)[:-3],  # PostgreSQL writes +00
            (datetime.datetime,),
        ),
        "uuid": ValueKind(st.uuids, str, (uuid.UUID,)),
        "json": json_kind(),
        "jsonb": json_kind(),
        "inet": ValueKind(st.ip_addresses, str, _classes("inet")),
        "bytea": ValueKind(st.binary, lambda value: "\\x" + value.hex(), (bytes,)),
        "text[]": ValueKind(
            lambda: st.lists(st.sampled_from(REALISTIC), max_size=4), _array, (list, tuple)
        ),
    }


def _array(values: list[str]) -> str:
    quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in values)
    return "{" + ",".join(f'"{each}"' for each in quoted) + "}"


def _classes(type_name: str) -> tuple[type, ...]:
    if type_name == "numeric":
        from decimal import Decimal

        return (Decimal, int)
    from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

    return (IPv4Address, IPv6Address, IPv4Interface, IPv6Interface)
