"""Linting a few files of a temporary directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from confiture_flows.lint.report import LintReport
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.settings import LintSettings
from confiture_flows.migrations.discovery import discover


class LintFiles(Protocol):
    def __call__(
        self,
        files: dict[str, str],
        *,
        only: frozenset[str] | None = None,
        together: bool = False,
        settings: LintSettings | None = None,
    ) -> LintReport: ...


@pytest.fixture
def lint_files(write: Callable[..., Path]) -> LintFiles:
    """Write migrations and lint them."""

    def run(
        files: dict[str, str],
        *,
        only: frozenset[str] | None = None,
        together: bool = False,
        settings: LintSettings | None = None,
    ) -> LintReport:
        found = discover(write(files)).migrations
        return lint_migrations(found, only=only, together=together, settings=settings)

    return run
