"""[lint] of the configuration -> LintSettings, with every rule known by its code."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.lint.registry import find_rule
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.config import Project
    from confiture_flows.lint.rule import Rule


@dataclass(frozen=True, slots=True)
class LintSettings:
    """What a project asks of the rules.

    Attributes:
        severities: Of rules, by code; None switches a rule off.
        exclude: Patterns of file names that are history and have no findings.
    """

    severities: dict[str, Severity | None] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()

    def wants(self, rule: Rule) -> bool:
        """Whether a rule is on."""
        return self.severities.get(rule.code, rule.severity) is not None

    def excludes(self, path: Path) -> bool:
        """Whether a file is left out."""
        return any(fnmatch(path.name, each) or path.match(each) for each in self.exclude)


def settings_of(project: Project) -> LintSettings:
    """What a project says.

    Raises:
        ConfigError: It names a rule that nobody knows.
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
    return LintSettings(severities, project.lint.exclude)
