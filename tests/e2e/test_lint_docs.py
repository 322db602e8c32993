"""The example of a rule of one's own runs, and the guide's configuration is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confiture_flows.config import load_project
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.settings import settings_of
from confiture_flows.migrations.discovery import discover

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "schema-linting.md"


def blocks(language: str) -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_rule_of_ones_own_runs(write: Callable[..., Path]) -> None:
    (example,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(example, str(GUIDE), "exec"), names)
    folder = write(
        {
            "1_a.up.sql": "CREATE TABLE a (id int);",
            "2_b.up.sql": "CREATE TABLE b (id int); COMMENT ON TABLE b IS 'letters';",
        }
    )
    report = lint_migrations(discover(folder).migrations, rules=(names["RULE"],))
    assert [(each.rule, each.version) for each in report.findings] == [("SHOP", "1")]


def test_configuration_of_the_guide_is_one(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    (tmp_path / "confiture.toml").write_text(example)
    settings = settings_of(load_project(tmp_path))
    assert settings.severities["CF22"] is None
    assert settings.excludes(Path("db/migrations/0001_init.up.sql"))


def test_comments_of_the_guide_silence(write: Callable[..., Path]) -> None:
    (example,) = blocks("sql")
    report = lint_migrations(discover(write({"1_a.up.sql": example})).migrations)
    assert [each.rule for each in report.findings] == []
