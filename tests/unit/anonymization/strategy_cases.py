"""What the tests of built-in strategies share: how to make one, and cases that each passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.strategy import Column, StrategyBase

SECRET = Secret(b"0123456789abcdef0123456789abcdef")
OTHER_SECRET = Secret(b"another secret of thirty-two byt")

TEXTS = (
    *("Alice", "bob@example.org", "a", "", " ", "  spaces  ", "back\\slash", "quo'te", "%s {} $1"),
    *("Zoë Müller-Łukasz", "名前", "🙂🙂", "e\u0301", "line\nbreak\ttab", "x" * 300, "\\N", "NULL"),
)
INTEGERS = ("0", "1", "-1", "7", "100", "-9999", "32767", "-32768")


@dataclass(frozen=True)
class Case:
    """A strategy with options, on a column of a type, and values that it takes."""

    strategy: str
    type: str = "text"
    values: tuple[Any, ...] = TEXTS
    config: dict[str, Any] = field(default_factory=dict)
    others: tuple[tuple[Any, ...], ...] = ()

    def __str__(self) -> str:
        options = ",".join(f"{key}={value}" for key, value in self.config.items())
        return f"{self.strategy}-{self.type}-{options}"[:70]

    def make(self, secret: Secret | None = SECRET, **column: Any) -> StrategyBase:
        return make(self.strategy, self.type, secret, column, **self.config)


def make(
    strategy: str,
    type_name: str = "text",
    secret: Secret | None = SECRET,
    column: dict[str, Any] | None = None,
    **config: Any,
) -> StrategyBase:
    """A strategy for the column public.people.data."""
    place = Column("public", "people", "data", type_name, **(column or {}))
    rule = ColumnRule(Pattern.read("public.people.data", 3), strategy, config)
    return StrategyFactory(secret).make(rule, place)


UUIDS = tuple(f"{number:08x}-0000-4000-8000-000000000000" for number in range(20))
DATES = ("1980-02-29", "2024-12-31", "0044-03-15 BC", "0001-01-01", "12345-06-07", "2000-01-01")
TIMES = ("1980-02-29 12:34:56.789", "0044-03-15 00:00:00 BC", "20000-01-01 23:59:59")
ZONED = ("1980-02-29 12:34:56.789+00", "0044-03-15 00:00:00+00 BC", "2024-07-01 23:30:00+00")
ADDRESSES = ("10.1.2.3", "192.168.0.1/24", "2001:db8:1:2::3", "fe80::1/64", "::ffff:1.2.3.4")
PEOPLE = tuple(f"p{number % 2}" for number in range(len(DATES)))

CASES = (
    Case("hash"),
    Case("hash", config={"length": 12}),
    Case("email"),
    Case("email", config={"domain": "mail.invalid", "prefix": "", "digits": 30}),
    Case("uuid"),
    Case("uuid", "uuid", UUIDS),
    *(Case("name", config={"locale": each}) for each in ("en", "de", "fr", "es", "it", "pl", "ja")),
    Case("name", config={"part": "first"}),
    Case("name", config={"part": "last", "locale": "fr"}),
    *(Case("phone", config={"region": each}) for each in ("us", "gb", "fr", "de", "au")),
    Case("phone", config={"form": "national"}),
    Case("phone", config={"unique": True}),
    *(Case("address", config={"locale": each}) for each in ("en", "de", "fr", "ja")),
    Case("address", config={"part": "full"}),
    Case("address", config={"part": "full", "locale": "ja"}),
    Case("constant", config={"value": "it's \\ one"}),
    Case("constant", "int4", INTEGERS, {"value": 42}),
    Case("redact"),
    Case("redact", config={"mark": "'\\'"}),
    Case("partial-mask"),
    Case("partial-mask", config={"first": 2, "last": 0, "hide": 1, "sign": "'"}),
    Case("number-noise", "int2", INTEGERS, {"amount": 5}),
    Case("number-noise", "int4", (*INTEGERS, "2147483647", "-2147483648"), {"amount": 1000}),
    Case("number-noise", "int4", (*INTEGERS, "2147483647", "-2147483648"), {"share": 0.1}),
    Case("number-noise", "int8", (str(2**63 - 1), str(-(2**63)), "0"), {"share": 0.5}),
    Case("number-noise", "numeric", ("1.50", "-0.01", "123456789.123", "7"), {"share": 0.2}),
    Case("number-noise", "numeric", ("1.50", "-0.01", "0.00"), {"amount": 3.5}),
    Case("number-noise", "float8", ("1.5", "-1e-30", "1e300"), {"share": 0.2}),
    Case("date-shift", "date", DATES),
    Case("date-shift", "timestamp", TIMES),
    Case("date-shift", "timestamptz", ZONED),
    Case("date-shift", "date", DATES, {"person": "id"}, (PEOPLE,)),
    Case("ip", "inet", ADDRESSES),
    Case("ip", "inet", ADDRESSES, {"unique": True}),
    Case("ip", "inet", ADDRESSES, {"form": "prefix"}),
    Case("ip", "inet", ADDRESSES, {"form": "generalise"}),
    Case("ip", "cidr", ("10.1.2.0/24", "2001:db8::/32"), {"form": "generalise", "bits": 16}),
)
