"""Strategies that hang, die, lie or talk: what the parent says, and that it goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.anonymization.sandbox.strategy import SandboxedStrategy
from confiture_flows.anonymization.strategy import Column, UnfitValue
from confiture_flows.errors import ConfigError, StrategyCrashError, StrategyError

Isolate = Callable[..., SandboxedStrategy]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("name", ["hang", "Stay"])
def test_hanging_strategy_is_killed_by_its_deadline(isolate: Isolate, name: str) -> None:
    strategy = isolate(f"vendor_faults:{name}", timeout=1.0)
    pid = strategy.pid
    assert pid
    started = time.monotonic()
    with pytest.raises(StrategyCrashError, match=r"took longer than 1 s; its process was killed"):
        strategy.anonymize("now")
    assert time.monotonic() - started < 30
    assert gone(pid)
    assert strategy.anonymize("later") == "*"  # by another process


@pytest.mark.parametrize(("name", "how"), [("fall", "SIGSEGV"), ("leave", "it exited with 7")])
def test_crash_is_told_apart_from_a_refusal(isolate: Isolate, name: str, how: str) -> None:
    strategy = isolate(f"vendor_faults:{name}")
    with pytest.raises(StrategyCrashError, match=f"died: {how}"):
        strategy.anonymize("now")
    assert strategy.anonymize("later") == "*"
    refusing = isolate("vendor_faults:unfit")
    with pytest.raises(UnfitValue) as caught:
        refusing.anonymize("now")
    assert "now" not in str(caught.value)
    assert refusing.anonymize("later") == "*"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("flood", "more bytes than an answer may have"),
        ("flood_of_answers", "more than it was asked for|no list of values"),
        ("huge", "more bytes than an answer may have"),
        ("pickled", r"more than it was asked for|no list of values"),
        ("Fewer", "answered 1 values for 2"),
        ("Numbers", "answered values that are no text"),
    ],
)
def test_wrong_answer_ends_the_process(isolate: Isolate, name: str, what: str) -> None:
    strategy = isolate(f"vendor_faults:{name}")
    pid = strategy.pid
    assert pid
    with pytest.raises(StrategyError, match=what) as caught:
        strategy.anonymize_batch(["now", "x"] if name == "Fewer" else ["now"])
    assert not isinstance(caught.value, StrategyCrashError)
    assert "public.users.name" in str(caught.value)
    assert gone(pid)


def test_what_it_prints_goes_nowhere(isolate: Isolate, capfd: pytest.CaptureFixture[str]) -> None:
    assert isolate("vendor_faults:printing").anonymize("secret") == "*"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["tell", "tell_key", "import_the_value"])
def test_failure_never_shows_a_value(isolate: Isolate, name: str) -> None:
    strategy = isolate(f"vendor_faults:{name}")
    with pytest.raises(StrategyError, match=r"failed on a batch of 2 values: .*line \d+") as caught:
        strategy.anonymize_batch(["x", "secret_of_ada"])
    assert "secret_of_ada" not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None
    assert strategy.anonymize("x") == "*"


def test_kind_and_line_of_a_failure_are_told(isolate: Isolate) -> None:
    with pytest.raises(StrategyError) as caught:
        isolate("vendor_faults:tell_key").anonymize("secret")
    source = Path(__file__).with_name("vendor_faults.py").read_text().splitlines()
    line = source.index("        raise KeyError(value)") + 1
    assert f"KeyError (vendor_faults.py, line {line})" in caught.value.message


def test_objects_cannot_leave_the_process(isolate: Isolate) -> None:
    with pytest.raises(StrategyError, match="failed on a batch of 1 values"):
        isolate("vendor_faults:Objects").anonymize("now")


def test_late_import_is_refused_by_name(isolate: Isolate) -> None:
    with pytest.raises(StrategyError, match="it imports sqlite3, which isolated strategies cannot"):
        isolate("vendor_faults:import_late").anonymize("now")


def test_validate_is_asked_where_the_strategy_is(isolate: Isolate) -> None:
    strategy = isolate("vendor_faults:Choosy")
    assert strategy.anonymize_batch(["a", "b"]) == ["*", "*"]
    with pytest.raises(UnfitValue):
        strategy.anonymize_batch(["a", "now"])


def test_its_sql_and_its_word_for_handing_back_are_not_taken(isolate: Isolate) -> None:
    strategy = isolate("vendor_faults:Sql")
    assert strategy.to_sql('"name"') is None
    assert strategy.keeps is False


def module(tmp_path: Path, text: str, name: str) -> Path:
    (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import sqlite3\n", "sqlite3 cannot be imported by an isolated strategy"),
        ("open('/etc/passwd')\n", "PermissionError"),
        ("import os\nos.fork()\n", "PermissionError"),
        ("x = 1 +\n", "SyntaxError"),
        ("raise SystemExit(0)\n", "SystemExit"),
        ("mask = 3\n", "is no strategy"),
        ("def other(value): return value\n", "is no strategy"),
        ("class mask: pass\n", "is no strategy"),
        ("def mask(value, *rest): return value\n", "can be no strategy"),
    ],
)
def test_module_that_cannot_be_used_is_refused(
    isolate: Isolate, tmp_path: Path, text: str, what: str
) -> None:
    with pytest.raises(ConfigError, match=what):
        isolate("vendor_bad:mask", root=module(tmp_path, text, "vendor_bad"))


def test_module_that_hangs_at_import_is_killed(isolate: Isolate, tmp_path: Path) -> None:
    root = module(tmp_path, "while True: pass\n", "vendor_bad")
    with pytest.raises(StrategyCrashError, match="took longer than 1 s"):
        isolate("vendor_bad:mask", root=root, timeout=1.0)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("return 5", "answered values that are no text"),
        ("return value[0]", r"failed on a batch of 1 values|IndexError"),
        ("raise ValueError(value)", r"ValueError \(vendor_bad.py, line 2\)"),
    ],
)
def test_strategy_is_tried_on_samples_before_it_is_believed(
    isolate: Isolate, tmp_path: Path, body: str, what: str
) -> None:
    root = module(tmp_path, f"def mask(value):\n    {body}\n", "vendor_bad")
    with pytest.raises(StrategyError, match=what) as caught:
        isolate("vendor_bad:mask", root=root)
    assert "tried on samples of text, and on no data" in caught.value.message


def test_samples_of_other_types_are_objects_where_it_takes_them(
    isolate: Isolate, tmp_path: Path
) -> None:
    text = (
        "import datetime, decimal, uuid\n"
        "def day(value: datetime.date) -> datetime.date:\n"
        "    return value.replace(day=1)\n"
        "def price(value: decimal.Decimal) -> decimal.Decimal:\n"
        "    return round(value, -1)\n"
        "def tag(value: uuid.UUID) -> uuid.UUID:\n"
        "    return uuid.UUID(int=value.int ^ 1)\n"
    )
    root = module(tmp_path, text, "vendor_types")
    import datetime
    import uuid
    from decimal import Decimal

    def made(name: str, type_name: str) -> SandboxedStrategy:
        column = Column("public", "t", "c", type_name)
        return isolate(f"vendor_types:{name}", root=root, column=column)

    assert made("day", "date").anonymize(datetime.date(2020, 2, 9)) == datetime.date(2020, 2, 1)
    assert made("price", "numeric").anonymize(Decimal("123.4")) == Decimal("1.2E+2")
    assert made("tag", "uuid").anonymize(uuid.UUID(int=2)) == uuid.UUID(int=3)
