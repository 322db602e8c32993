"""Gaps in the numbers of migrations, and where there are none to speak of."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.lint.history import judge_history
from confiture_flows.lint.history_rule import all_history_rules
from confiture_flows.lint.settings import LintSettings
from confiture_flows.migrations.discovery import discover


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ("0001 0002 0004", "Version 0003 is missing between 0002_a and 0004_a."),
        ("1 2 3 9", "Versions 4 to 8 are missing between 3_a and 9_a."),
        ("0001 0003", ""),
        ("10 20 30 50", ""),
        ("0001 0002 0003", ""),
        ("20260101000001 20260101000002 20260101000004", ""),
    ],
)
def test_gap_is_told_where_migrations_are_counted(tmp_path: Path, versions: str, said: str) -> None:
    for each in versions.split():
        (tmp_path / f"{each}_a.up.sql").write_text("SELECT 1;\n")
    found = judge_history(discover(tmp_path), LintSettings())
    assert [each.message for each in found] == ([said] if said else [])
    if found:
        found[0].path.write_text("-- noqa: CF8E somebody else has it\nSELECT 1;\n")
        assert judge_history(discover(tmp_path), LintSettings()) == ()


def test_each_history_rule_has_a_page_of_its_own_code() -> None:
    rules = all_history_rules()
    assert len({each.code for each in rules} | {each.finding for each in rules}) == 2 * len(rules)
    for each in rules:
        assert each.page.startswith(f"{each.title}.")
        assert "**Anti-pattern**" in each.page
        assert "**Best practice**" in each.page
