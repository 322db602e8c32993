"""The lifecycle's plain stages, with linting as a part of validation: lint.gate = true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.config import load_project
from confiture_flows.lint.pending import lint_pending
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction

if TYPE_CHECKING:
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.report.finding import Finding


class LintedStages(PlainStages):
    """Implements `Stages` with direct calls; findings of the rules stop a run like any other."""

    def validate(
        self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction
    ) -> tuple[Finding, ...]:
        """Compare files and ledger, and judge what is pending."""
        findings = PlainStages.validate(self, directory, rows, direction)
        if direction is Direction.DOWN:
            return findings
        report = lint_pending(
            self.conn, load_project(), directory, rows, target=self.target, history=False
        )
        return (*findings, *report.plain)
