"""A dry run on the test's database, rehearsed on the test's own server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from confiture_flows.config import Limits
from confiture_flows.dryrun.dry_run import dry_run
from confiture_flows.dryrun.report import DryRunReport, MigrationImpact, StatementImpact
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.migrations.plan import plan_back, plan_forward
from confiture_flows.postgres import Server
from confiture_flows.target import Target, connect

QUICK = Limits(lock_timeout_ms=100, lock_patience=0.4, busy_patience=0.5)
DryRun = Callable[..., DryRunReport]


@pytest.fixture
def rehearsed(target: Target, server: Server) -> Target:
    """The target, rehearsed on its own server, which costs less than to start one."""
    return replace(target, scratch=server.dsn, limits=QUICK)


@pytest.fixture
def dry(rehearsed: Target) -> DryRun:
    """`dry(directory, on=..., rows=...)`."""

    def run(
        directory: Path,
        *,
        to: str | None = None,
        back: bool = False,
        as_written: bool = False,
        target: Target = rehearsed,
        **options: Any,
    ) -> DryRunReport:
        migrations = discover(directory, as_written=as_written).migrations
        with connect(target, "test") as conn:
            rows = read_ledger(conn, target.ledger)
            plan = (plan_back if back else plan_forward)(migrations, rows, to)
            return dry_run(conn, plan, target=target, **options)

    return run


def only(report: DryRunReport) -> MigrationImpact:
    """The only migration of a report."""
    (migration,) = report.migrations
    assert migration.error is None, migration.error
    return migration


def statements(report: DryRunReport) -> tuple[StatementImpact, ...]:
    return only(report).statements


def codes(report: DryRunReport) -> list[str]:
    return [finding.code for finding in report.findings]
