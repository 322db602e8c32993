"""[lint] of the configuration -> LintSettings, with every rule known by its code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from confiture_flows._anonymization_config import AnonymizationConfig
from confiture_flows.anonymization.rules import rules_of
from confiture_flows.errors import ConfigError
from confiture_flows.lint._words import NAMED_KINDS
from confiture_flows.lint.registry import find_rule
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows.anonymization.rules import Pattern
    from confiture_flows.config import Project
    from confiture_flows.lint.rule import Rule


@dataclass(frozen=True, slots=True)
class LintSettings:
    """What a project asks of the rules.

    Attributes:
        severities: Of rules, by code; None switches a rule off.
        exclude: Patterns of file names that are history and have no findings.
        names: Regular expressions for the names of objects, by kind.
        masked: The columns that have a column rule, or need none; None without [anonymization].
    """

    severities: dict[str, Severity | None] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    names: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    masked: tuple[Pattern, ...] | None = None

    def wants(self, rule: Rule) -> bool:
        """Whether a rule is on."""
        if rule.code in self.severities:
            return self.severities[rule.code] is not None
        return rule.on_by_default

    def excludes(self, path: Path) -> bool:
        """Whether a file is left out."""
        return any(fnmatch(path.name, each) or path.match(each) for each in self.exclude)


def settings_of(project: Project) -> LintSettings:
    """What a project says.

    Raises:
        ConfigError: It names a rule or a kind of object that nobody knows, or a pattern is none.
    """
    severities: dict[str, Severity | None] = {}
    for word, label in project.lint.rules.items():
        rule = find_rule(word)
        if rule is None:
            raise ConfigError(
                f"lint.rules: there is no rule {word}.",
                file=project.source,
                next_step="See: confiture-flows rules",
            )
        severities[rule.code] = None if label == "off" else Severity.of(label)
    return LintSettings(severities, project.lint.exclude, _names(project), _masked(project))


def _masked(project: Project) -> tuple[Pattern, ...] | None:
    if project.anonymization == AnonymizationConfig():
        return None
    rules = rules_of(project)
    return (*(each.pattern for each in rules.columns), *rules.allowed)


def _names(project: Project) -> dict[str, re.Pattern[str]]:
    patterns: dict[str, re.Pattern[str]] = {}
    for kind, said in project.lint.names.items():
        if kind not in NAMED_KINDS:
            raise ConfigError(
                f"lint.names: there is no kind of object {kind}.",
                file=project.source,
                next_step=f"Those with names are {', '.join(NAMED_KINDS)}.",
            )
        try:
            patterns[kind] = re.compile(said)
        except re.error as error:
            raise ConfigError(
                f"lint.names.{kind}: {said} is no regular expression: {error}.",
                file=project.source,
                next_step="Write one as Python's re does.",
            ) from None
    return patterns
