"""Each rule on its cases in tests/rules: what it must find, where, and what mends it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from confiture_flows.anonymization.rules import Pattern
from confiture_flows.lint.registry import own_rules
from confiture_flows.lint.settings import LintSettings
from confiture_flows.lint.statistics import TableFacts, TableStatistics
from confiture_flows.lint.testing import RuleCase, findings_of_rule, read_cases
from confiture_flows.lint.walk import OF_LOCKS
from confiture_flows.sql.parts import ObjectName

CASES = Path(__file__).parents[2] / "rules"
RULES = {rule.code: rule for rule in own_rules()}
# What the cases of CF65 and its page are about.
NAMES = {"table": re.compile("tb_[a-z_]+"), "constraint": re.compile("ck_.+|.*key")}
# And those of CF88.
MASKED = tuple(Pattern.read(each, 3) for each in ("public.customers.phone", "public.allowed.*"))
SETTINGS = LintSettings(names=NAMES, masked=MASKED)


def cases() -> list[Any]:
    found: list[Any] = []
    for path in sorted(CASES.glob("*.yml")):
        for number, case in enumerate(read_cases(path), 1):
            kind = "fail" if case.count else "pass"
            found.append(pytest.param(path.stem, case, id=f"{path.stem}-{kind}-{number}"))
    return found


def beside(code: str) -> tuple[Any, ...]:
    """What a comment silences, other rules have to say."""
    return own_rules() if code == "CF91" else ()


@pytest.mark.parametrize(("code", "case"), cases())
def test_rule_says_what_its_case_says(code: str, case: RuleCase) -> None:
    case.check(RULES[code], settings=SETTINGS, beside=beside(code))


@pytest.mark.parametrize("code", sorted(RULES))
def test_each_rule_has_cases_and_a_page(code: str) -> None:
    found = read_cases(CASES / f"{code}.yml")
    failing = [each for each in found if each.count]
    assert len(failing) >= 2
    assert len(found) - len(failing) >= 2
    rule = RULES[code]
    mends = any(each.mends for each in failing)
    assert mends is rule.fixable
    assert "**Anti-pattern**" in rule.page
    assert "**Best practice**" in rule.page
    assert rule.page.startswith(f"{rule.title}.")


@pytest.mark.parametrize("code", sorted(RULES))
def test_examples_of_a_page_are_what_they_say(code: str) -> None:
    blocks = RULES[code].page.split("```sql\n")[1:]
    if code == "CF84":
        return  # its examples are pairs of files, as its cases are
    bad, good = (block.partition("\n```")[0] for block in blocks[:2])
    table = yaml.safe_load((CASES / f"{code}.yml").read_text(encoding="utf-8"))
    rows = table.get("rows", {})
    before = table.get("example_before", "")
    if "-- in a later migration:" in bad:
        before, _, bad = bad.partition("-- in a later migration:\n")

    def said(sql: str, after: str = "") -> tuple[object, ...]:
        case = RuleCase(sql, before, after=after, rows=rows)
        return findings_of_rule(RULES[code], case, settings=SETTINGS, beside=beside(code))

    assert said(bad, table.get("example_after", ""))
    if (
        "-- 00" not in good and "-- in a later" not in good and not before
    ):  # what are several migrations
        assert not said(good)


class _AllLarge(dict[ObjectName, TableFacts]):
    """Every table has a hundred million rows."""

    def get(self, key: ObjectName, default: object = None) -> TableFacts:
        return TableFacts(10**8, 10**11, 100.0)


def weighed() -> list[Any]:
    """The cases of rules whose severity follows the size, if it is known."""
    found: list[Any] = []
    for each in cases():
        code, case = str(each.values[0]), each.values[1]
        rule = RULES[code]
        if case.count and rule.category in OF_LOCKS and "C" not in rule.modes:
            found.append(each)
    return found


@pytest.mark.parametrize(("code", "case"), weighed())
def test_large_table_is_the_worst_case(code: str, case: RuleCase) -> None:
    all_large = TableStatistics(date(2026, 11, 25), _AllLarge())
    unknown = findings_of_rule(RULES[code], case, settings=SETTINGS)
    large = findings_of_rule(RULES[code], case, settings=replace(SETTINGS, statistics=all_large))
    assert [each.severity for each in large] == [each.severity for each in unknown]
    assert all("size unknown" in each.reason for each in unknown if each.subject)
