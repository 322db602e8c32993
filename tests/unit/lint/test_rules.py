"""Each rule on its cases in tests/rules: what it must find, where, and what mends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from confiture_flows.anonymization.rules import Pattern
from confiture_flows.lint.fixes import apply_edits
from confiture_flows.lint.registry import own_rules
from confiture_flows.lint.report import LintFinding
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.settings import LintSettings
from confiture_flows.migrations.discovery import discover

CASES = Path(__file__).parents[2] / "rules"
RULES = {rule.code: rule for rule in own_rules()}
# What the cases of CF65 and its page are about.
NAMES = {"table": re.compile("tb_[a-z_]+"), "constraint": re.compile("ck_.+|.*key")}
# And those of CF88.
MASKED = tuple(Pattern.read(each, 3) for each in ("public.customers.phone", "public.allowed.*"))
Lint = Callable[..., tuple[LintFinding, ...]]


def cases(kind: str) -> list[Any]:
    found: list[Any] = []
    for path in sorted(CASES.glob("*.yml")):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        for number, case in enumerate(table[kind], 1):
            case.setdefault("before", table.get("before", ""))
            found.append(pytest.param(path.stem, case, id=f"{path.stem}-{kind}-{number}"))
    return found


@pytest.fixture
def lint(write: Callable[..., Path]) -> Lint:
    """Lint one migration by one rule, with another before it."""

    def run(
        code: str, sql: str, before: str, down: str = "", after: str = ""
    ) -> tuple[LintFinding, ...]:
        files = {"2_case.up.sql": sql} | ({"1_before.up.sql": before} if before else {})
        files |= {"2_case.down.sql": down} if down else {}
        files |= {"3_after.up.sql": after} if after else {}
        found = discover(write(files), as_written=True).migrations
        # What a comment silences, other rules have to say.
        rules = own_rules() if code == "CF91" else (RULES[code],)
        settings = LintSettings(names=NAMES, masked=MASKED)
        report = lint_migrations(found, only=frozenset(("2",)), settings=settings, rules=rules)
        return tuple(each for each in report.findings if each.rule == code)

    return run


@pytest.mark.parametrize(("code", "case"), cases("fail"))
def test_rule_finds(code: str, case: dict[str, Any], lint: Lint) -> None:
    found = lint(code, case["sql"], case["before"], case.get("down", ""), case.get("after", ""))
    assert [each.rule for each in found] == [code] * case.get("count", 1)
    assert found[0].line == case.get("line", 1)
    assert found[0].severity.label == case.get("severity", found[0].severity.label)
    assert found[0].next_step.endswith(".")
    if "fix" in case:
        mended = apply_edits(case["sql"], [edit for each in found for edit in each.edits])
        assert mended == case["fix"]
        again = lint(code, mended, case["before"], "", case.get("after", ""))
        assert [edit for each in again for edit in each.edits] == []


@pytest.mark.parametrize(("code", "case"), cases("pass"))
def test_rule_is_silent(code: str, case: dict[str, Any], lint: Lint) -> None:
    found = lint(code, case["sql"], case["before"], case.get("down", ""), case.get("after", ""))
    assert [each.message for each in found] == []


@pytest.mark.parametrize("code", sorted(RULES))
def test_each_rule_has_cases_and_a_page(code: str) -> None:
    path = CASES / f"{code}.yml"
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert len(table["fail"]) >= 2
    assert len(table["pass"]) >= 2
    fixes = any("fix" in case for case in table["fail"])
    rule = RULES[code]
    assert fixes is rule.fixable
    assert "**Anti-pattern**" in rule.page
    assert "**Best practice**" in rule.page
    assert rule.page.startswith(f"{rule.title}.")


@pytest.mark.parametrize("code", sorted(RULES))
def test_examples_of_a_page_are_what_they_say(code: str, lint: Lint) -> None:
    blocks = RULES[code].page.split("```sql\n")[1:]
    if code == "CF84":
        return  # its examples are pairs of files, as its cases are
    bad, good = (block.partition("\n```")[0] for block in blocks[:2])
    table = yaml.safe_load((CASES / f"{code}.yml").read_text(encoding="utf-8"))
    before = table.get("example_before", "")
    if "-- in a later migration:" in bad:
        before, _, bad = bad.partition("-- in a later migration:\n")
    assert lint(code, bad, before, "", table.get("example_after", ""))
    if (
        "-- 00" not in good and "-- in a later" not in good and not before
    ):  # what are several migrations
        assert not lint(code, good, before)
