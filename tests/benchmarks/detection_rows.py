"""Rows for columns: what a labelled column may hold, and what looks like it and is something else.

Written without the detectors' patterns in view, of words that are in no dictionary of theirs where
that is possible. The same rows each time.
"""

# ruff: noqa: E501 - a kind of rows is a line
from __future__ import annotations

import json
import random
import string
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta

from confiture_flows.anonymization.strategy import Column

ROWS = 120
Make = Callable[[random.Random], str]

_FIRST = [
    "Anna",
    "James",
    "Maria",
    "Thomas",
    "Sophie",
    "Lukas",
    "Emma",
    "Peter",
    "Julia",
    "Michael",
    "Laura",
    "David",
    "Sarah",
    "Daniel",
    "Nina",
    "Robert",
    "Elena",
    "Paul",
    "Ines",
    "Markus",
    "Siobhan",
    "Oluwaseun",
    "Priya",
    "Wei",
    "Ayse",
    "Dmitri",
    "Fatima",
    "Kwame",
    "Yuki",
    "Aoife",
]
_LAST = [
    "Schmidt",
    "Smith",
    "Garcia",
    "Dubois",
    "Rossi",
    "Kowalski",
    "Jansen",
    "Miller",
    "Brown",
    "Martin",
    "Weber",
    "Lopez",
    "Moreau",
    "Okafor",
    "Nguyen",
    "Kim",
    "Yilmaz",
    "Petrov",
    "Haddad",
    "Mensah",
    "Byrne",
    "Achterberg",
    "Quispe",
    "Tkachenko",
]
_MAILS = ("gmail.com", "web.de", "orange.fr", "outlook.com", "corp.io", "uni-koeln.de")
_SAID = (
    "Thanks for the quick answer, I will try again tomorrow",
    "Can somebody look at this before the weekend please",
    "It fails again on my machine since the last update",
    "We talked about it on the phone and agreed to wait",
    "My neighbour took the parcel because I was at work",
    "Please do not deploy while the migration is running",
)
_STREETS = ("Main Street", "Oak Avenue", "Church Road", "Elm Drive", "Mill Lane")
_THINGS = [
    "widget",
    "bracket",
    "resolver",
    "pipeline",
    "cluster",
    "default",
    "staging",
    "report",
    "checkout",
    "volume",
    "resource",
    "gamma",
    "blue-widget",
    "delta",
    "north",
    "metrics",
    "builder",
    "trigger",
    "search",
    "image",
]


def _luhn(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 - place % 2)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


def _digits(pick: random.Random, size: int) -> str:
    return "".join(pick.choices(string.digits, k=size))


def _hex(pick: random.Random, size: int) -> str:
    return "".join(pick.choices("0123456789abcdef", k=size))


def _letters(pick: random.Random) -> str:
    return "".join(pick.choices(string.ascii_uppercase, k=2))


def _token(pick: random.Random) -> str:
    return "".join(pick.choices(string.ascii_letters + string.digits, k=pick.randint(24, 44)))


def _full_name(pick: random.Random) -> str:
    return f"{pick.choice(_FIRST)} {pick.choice(_LAST)}"


def _user_name(pick: random.Random) -> str:
    return f"{pick.choice(_FIRST)}{pick.choice('._-')}{pick.choice(_LAST)}{pick.randint(1, 99)}".lower()


def _email(pick: random.Random) -> str:
    return f"{_user_name(pick)}@{pick.choice(_MAILS)}"


def _sentence(pick: random.Random) -> str:
    return f"{pick.choice(_SAID)}. {pick.choice(_SAID)}, {pick.choice(_FIRST)}."


def _uuid(pick: random.Random) -> str:
    return str(uuid.UUID(int=pick.getrandbits(128), version=4))


def _day(pick: random.Random, least: int, most: int) -> str:
    return str(date(2026, 11, 1) - timedelta(days=pick.randint(least, most)))


def _moment(pick: random.Random) -> str:
    return f"{datetime(2026, 11, 1) - timedelta(seconds=pick.randint(0, 60_000_000))}+00"


def _bsn(pick: random.Random) -> str:
    while True:
        digits = str(pick.randint(100_000_000, 999_999_999))
        weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
        if sum(int(each) * weight for each, weight in zip(digits, weights, strict=True)) % 11 == 0:
            return digits


def _dni(pick: random.Random) -> str:
    number = pick.randint(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _iban(pick: random.Random) -> str:
    account = _digits(pick, 18)
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02}{account}"


def _address(pick: random.Random) -> str:
    return f"{pick.randint(1, 400)} {pick.choice(_STREETS)}, Flat {pick.randint(1, 20)}"


def _german_address(pick: random.Random) -> str:
    street = pick.choice(("Hauptstraße", "Gartenweg", "Marktplatz", "Bergstr."))
    return f"{street} {pick.randint(1, 200)}, {_digits(pick, 5)} Köln"


