"""Directory + ledger rows + an open connection -> the report on what would be applied next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.lint.baseline import without_known
from confiture_flows.lint.live import read_sizes
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.selection import pending_versions
from confiture_flows.lint.settings import settings_of

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.config import Project
    from confiture_flows.lint.report import LintReport
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow


def lint_pending(
    conn: Connection, project: Project, directory: Directory, rows: tuple[LedgerRow, ...]
) -> LintReport:
    """Judge the pending migrations, as one set, with the sizes that tables have now.

    Raises:
        ConfigError: The configuration names a rule that nobody knows, or a wrong baseline.
    """
    report = lint_migrations(
        directory.migrations,
        only=pending_versions(directory, rows),
        together=True,
        settings=replace(settings_of(project), statistics=read_sizes(conn)),
    )
    baseline = project.lint.baseline
    return without_known(report, baseline) if baseline else report
