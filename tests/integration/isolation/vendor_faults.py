"""Strategies that break: on the value "now", so that they survive their registration."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

from confiture_flows.plugins import StrategyBase, UnfitValue

ANSWERS = 4  # where the worker writes its answers


def hang(value: str) -> str:
    while value == "now":
        pass
    return "*"


def fall(value: str) -> str:
    return ctypes.string_at(0).decode() if value == "now" else "*"


def leave(value: str) -> str:
    return os._exit(7) if value == "now" else "*"


def flood(value: str) -> str:
    while value == "now":
        os.write(ANSWERS, b"x" * 65536)
    return "*"


def flood_of_answers(value: str) -> str:
    while value == "now":
        os.write(ANSWERS, (14).to_bytes(4, "big") + b"\x13" + b"T" + bytes(12))
    return "*"


def huge(value: str) -> str:
    if value == "now":
        os.write(ANSWERS, (0xFFFFFFF0).to_bytes(4, "big") + b"\x13")
    return "*"


def pickled(value: str) -> str:
    if value == "now":
        os.write(ANSWERS, (9).to_bytes(4, "big") + b"\x13" + b"\x80\x04N.\0\0\0\0")
    return "*"


def printing(value: str) -> str:
    for _ in range(2000):
        print(value * 10)
    return "*"


class Fewer(StrategyBase):
    """One result less."""

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[str]) -> list[str]:
        return ["*"] * (len(values) - ("now" in values))


class Numbers(StrategyBase):
    """No text."""

    def anonymize(self, value: str, *others: object) -> object:
        return 7 if value == "now" else "*"


class Objects(StrategyBase):
    """Something that has no form outside of its process."""

    def anonymize(self, value: str, *others: object) -> object:
        return object() if value == "now" else "*"


def tell(value: str) -> str:
    if "secret" in value:
        kind = type(value, (Exception,), {})
        raise kind(value)
    return "*"


def tell_key(value: str) -> str:
    if "secret" in value:
        raise KeyError(value)
    return "*"


def import_late(value: str) -> str:
    if value == "now":
        import sqlite3

        return sqlite3.sqlite_version
    return "*"


def import_the_value(value: str) -> str:
    if "secret" in value:
        __import__(value)
    return "*"


def unfit(value: str) -> str:
    if value == "now":
        raise UnfitValue(value)
    return "*"


class Choosy(StrategyBase):
    """Only what validate() lets through."""

    def validate(self, value: str) -> bool:
        return value != "now"

    def anonymize(self, value: str, *others: object) -> str:
        assert value != "now"
        return "*"


class Sql(StrategyBase):
    """Would have the source run its SQL, and may hand values back if asked."""

    keeps = True

    def anonymize(self, value: str, *others: object) -> str:
        return "*"

    def to_sql(self, column: str, *others: str) -> str:
        return "(SELECT pg_sleep(1000)::text)"


class Stay(StrategyBase):
    """Catches all that can be caught, and goes on."""

    def anonymize(self, value: str, *others: object) -> str:
        while value == "now":
            try:
                os.read(3, 100)
            except BaseException:
                continue
        return "*"
