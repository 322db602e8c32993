"""[lint] of the configuration -> LintSettings, with every rule known by its code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.lint._words import NAMED_KINDS
from confiture_flows.lint.catalog_rule import find_catalog_rule
from confiture_flows.lint.registry import find_rule
from confiture_flows.lint.statistics import read_statistics
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows.config import Project
    from confiture_flows.lint.rule import Rule
    from confiture_flows.lint.statistics import TableStatistics


@dataclass(frozen=True, slots=True)
class LintSettings:
    """What a project asks of the rules.

    Attributes:
        severities: Of rules, by code; None switches a rule off.
        exclude: Patterns of file names that are history and have no findings.
        names: Regular expressions for the names of objects, by kind.
        statistics: What is known of the rows of tables; None for nothing.
    """

    severities: dict[str, Severity | None] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    names: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    statistics: TableStatistics | None = None

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
        ConfigError: It names a rule or a kind of object that nobody knows, a pattern is none, or
            the statistics cannot be read.
    """
    severities: dict[str, Severity | None] = {}
    for word, label in project.lint.rules.items():
        found = [rule for rule in (find_rule(word), find_catalog_rule(word)) if rule]
        if not found:
            raise ConfigError(
                f"lint.rules: there is no rule {word}.",
                file=project.source,
                next_step="See: confiture-flows rules",
            )
        for rule in found:
            severities[rule.code] = None if label == "off" else Severity.of(label)
    file = project.lint.statistics
    statistics = read_statistics(file) if file else None
    return LintSettings(severities, project.lint.exclude, _names(project), statistics)


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
