"""The rules' pages are what the rules say."""

from __future__ import annotations

from pathlib import Path

from confiture_flows.lint.pages import main, rule_pages
from confiture_flows.lint.registry import own_rules
from confiture_flows.lint.rule_index import PATH, index_text, indexed_rules

FOLDER = Path(__file__).parents[3] / "docs" / "rules"


def test_pages_are_up_to_date() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert written == rule_pages(), "run: python -m confiture_flows.lint.pages"


def test_pages_of_rules_that_are_gone_are_taken_away(tmp_path: Path) -> None:
    (tmp_path / "CF1000.md").write_text("old")
    main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(rule_pages())


def test_index_is_up_to_date() -> None:
    said = PATH.read_text(encoding="utf-8")
    assert said == index_text(), "run: python -m confiture_flows.lint.pages"
    assert [each.code for each in indexed_rules()] == [each.code for each in own_rules()]
