"""The example of a rule of one's own runs, and the guide's configuration is one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confiture_flows.config import load_project
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.settings import settings_of
from confiture_flows.migrations.discovery import discover
from confiture_flows.sql.parts import ObjectName
from tests.pages.blocks import blocks

GUIDE = "docs/guides/schema-linting.md"


def test_rule_of_ones_own_runs(write: Callable[..., Path]) -> None:
    names: dict[str, Any] = {}
    for example in blocks(GUIDE, "python"):
        exec(compile(example, GUIDE, "exec"), names)
    names["test_comment_has_to_be_there"]()
    folder = write(
        {
            "1_a.up.sql": "CREATE TABLE a (id int);",
            "2_b.up.sql": "CREATE TABLE b (id int); COMMENT ON TABLE b IS 'letters';",
        }
    )
    report = lint_migrations(discover(folder).migrations, rules=(names["RULE"],))
    assert [(each.rule, each.version) for each in report.findings] == [("SHOP", "1")]


def test_configuration_of_the_guide_is_one(tmp_path: Path) -> None:
    sizes, example = blocks(GUIDE, "toml")
    (tmp_path / "confiture.toml").write_text(sizes)
    measured = {"public": {"orders": {"rows": 2_400_000, "bytes": 1 << 30}}}
    written = {"measured": "2026-11-25", "tables": measured}
    (tmp_path / "lint-statistics.json").write_text(json.dumps(written))
    statistics = settings_of(load_project(tmp_path)).statistics
    assert statistics
    assert statistics.tables[ObjectName("public", "orders")].rows == 2_400_000
    (tmp_path / "confiture.toml").write_text(example)
    settings = settings_of(load_project(tmp_path))
    assert settings.severities["CF22"] is None
    assert settings.excludes(Path("db/migrations/0001_init.up.sql"))


def test_comments_of_the_guide_silence(write: Callable[..., Path]) -> None:
    (example,) = blocks(GUIDE, "sql")
    report = lint_migrations(discover(write({"1_a.up.sql": example})).migrations)
    assert [each.rule for each in report.findings] == []
