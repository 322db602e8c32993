"""[lint] of the configuration -> LintSettings, with every rule known by its code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from confiture_flows._anonymization_config import AnonymizationConfig
from confiture_flows.errors import ConfigError
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows.anonymization.rules import Pattern
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
        style: Whether sqlfluff's own rules run too.
        others: Severities of rules that may be sqlfluff's, by code or name; with `style` only.
        masked: The columns that have a column rule, or need none; None without [anonymization].
    """

    severities: dict[str, Severity | None] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    names: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    statistics: TableStatistics | None = None
    style: bool = False
    others: Mapping[str, Severity | None] = field(default_factory=dict)
    masked: tuple[Pattern, ...] | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells these settings from others, to our own rules."""
        known = self.statistics.tables if self.statistics else {}
        return (
            tuple(sorted(self.severities.items())),
            self.exclude,
            tuple(sorted((kind, each.pattern) for kind, each in self.names.items())),
            tuple(sorted(known.items(), key=lambda each: each[0])),
            self.masked,
        )

    def wants(self, rule: Rule) -> bool:
        """Whether a rule is on."""
        if rule.code in self.severities:
            return self.severities[rule.code] is not None
        return rule.on_by_default

    def excludes(self, path: Path) -> bool:
        """Whether a file is left out."""
        return any(fnmatch(path.name, each) or path.match(each) for each in self.exclude)


def settings_of(project: Project, *, style: bool | None = None) -> LintSettings:
    """What a project says.

    Args:
        project: The configuration.
        style: Whether sqlfluff's own rules run, whatever the configuration says of that.

    Raises:
        ConfigError: It names a rule or a kind of object that nobody knows, a pattern is none, or
            the statistics cannot be read.
    """
    severities: dict[str, Severity | None] = {}
    others: dict[str, Severity | None] = {}
    wanted = project.lint.style if style is None else style
    for word, label in project.lint.rules.items():
        # What a configuration may name is imported where it does: a lint without news needs none.
        from confiture_flows.lint.every_rule import find_any_rule

        severity = None if label == "off" else Severity.of(label)
        found = find_any_rule(word)
        if not found and wanted:
            others[word] = severity  # sqlfluff is asked when its rules run
        elif not found:
            raise ConfigError(
                f"lint.rules: there is no rule {word}.",
                file=project.source,
                next_step="See: confiture-flows rules",
            )
        severities |= {rule.code: severity for rule in found}
    return LintSettings(
        severities,
        project.lint.exclude,
        _names(project),
        statistics=_statistics(project),
        style=wanted,
        others=others,
        masked=_masked(project),
    )


def _statistics(project: Project) -> TableStatistics | None:
    if project.lint.statistics is None:
        return None
    from confiture_flows.lint.statistics import read_statistics

    return read_statistics(project.lint.statistics)


def _masked(project: Project) -> tuple[Pattern, ...] | None:
    if project.anonymization == AnonymizationConfig():
        return None
    from confiture_flows.anonymization.rules import rules_of

    rules = rules_of(project)
    return (*(each.pattern for each in rules.columns), *rules.allowed)


def _names(project: Project) -> dict[str, re.Pattern[str]]:
    patterns: dict[str, re.Pattern[str]] = {}
    for kind, said in project.lint.names.items():
        from confiture_flows.lint._words import NAMED_KINDS

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
