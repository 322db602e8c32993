"""All rules of all kinds, for lists and pages: of statements, of the history, of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.catalog_rule import all_catalog_rules
from confiture_flows.lint.history_rule import all_history_rules
from confiture_flows.lint.registry import all_rules, own_rules

if TYPE_CHECKING:
    from confiture_flows.lint.catalog_rule import CatalogRule
    from confiture_flows.lint.history_rule import HistoryRule
    from confiture_flows.lint.rule import Rule


def every_rule(*, own: bool = False) -> tuple[Rule | HistoryRule | CatalogRule, ...]:
    """The rules, by code.

    Args:
        own: Only those of this package.

    Raises:
        ConfigError: A package's entry point cannot be loaded, is no rule, or takes a code twice.
    """
    statements = own_rules() if own else all_rules()
    found = (*statements, *all_history_rules(), *all_catalog_rules())
    return tuple(sorted(found, key=lambda rule: rule.code))


def find_any_rule(word: str) -> tuple[Rule | HistoryRule | CatalogRule, ...]:
    """The rules of a code or name, in any case; two kinds may share a name."""
    known = word.lower()
    return tuple(each for each in every_rule() if known in (each.code.lower(), each.name))
