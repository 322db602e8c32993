"""What docs/explanation/isolation.md shows runs, and what it lists is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.rules import rules_of
from confiture_flows.anonymization.sandbox import bpf, walls
from confiture_flows.anonymization.sandbox.loader import PRELOADED
from confiture_flows.anonymization.sandbox.strategy import REQUEST_VALUES, SandboxedStrategy
from confiture_flows.config import load_project

from .conftest import NAME, SECRET

PAGE = (Path(__file__).parents[3] / "docs/explanation/isolation.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_examples_run(tmp_path: Path) -> None:
    (tmp_path / "vendor_masks.py").write_text(block("python"))
    # A machine without seccomp runs the example too, and tests/.../test_lifecycle.py the refusal.
    (tmp_path / "confiture.toml").write_text(block("toml").replace('require = "seccomp", ', ""))
    (rule,) = rules_of(load_project(tmp_path / "confiture.toml")).columns
    strategy = StrategyFactory(SECRET).make(rule, NAME)
    assert isinstance(strategy, SandboxedStrategy)
    assert re.fullmatch(r"user\d{1,4}", strategy.anonymize("Ada Lovelace"))
    named = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, flags=re.MULTILINE))
    assert {*strategy.walls} <= named
    strategy.close()


def test_modules_that_may_be_imported_are_listed() -> None:
    (listed,) = re.findall(r"^walls stand: (.*?), and\n", PAGE, flags=re.MULTILINE | re.DOTALL)
    shown = {each for each in PRELOADED.split() if not each.startswith(("encodings.", "_"))}
    assert set(re.findall(r"`([\w.]+)`", listed)) == shown


def test_figures_are_those_of_the_code() -> None:
    calls = max(len(each.calls) for each in bpf.ARCHITECTURES.values())
    assert f"{calls} system calls" in PAGE
    assert f"{walls.MEMORY_BYTES >> 20} MB of memory, {walls.CPU_SECONDS // 60} minutes" in PAGE
    assert f"up to {REQUEST_VALUES:,} values" in PAGE
