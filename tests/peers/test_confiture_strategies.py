"""Strategies of fraiseql-confiture itself, behind our interface."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import peer

# Theirs is an environment of its own; its packages come last, so that ours stay as they are.
CODE = """
import pickle, sys
sys.path.append(sys.argv[1])
from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.strategy import Column

factory = StrategyFactory(Secret(b"0123456789abcdef"))
column = Column("public", "users", "email", "text")
pattern = Pattern.read("public.users.email", 3)
made = factory.make(ColumnRule(pattern, "confiture:email", {"hash_length": 12}), column)
seeded = factory.make(ColumnRule(pattern, "confiture:email", {"seed": 12345}), column)
assert pickle.loads(pickle.dumps(made)).anonymize("a@b.c") == made.anonymize("a@b.c")
print(made.anonymize("ada@shop.example"), seeded.anonymize("ada@shop.example"))
from confiture.core.anonymization.strategies.email import EmailMaskConfig, EmailMaskingStrategy
print(EmailMaskingStrategy(EmailMaskConfig(seed=12345)).anonymize("ada@shop.example"))
"""


def test_their_email_strategy_gives_what_it_gives_there() -> None:
    program = peer("confiture")
    (site,) = program.parent.parent.glob("lib/python3.*/site-packages")
    if f"python{sys.version_info.major}.{sys.version_info.minor}" != site.parent.name:
        pytest.skip(f"the peers run on {site.parent.name}, whose packages this Python cannot load")
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(site)],
        capture_output=True,
        text=True,
        env=os.environ | {"ANONYMIZATION_SECRET": "for-their-hash"},
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    ours, seeded = first.split()
    assert seeded == second
    assert len(ours) == len("user_123456789012@example.com")
