"""What tests of several rooms share and fixtures cannot hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from confiture_flows.migrations.migration import Runnable, Script

Value = TypeVar("Value")


def in_sql(script: Runnable | None) -> Script:
    """A script that is written in SQL."""
    assert isinstance(script, Script)
    return script


def eventually(
    read: Callable[[], Value], good: Callable[[Value], bool], seconds: float = 10
) -> Value:
    """Read until it is good, or fail with what was read last."""
    deadline = time.monotonic() + seconds
    while not good(value := read()):
        if time.monotonic() > deadline:
            pytest.fail(f"still {value!r} after {seconds} s")
        time.sleep(0.05)
    return value