# Columns whose name says nothing: the values alone.
POSITIVES: dict[str, tuple[str, str, Make]] = {
    "e-mail addresses": ("e-mail", "text", _email),
    "full names": ("name", "text", _full_name),
    "first names": ("name", "text", lambda pick: pick.choice(_FIRST)),
    "international phone numbers": ("phone", "text", lambda p: f"+49 30 {_digits(p, 6)}"),
    "US phone numbers": ("phone", "text", lambda p: f"(212) {p.randint(200, 999)}-{_digits(p, 4)}"),
    "English addresses": ("address", "text", _address),
    "German addresses": ("address", "text", _german_address),
    "birth dates": ("birth date", "date", lambda p: _day(p, 19 * 365, 85 * 365)),
    "cards": ("payment", "text", lambda p: _luhn(f"4{_digits(p, 14)}")),
    "IBANs": ("payment", "text", _iban),
    "SSNs": ("government id", "text", lambda p: f"{p.randint(100, 665)}-{p.randint(10, 99)}-1{_digits(p, 3)}"),
    "BSNs": ("government id", "int4", _bsn),
    "DNIs": ("government id", "text", _dni),
    "public IPs": ("ip", "text", lambda p: f"{p.randint(11, 99)}.{p.randint(1, 200)}.{p.randint(1, 200)}.7"),
    "coordinates": ("geo", "text", lambda p: f"{p.uniform(40, 60):.5f}, {p.uniform(-5, 30):.5f}"),
    "diagnoses": ("health", "text", lambda p: p.choice(("Asthma", "Type 2 diabetes", "Hypertension stage 1", "Migraine"))),
    "ICD-10 codes": ("health", "text", lambda p: f"{p.choice('EIJMF')}{_digits(p, 2)}.{_digits(p, 1)}"),
    "password hashes": ("credentials", "text", lambda p: f"$2b$12${_token(p)[:22]}{_hex(p, 31)}"),
    "API keys": ("credentials", "text", lambda p: f"sk_live_{_token(p)}"),
    "texts with e-mail addresses": ("free text", "text", lambda p: f"{_sentence(p)} Mail {_email(p)} then."),
}  # fmt: skip
# Columns, with names, that look like something personal and are not.
HARD_NEGATIVES: dict[str, tuple[Column, Make]] = {
    name: (Column("public", table, column, kind), make)
    for name, table, column, kind, make in (
        ("order numbers that pass Luhn", "orders", "order_number", "text", lambda p: _luhn(f"2026{_digits(p, 11)}")),
        ("invoice numbers as long as SSNs", "invoices", "number", "int4", lambda p: str(p.randint(100_000_000, 700_000_000))),
        ("names of products", "products", "name", "text", lambda p: f"{p.choice(_THINGS).title()} {p.choice(_THINGS)} {p.randint(1, 40)}"),
        ("addresses of wallets", "wallets", "address", "text", lambda p: f"0x{_hex(p, 40)}"),
        ("reserved e-mail names", "fixtures", "value", "text", lambda p: f"user{p.randint(1, 999)}@example.com"),
        ("checksums", "files", "sha256", "text", lambda p: _hex(p, 64)),
        ("identities", "things", "external_id", "uuid", _uuid),
        ("when companies were founded", "companies", "founded", "date", lambda p: _day(p, 0, 40 * 365)),
        ("when things were shipped", "orders", "shipped_on", "date", lambda p: _day(p, 0, 900)),
        ("addresses of machines", "nodes", "host", "text", lambda p: f"10.0.{p.randint(0, 9)}.{p.randint(1, 254)}"),
        ("versions", "releases", "version", "text", lambda p: f"{p.randint(1, 9)}.{p.randint(0, 20)}.{p.randint(0, 9)}"),
        ("prices", "products", "price", "numeric", lambda p: f"{p.uniform(1, 500):.2f}"),
        ("measures", "probes", "temperature", "float8", lambda p: f"{p.uniform(-20, 40):.6f}"),
        ("descriptions of products", "products", "description", "text", lambda p: f"A {p.choice(_THINGS)} made of steel, for the {p.choice(_THINGS)} with {p.randint(1, 9)} holes"),
        ("statuses", "orders", "status", "text", lambda p: p.choice(("open", "paid", "shipped"))),
        ("ISBNs", "books", "isbn", "text", lambda p: f"978-3-16-{_digits(p, 6)}-{_digits(p, 1)}"),
        ("titles of books", "books", "title", "text", lambda p: f"The {p.choice(_THINGS)} of {p.choice(_THINGS)}"),
        ("handles of packages", "packages", "ref", "text", lambda p: f"@{p.choice(_THINGS)}/{p.choice(_THINGS)}@1.{p.randint(0, 9)}.0"),
        ("timestamps as numbers", "events", "at", "int8", lambda p: str(1_760_000_000 + p.randint(0, 9_999_999))),
        ("paths", "files", "path", "text", lambda p: f"/{p.choice(_THINGS)}/{p.choice(_THINGS)}/{p.randint(1, 99)}"),
    )
}  # fmt: skip

