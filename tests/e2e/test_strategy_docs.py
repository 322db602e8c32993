"""The examples of the pages about strategies run, and their tables leave nothing out."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from confiture_flows.anonymization import testing
from confiture_flows.anonymization.keys import secret_of
from confiture_flows.anonymization.new_strategy import write_strategy
from confiture_flows.anonymization.registry import load_strategies, registered
from confiture_flows.anonymization.rules import rules_of
from confiture_flows.anonymization.strategy import Column
from confiture_flows.anonymization.validator import ConfigValidator
from confiture_flows.config import load_project
from confiture_flows.plugins import StrategyBase
from confiture_flows.postgres import Server
from tests.pages.blocks import blocks, page

GUIDE, API = "docs/guides/custom-strategies.md", "docs/api/strategy-plugin.md"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    names = set(registered)
    yield
    for name in set(registered) - names:
        registered.remove(name)
    for name in [
        each for each in sys.modules if each.split(".")[0] in ("strategies", "guide_masks")
    ]:
        del sys.modules[name]


def test_strategies_of_the_guide_keep_what_they_promise(tmp_path: Path, server: Server) -> None:
    function, number, tag, test = blocks(GUIDE, "python")
    (tmp_path / "guide_masks.py").write_text(f"{function}\n\n{number}\n\n{tag}")
    (tmp_path / "confiture.toml").write_text('[anonymization]\nstrategies = ["guide_masks"]\n')
    load_strategies(load_project(tmp_path))
    names: dict[str, Any] = {}
    exec(compile(test, GUIDE, "exec"), names)
    names["test_member_number"]()
    for name in ("shorten", "member-number", "tag"):
        testing.check_strategy(name, dsn=server.dsn)
    made, column = registered.find("member-number"), Column("a", "b", "c", "varchar", max_length=9)
    with pytest.raises(ValueError, match="it needs 17 characters, and there are 9"):
        made(made.Config(), column, None)


def test_configuration_of_the_guide_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, point, secret = blocks(GUIDE, "toml")
    (tmp_path / "confiture.toml").write_text(rules)
    write_strategy(tmp_path, "badge-number")
    function = blocks(GUIDE, "python")[0]
    module = tmp_path / "strategies" / "badge_number.py"
    module.write_text(
        module.read_text()
        + function.replace("from confiture_flows.plugins", "\n\nfrom confiture_flows.plugins")
    )
    project = load_project(tmp_path)
    found = ConfigValidator(load_strategies(project))
    for rule in rules_of(project).columns:
        found.validate(rule.strategy, rule.config)
    assert "confiture_flows.strategies" in tomllib.loads(point)["project"]["entry-points"]

    (tmp_path / "confiture.toml").write_text(secret)
    monkeypatch.setenv("MASKING_SECRET", "0123456789abcdef")
    assert secret_of(load_project(tmp_path)) is not None


def test_example_of_the_reference_runs() -> None:
    (example,) = blocks(API, "python")
    exec(compile(example, API, "exec"), {"__name__": "reference"})


def test_tables_leave_nothing_out() -> None:
    guide, api = page(GUIDE), page(API)
    assert [each for each in get_args(testing.PropertyName) if f"| `{each}` |" not in guide] == []
    members = [each for each in vars(StrategyBase) if not each.startswith("_")]
    told = {"name", "reference", "key", "Config"}
    missing = [each for each in members if f"| `{each}" not in api and each not in told]
    assert missing == []
