"""The rules there are: a module each in rules/, and those of other packages by entry point."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.lint import rules
from confiture_flows.lint.guests import load_guest
from confiture_flows.lint.rule_index import ENTRY_POINTS

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Rule


@cache
def own_rules() -> tuple[Rule, ...]:
    """The rules of this package, by code."""
    found: list[Rule] = []
    for module in pkgutil.iter_modules(rules.__path__):
        if not module.name.startswith("_"):
            found += import_module(f"{rules.__name__}.{module.name}").RULES
    return tuple(sorted(found, key=lambda rule: rule.code))


@cache
def all_rules() -> tuple[Rule, ...]:
    """The rules of this package and those of others, by code.

    Raises:
        ConfigError: A package's entry point cannot be loaded, is no rule, or takes a code twice.
    """
    found = {rule.code: rule for rule in own_rules()}
    for point in entry_points(group=ENTRY_POINTS):
        rule = load_guest(point)
        if rule.code in found:
            raise ConfigError(
                f"The rule {point.name} of {point.value} takes the code {rule.code}, which is "
                f"{found[rule.code].name}.",
                next_step="Give it a code of its own.",
            )
        found[rule.code] = rule
    return tuple(found[code] for code in sorted(found))