_LABELLED: dict[str, Make] = {
    "email": _email,
    "name": _user_name,
    "free-text": _sentence,
    "payment": lambda pick: f"cus_{_token(pick)[:14]}",
    "credentials": _token,
    "phone": lambda pick: f"+49 30 {_digits(pick, 6)}",
    "address": lambda pick: pick.choice((_address, _german_address))(pick),
    "birth date": lambda pick: _day(pick, 19 * 365, 85 * 365),
    "government id": lambda pick: f"{_letters(pick)}{_digits(pick, 8)}",
    "ip": lambda pick: f"{pick.randint(11, 99)}.{pick.randint(1, 200)}.{pick.randint(1, 200)}.7",
    "geo": lambda pick: f"{pick.uniform(1, 60):.5f}",
    "health": lambda pick: pick.choice(("none", "m", "f", "asthma", "see file", "0 positive")),
    "identifier": lambda pick: f"https://social.example.org/{_user_name(pick)}",
}
# By a word of an unlabelled text column's name.
_BY_WORD: dict[str, Make] = {
    "id": lambda pick: f"{pick.choice(_THINGS)}-{_hex(pick, 8)}",
    "name": lambda pick: f"{pick.choice(_THINGS)}-{pick.choice(_THINGS)}",
    "url": lambda pick: f"https://{pick.choice(_THINGS)}.example.org/{_hex(pick, 6)}",
    "endpoint": lambda pick: f"https://{pick.choice(_THINGS)}.example.org",
    "path": lambda pick: f"/{pick.choice(_THINGS)}/{pick.choice(_THINGS)}",
    "version": lambda pick: f"{pick.randint(0, 9)}.{pick.randint(0, 30)}.{pick.randint(0, 9)}",
    "description": lambda pick: f"The {pick.choice(_THINGS)} for the {pick.choice(_THINGS)} of all",
    "hash": lambda pick: _hex(pick, 64),
    "digest": lambda pick: _hex(pick, 64),
    "sha": lambda pick: _hex(pick, 40),
    "md5": lambda pick: _hex(pick, 32),
    "nonce": lambda pick: _hex(pick, 24),
}
_TEXTS = ("text", "varchar", "bpchar", "citext", "name")
_BY_TYPE: dict[str, Make] = {
    "uuid": _uuid,
    "bool": lambda pick: pick.choice("tf"),
    "date": lambda pick: _day(pick, 0, 700),
    "timestamp": _moment,
    "timestamptz": _moment,
    "float4": lambda pick: f"{pick.uniform(0, 100):.3f}",
    "float8": lambda pick: f"{pick.uniform(0, 100):.3f}",
    "numeric": lambda pick: f"{pick.uniform(0, 1000):.2f}",
    "bytea": lambda pick: f"\\x{_hex(pick, 64)}",
    "inet": lambda pick: f"{pick.randint(11, 99)}.{pick.randint(1, 200)}.3.4",
}


def is_document(type_name: str) -> bool:
    """Whether samples of a type are JSON."""
    return type_name in ("json", "jsonb") or type_name.endswith("[]")


def generated(column: Column, label: str) -> tuple[str, ...]:
    """Rows for a column of a real project.

    Args:
        column: Which.
        label: What it is labelled as; "" is not personal.
    """
    pick = random.Random(f"{column}:{label}")
    make = _maker(column, label)
    if column.type in ("json", "jsonb"):
        return tuple(json.dumps(_document(pick, label)) for _ in range(ROWS))
    if column.type.endswith("[]"):
        return tuple(json.dumps([make(pick) for _ in range(2)]) for _ in range(ROWS))
    return tuple(make(pick) for _ in range(ROWS))


def _maker(column: Column, label: str) -> Make:
    kind = column.type.removesuffix("[]")
    if kind in _TEXTS and label:
        hashed = label == "credentials" and "hash" in column.name
        return (lambda pick: _hex(pick, 64)) if hashed else _LABELLED[label]
    if label in ("birth date", "geo") and not kind.startswith("int"):
        return _LABELLED[label]
    if kind in _TEXTS:
        words = column.name.lower().split("_")
        named = (_BY_WORD[word] for word in reversed(words) if word in _BY_WORD)
        return next(named, lambda pick: pick.choice(_THINGS))
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    return lambda pick: str(pick.randint(1, 100_000))


def _document(pick: random.Random, label: str) -> dict[str, object]:
    if not label:
        return {"kind": pick.choice(_THINGS), "retries": pick.randint(1, 5), "on": True}
    return {"kind": pick.choice(_THINGS), "value": _LABELLED[label](pick)}
