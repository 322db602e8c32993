"""Directory + ledger rows + a live database -> the report on what would be applied next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.lint.baseline import without_known
from confiture_flows.lint.drift import applied_drift
from confiture_flows.lint.history import judge_history
from confiture_flows.lint.judging import judge_migrations
from confiture_flows.lint.live import read_live
from confiture_flows.lint.runner import replayed_state
from confiture_flows.lint.selection import pending_versions
from confiture_flows.lint.settings import settings_of
from confiture_flows.migrations.edits import with_edits

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.config import Project
    from confiture_flows.lint.cache import LintCache
    from confiture_flows.lint.live import LiveDatabase
    from confiture_flows.lint.report import LintReport
    from confiture_flows.lint.settings import LintSettings
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.target import Target

_BLIND = "That lock keeps the schema from being read: judged by the files, and drift is not told."


def lint_pending(
    conn: Connection,
    project: Project,
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    *,
    target: Target,
    history: bool,
) -> LintReport:
    """Judge the pending migrations, as one set, on what the database holds now.

    Args:
        conn: In autocommit.
        project: What the configuration says.
        directory: All migrations.
        rows: Of the ledger.
        target: Whose they are.
        history: Whether edited, deleted, missing and late migrations are told too.

    Raises:
        ConfigError: The configuration names a rule that nobody knows, or a wrong baseline.
    """
    live, settings = read_live(conn, target.ledger), settings_of(project)
    report = judge_pending(directory, rows, live, settings)
    if history:
        downs = with_edits(conn, target.ledger, directory, ())
        found = judge_history(directory, settings, rows=rows, target=target, more=downs)
        report = report.beside(found)
    baseline = project.lint.baseline
    return without_known(report, baseline) if baseline else report


def judge_pending(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    live: LiveDatabase,
    settings: LintSettings,
    *,
    changed: frozenset[str] | None = None,
    cache: LintCache | None = None,
) -> LintReport:
    """Judge what is pending, and tell where the database is not what the applied ones make.

    Args:
        directory: All migrations.
        rows: Of the ledger.
        live: What the database holds.
        settings: What the project says.
        changed: Judge only these of the pending ones.
        cache: Where what sqlfluff said of unchanged files may be.
    """
    pending = pending_versions(directory, rows)
    start = live.state
    if start is None:
        start = replayed_state(each for each in directory.migrations if each.version not in pending)
    report = judge_migrations(
        tuple(each for each in directory.migrations if each.version in pending),
        only=pending if changed is None else pending & changed,
        together=True,
        settings=replace(settings, statistics=live.statistics),
        start=start,
        cache=cache,
    )
    return _with_drift(report, directory, pending, live, settings)


def judge_all(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    live: LiveDatabase,
    settings: LintSettings,
    *,
    cache: LintCache | None = None,
) -> LintReport:
    """Judge all migrations, each by the history before it and the sizes that tables have now."""
    settings = replace(settings, statistics=live.statistics)
    report = judge_migrations(directory.migrations, settings=settings, cache=cache)
    pending = pending_versions(directory, rows)
    return _with_drift(report, directory, pending, live, settings)


def _with_drift(
    report: LintReport,
    directory: Directory,
    pending: frozenset[str],
    live: LiveDatabase,
    settings: LintSettings,
) -> LintReport:
    if live.state is None:
        return replace(report, notes=(*report.notes, _BLIND))
    return replace(report, database=applied_drift(directory, pending, live.state, settings))
