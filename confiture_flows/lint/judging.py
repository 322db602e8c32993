"""Migrations in order -> LintReport: by our rules, and by sqlfluff's own where the project asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.runner import lint_migrations

if TYPE_CHECKING:
    from confiture_flows.lint.cache import LintCache
    from confiture_flows.lint.report import LintReport
    from confiture_flows.lint.settings import LintSettings
    from confiture_flows.lint.state import KnownState
    from confiture_flows.migrations.migration import Migration


def judge_migrations(
    migrations: tuple[Migration, ...],
    *,
    settings: LintSettings,
    only: frozenset[str] | None = None,
    together: bool = False,
    start: KnownState | None = None,
    cache: LintCache | None = None,
) -> LintReport:
    """Judge migrations as `lint_migrations` does, and their style as the project says.

    Raises:
        ConfigError: A rule of another package cannot be used, or sqlfluff refuses its settings.
    """
    report = lint_migrations(
        migrations, only=only, together=together, settings=settings, start=start, cache=cache
    )
    if not settings.style:
        return report
    # It imports sqlfluff, for which nobody should wait who does not want it.
    from confiture_flows.lint.style import with_style

    return with_style(report, migrations, settings, only=only, cache=cache)
