"""Strategies of the modules beside this file, isolated, for a column of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.sandbox.strategy import SandboxedStrategy
from confiture_flows.anonymization.strategy import Column
from confiture_flows.anonymization.trust import Isolation, StrategyName

HERE = Path(__file__).parent
SECRET = Secret(b"0123456789abcdef0123456789abcdef")
NAME = Column("public", "users", "name", "text")

Isolate = Callable[..., SandboxedStrategy]


@pytest.fixture
def isolate(tmp_path: Path) -> Iterator[Isolate]:
    """`isolate("module:name", column=..., root=..., timeout=..., **options)`."""
    made: list[SandboxedStrategy] = []

    def make(
        reference: str,
        *,
        column: Column = NAME,
        root: Path = HERE,
        timeout: float = 10.0,
        **options: Any,
    ) -> SandboxedStrategy:
        module = reference.partition(":")[0].partition(".")[0]
        name = StrategyName(reference, (Isolation(module, None, timeout, root),))
        rule = ColumnRule(Pattern.read("public.users.name", 3), name, options)
        strategy = StrategyFactory(SECRET).make(rule, column)
        assert isinstance(strategy, SandboxedStrategy)
        made.append(strategy)
        return strategy

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def attacks() -> ModuleType:
    """The attacks as they are without walls."""
    module = ModuleType("vendor_attacks")
    exec((HERE / "vendor_attacks.py").read_text(encoding="utf-8"), module.__dict__)
    return module
