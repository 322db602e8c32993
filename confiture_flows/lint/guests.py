"""Entry points -> rules of other packages, which may raise anything without ending the run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.lint.rule import Problem, Rule
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint

    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql.operation import Operation


def load_guest(point: EntryPoint) -> Rule:
    """The rule that an entry point names.

    Raises:
        ConfigError: It cannot be loaded, or is no rule.
    """
    try:
        rule = point.load()
    except Exception as error:
        raise ConfigError(
            f"The rule {point.name} of {point.value} cannot be loaded: {_said(error)}.",
            next_step="Mend or uninstall the package that brings it.",
        ) from None
    if not isinstance(rule, Rule):
        raise ConfigError(
            f"{point.value} is no lint rule.",
            next_step="Let the entry point name a confiture_flows.lint.rule.Rule.",
        )
    return replace(rule, check=_Guarded(rule, point.value))


class _Guarded:
    """The check of a rule; what it raises is a finding where it was raised."""

    def __init__(self, rule: Rule, place: str) -> None:
        self.rule = rule
        self.place = place

    def __call__(self, said: Operation, scene: Scene) -> Iterator[Problem]:
        try:
            yield from self.rule.check(said, scene)
        except Exception as error:
            yield Problem(
                f"{self.rule.code} of {self.place} cannot judge this: {_said(error)}.",
                f'Mend the package that brings it, or write {self.rule.code} = "off".',
                severity=Severity.ERROR,
            )


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(":. ")
