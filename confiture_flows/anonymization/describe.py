"""A strategy's class -> what a person wants to know of it: options, types, an example. Values."""

from __future__ import annotations

import datetime
import decimal
import inspect
import ipaddress
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.strategy import (
    ANY_TYPE,
    TYPE_GROUPS,
    Column,
    StrategyBase,
    UnfitValue,
    is_sql_only,
)
from confiture_flows.anonymization.validator import validated_config, why_unfit
from confiture_flows.errors import ConfigError, StrategyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UUID = "a7f3c2d1-4b5e-4c6d-8e9f-0a1b2c3d4e5f"
_PERSON = {"name": "Ada", "email": "ada@shop.example"}
# Made-up people, in each type's text and as psycopg's object.
EXAMPLES: dict[str, tuple[tuple[str, Any], ...]] = {
    "text": tuple(
        (each, each)
        for each in (
            "ada@shop.example",
            "Ada Lovelace",
            "+1 202 555 0143",
            "4111 1111 1111 1111",
            "DE89370400440532013000",
            "https://shop.example/orders?user=ada",
            "Call Ada on +1 202 555 0143",
            "AB12",
        )
    ),
    "int4": (("42", 42),),
    "int8": (("12345678901", 12345678901),),
    "numeric": (("1999.90", decimal.Decimal("1999.90")),),
    "float8": (("36.6", 36.6),),
    "bool": (("t", True),),
    "date": (("2024-02-29", datetime.date(2024, 2, 29)),),
    "timestamp": (("2024-02-29 12:30:00", datetime.datetime(2024, 2, 29, 12, 30)),),
    "timestamptz": (
        ("2024-02-29 12:30:00+00", datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)),
    ),
    "uuid": ((_UUID, uuid.UUID(_UUID)),),
    "inet": (("192.0.2.17", ipaddress.ip_address("192.0.2.17")),),
    "jsonb": ((json.dumps(_PERSON), _PERSON),),
    "bytea": (("\\x616461", b"ada"),),
    "text[]": (("{ada@shop.example,+12025550143}", ["ada@shop.example", "+12025550143"]),),
}
OTHER = "1"  # of another column of the row: whose it is
_SECRET = Secret(b"of examples, which protects nobody")


@dataclass(frozen=True, slots=True)
class StrategyOption:
    """An option of a strategy.

    Attributes:
        name: Its name.
        type: What it takes, in words of Python.
        default: In words of TOML; None when it has to be given.
        description: What it decides; may be empty.
    """

    name: str
    type: str
    default: str | None
    description: str


@dataclass(frozen=True, slots=True)
class StrategyPage:
    """What there is to know of a strategy.

    Attributes:
        name: As rules name it.
        summary: The first line of its docstring.
        doc: All of that.
        accepts: Types, or groups of them.
        unique: Whether different values stay different; options may decide otherwise.
        keyed: Whether it needs a secret.
        sql: Whether the source can do it.
        python: Whether there is Python for it.
        origin: Where its class is.
        options: In order.
    """

    name: str
    summary: str
    doc: str
    accepts: tuple[str, ...]
    unique: str
    keyed: bool
    sql: bool
    python: bool
    origin: str
    options: tuple[StrategyOption, ...]


def describe(made: type[StrategyBase], name: str) -> StrategyPage:
    """The page of a strategy that was found under a name."""
    doc = inspect.cleandoc(made.__doc__ or "")
    return StrategyPage(
        name,
        doc.partition("\n")[0],
        doc,
        made.accepts,
        made.unique,
        made.keyed,
        made.to_sql is not StrategyBase.to_sql,
        not is_sql_only(made),
        made.reference(),
        tuple(_options(made)),
    )


def example_column(made: type[StrategyBase], said: str | None = None) -> Column:
    """A column of the first type that a strategy takes and of which there are examples.

    Raises:
        ConfigError: There are none of that type.
    """
    names = [name for each in made.accepts for name in (each, *TYPE_GROUPS.get(each, ()))]
    if ANY_TYPE in names:
        names = ["text"]
    found = said or next((each for each in names if each in EXAMPLES), None)
    if found not in EXAMPLES:
        raise ConfigError(
            f"There are no examples of {found or ', '.join(made.accepts)} here.",
            next_step=f"Say --column, one of: {', '.join(EXAMPLES)}.",
        )
    return Column("public", "people", "value", found)


def example_strategy(
    made: type[StrategyBase], name: str, config: Mapping[str, Any], column: Column
) -> StrategyBase:
    """A strategy that is ready for examples, under a secret that protects nobody.

    Raises:
        ConfigError: Its options are wrong, or do not fit the column.
    """
    checked = validated_config(made, name, config)
    key = _SECRET.key(name) if made.keyed or made.composite else None
    try:
        return made(checked, column, key)
    except ValueError as error:
        raise ConfigError(f"{name!r} does not fit {column.type}: {why_unfit(error)}.") from None


def examples_of(made: StrategyBase) -> tuple[tuple[str, str], ...]:
    """Made-up values before and after.

    Raises:
        StrategyError: The strategy fails on one.
    """
    found: list[tuple[str, str]] = []
    for text, value in EXAMPLES[made.column.type]:
        given = text if made.takes == "text" else value
        try:
            after = tried(made, given)
        except UnfitValue:
            continue
        found.append((text, "NULL" if after is None else str(after)))
    return tuple(found)


def tried(made: StrategyBase, value: Any) -> Any:
    """What a strategy makes of a made-up value.

    Raises:
        UnfitValue: It is none for this strategy.
        StrategyError: The strategy fails.
    """
    try:
        if not made.validate(value):
            raise UnfitValue
        return made.anonymize(value, *(OTHER for _ in made.needs()))
    except (UnfitValue, StrategyError):
        raise
    except (Exception, SystemExit) as error:  # a plug-in may raise anything
        raise StrategyError(
            f"The strategy {made.name!r} raises {type(error).__name__} on a made-up value.",
            next_step=f"See on which: confiture-flows strategies test {made.name}",
        ) from None


def _options(made: type[StrategyBase]) -> Iterator[StrategyOption]:
    for name, field in made.Config.model_fields.items():
        default = None
        if field.default_factory is not None:
            default = "..."
        elif not field.is_required():
            default = "none" if field.default is None else json.dumps(field.default, default=str)
        kind = field.annotation
        words = kind.__name__ if inspect.isclass(kind) and not hasattr(kind, "__args__") else kind
        yield StrategyOption(
            name,
            str(words).replace("typing.", "").replace("NoneType", "None"),
            default,
            field.description or "",
        )
