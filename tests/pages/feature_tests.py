"""The folders of tests -> how many tests each feature of the plan has, and how many it asks for."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Feature:
    """A feature of the plan, with the tests that are its own.

    Attributes:
        name: As the plan calls it.
        asked: How many tests the plan asks for.
        places: Files and folders of tests, below tests/.
    """

    name: str
    asked: int
    places: tuple[str, ...]

    def count(self) -> int:
        """How many test functions there are; one that runs for twenty inputs counts once."""
        files = [
            file
            for place in self.places
            for file in ((TESTS / place).rglob("test_*.py") if _folder(place) else [TESTS / place])
        ]
        return sum(_tests_in(file) for file in files)


FEATURES = (
    Feature(
        "Migration hooks",
        25,
        (
            "unit/hooks",
            "integration/test_hooks_plain.py",
            "integration/test_builtin_hooks.py",
            "prefect/test_hooks_in_flows.py",
            "prefect/test_hooks_on_crash.py",
            "e2e/test_hooks_guide.py",
        ),
    ),
    Feature(
        "Custom strategies",
        20,
        (
            "unit/anonymization/test_plugins.py",
            "unit/anonymization/test_registry.py",
            "unit/anonymization/test_strategies.py",
            "unit/anonymization/test_strategy_kinds.py",
            "unit/anonymization/test_confiture_adapter.py",
            "integration/anonymization/test_kit.py",
            "integration/test_strategies_in_sql.py",
            "integration/isolation",
            "e2e/test_strategy_docs.py",
            "cli/test_strategies.py",
        ),
    ),
    Feature("Interactive wizard", 15, ("wizard",)),
    Feature(
        "Dry run",
        10,
        (
            "unit/dryrun",
            "integration/dryrun",
            "cli/test_dry_run.py",
            "prefect/test_dry_run.py",
            "e2e/test_dry_run_corpora.py",
        ),
    ),
    Feature(
        "Linting",
        15,
        (
            "unit/lint",
            "cli/test_lint.py",
            "prefect/test_lint_flow.py",
            "integration/test_lint_fixes.py",
            "integration/test_live_state.py",
            "integration/test_catalog_rules.py",
            "e2e/test_lint_docs.py",
        ),
    ),
)


def _folder(place: str) -> bool:
    return not place.endswith(".py")


def _tests_in(file: Path) -> int:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for node in ast.walk(tree)
    )


def table_of_tests(_arguments: list[str]) -> str:
    """A row a feature."""
    rows = ["| feature | asked | there | where |", "|---|---|---|---|"]
    for each in FEATURES:
        where = ", ".join(f"`tests/{place}`" for place in each.places)
        rows.append(f"| {each.name} | {each.asked} | {each.count()} | {where} |")
    asked, there = sum(each.asked for each in FEATURES), sum(each.count() for each in FEATURES)
    rows.append(f"| all five | {asked} | {there} | |")
    return "\n".join(rows)
