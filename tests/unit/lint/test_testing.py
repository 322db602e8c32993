"""What the helper for the tests of rules refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from confiture_flows.lint.registry import own_rules
from confiture_flows.lint.rule import Problem, Rule, TextEdit
from confiture_flows.lint.testing import assert_finds, assert_silent, check_cases
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

CF01 = next(rule for rule in own_rules() if rule.code == "CF01")
TABLE, INDEX = "CREATE TABLE t (a int);", "CREATE INDEX i ON t (a);"


def growing(said: op.CreateTable, scene: object) -> Iterator[Problem]:
    """Mends what it has mended already."""
    yield Problem("Short.", "Grow.", edits=(TextEdit(0, 0, "-- more\n"),))


GROWS = Rule("GR01", "grow.more", "naming", Severity.INFO, (op.CreateTable,), growing, fixable=True)


def test_what_holds_passes() -> None:
    fix = "CREATE INDEX CONCURRENTLY i ON t (a);"
    assert_finds(CF01, INDEX, before=TABLE, severity="error", fix=fix)
    assert_silent(CF01, TABLE + INDEX)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"count": 2}, "CF01 has to speak 2 times, and says .'line 1: Writes to t wait"),
        ({"line": 2}, "CF01 speaks of another line: 1, not 2"),
        ({"severity": "info"}, "CF01 is as bad: 'error', not 'info'"),
        ({"fix": INDEX}, "CF01 mends it: 'CREATE INDEX CONCURRENTLY"),
    ],
)
def test_what_does_not_hold_is_said(case: dict[str, object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_finds(CF01, INDEX, before=TABLE, **case)


def test_rule_that_speaks_where_it_has_to_be_silent_is_told() -> None:
    with pytest.raises(AssertionError, match="has to speak 0 times"):
        assert_silent(CF01, INDEX, before=TABLE)


def test_fix_that_goes_on_and_on_is_told() -> None:
    with pytest.raises(AssertionError, match="mends it once and for all"):
        assert_finds(GROWS, TABLE, fix=f"-- more\n{TABLE}")


def test_file_of_cases_has_enough_of_them(tmp_path: Path) -> None:
    path = tmp_path / "CF01.yml"
    path.write_text(f"before: {TABLE}\nfail:\n  - sql: {INDEX}\npass: []\n")
    with pytest.raises(AssertionError, match="two or more cases that fail: False, not True"):
        check_cases(CF01, path)


def test_guide_shows_a_rule_and_its_test() -> None:
    guide = Path(__file__).parents[3] / "docs" / "guides" / "schema-linting.md"
    blocks = re.findall(
        r"^```python\n(.*?)^```", guide.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    rule, test = (compile(each, "schema-linting.md", "exec") for each in blocks)
    names: dict[str, Any] = {}
    exec(rule, names)
    assert names["RULE"].title == "Give every table a comment"
    exec(test, names)
    names["test_comment_has_to_be_there"]()
    silenced = replace(names["RULE"], check=lambda said, scene: iter(()))
    names["RULE"] = silenced
    with pytest.raises(AssertionError):
        names["test_comment_has_to_be_there"]()
