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
CODES = ("AB-12", "zz9", "00000", "A1b2C3", "x", "7", "ABCDEFGHIJ-0123456789-klmnop")
DOCUMENTS = (
    '{"email": "a@b.c", "n": 12.50, "items": [{"name": "x"}, {"name": null}, {}]}',
    '{"email": "ünï\\"q", "other": {"deep": [1, 1e400, true, null]}}',
    "{}",
)
ARRAYS = ("{}", "{a,b}", '{"a b",NULL,"q\\"x\\\\"}', "[0:1]={x,y}", "{{a,b},{c,d}}", '{"NULL",""}')
ADDRESSES = ("10.1.2.3", "192.168.0.1/24", "2001:db8:1:2::3", "fe80::1/64", "::ffff:1.2.3.4")
PEOPLE = tuple(f"p{number % 2}" for number in range(len(DATES)))
NATIONAL = ("us-ssn", "gb-nino", "fr-nir", "de-steuer-id", "pl-pesel", "es-dni")
NOISE = {"strategy": "number-noise", "config": {"share": 0.1}}
NUMERIC = {"type": "numeric"}
DP = {"epsilon": 0.5, "at_least": 0, "at_most": 100, "row": "id"}
ROWS = tuple(map(str, range(len(INTEGERS))))

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
    Case("city"),
    Case("city", config={"locale": "ja"}),
    Case("company"),
    Case("company", config={"locale": "de"}),
    Case("company", config={"locale": "ja"}),
    Case("postcode", values=("12345", "SW1A 1AA", "00-950", "1000 ab"), config={"keep": 2}),
    Case("postcode", values=("12345", "SW1A 1AA"), config={"rest": "zero", "keep": 3}),
    Case("user-name"),
    Case("url"),
    Case("url", config={"ending": ".png", "digits": 12}),
    *(
        Case("date-truncate", "date", DATES, {"to": each})
        for each in ("year", "quarter", "month", "week")
    ),
    *(
        Case("date-truncate", type_name, values, {"to": each})
        for each in ("year", "week", "day", "hour")
        for type_name, values in (("timestamp", TIMES), ("timestamptz", ZONED))
    ),
    Case("bucket", "int4", (*INTEGERS, "2147483647", "-2147483648"), {"width": 10}),
    Case("bucket", "int8", (str(2**63 - 1), str(-(2**63))), {"width": 7, "start": -3}),
    Case("bucket", "int2", INTEGERS, {"edges": (-5, 0, 18, 30)}),
    Case("bucket", "numeric", ("1.5", "-0.01", "1000", "99"), {"width": "2.5"}),
    Case("bucket", "numeric", ("1.5", "-0.01", "99"), {"edges": ("0.5", "10")}),
    Case("pick", config={"values": ("it's", "\\", "c", "d")}),
    Case("pick", config={"values": ("aa", "bb", "cc"), "weights": (8, 1, 0.5)}),
    Case("pick", "int4", INTEGERS, {"values": ("11", "22", "33")}),
    Case("permute", values=CODES),
    Case("permute", "int4", (*INTEGERS, "2147483647", "-2147483648")),
    Case("free-text"),
    *(Case("credit-card", config={"network": each}) for each in ("visa", "amex", "none")),
    Case("credit-card", config={"unique": True}),
    *(Case("iban", config={"country": each}) for each in ("DE", "FR", "GB", "ES", "IT", "BE")),
    Case("iban", config={"unique": True}),
    *(Case("national-id", config={"kind": each}) for each in NATIONAL),
    Case("array", "text[]", ARRAYS, {"element": "email"}),
    Case("array", "int4[]", ("{1,NULL,-3}",), {"element": NOISE}),
    Case(
        "jsonb",
        "jsonb",
        DOCUMENTS,
        {"paths": {"$.email": "email", "$.items[*].name": "name", "$.n": {**NOISE, **NUMERIC}}},
    ),
    Case("template", config={"template": "{who}-{digits:6}", "parts": {"who": "name"}}),
    Case("dp-noise", "int4", INTEGERS, dict(DP), (ROWS,)),
    Case("dp-noise", "numeric", ("1.25", "99.999", "Infinity"), dict(DP), (ROWS[:3],)),
    Case("dp-noise", "float8", ("1.25", "-Infinity"), dict(DP), (ROWS[:2],)),
)
