"""DetectionReport: what detect found, for people and for programs. Counts and names, no values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.proposal import as_toml
from confiture_flows.report.document import Block, Code, Document, Paragraph, Table

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.anonymization.detection import Detection
    from confiture_flows.anonymization.proposal import ProposedRule


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """What was looked at and found.

    Attributes:
        columns: How many columns were looked at.
        rows: How many rows.
        detections: Columns without a rule, and paths in them, that look personal.
        covered: How many more have a rule, or are allowed.
        rules: One for each column of `detections`.
        unread: Tables whose rows were not looked at, with the reason.
        written: Where the rules were written.
    """

    columns: int
    rows: int
    detections: tuple[Detection, ...]
    covered: int
    rules: tuple[ProposedRule, ...]
    unread: tuple[tuple[str, str], ...] = ()
    written: Path | None = None

    def json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "columns": self.columns,
            "rows": self.rows,
            "covered": self.covered,
            "detections": [
                {
                    "column": str(each.column),
                    "type": each.column.type,
                    "path": each.path or None,
                    "category": each.category,
                    "score": each.score,
                    "evidence": list(each.evidence),
                }
                for each in self.detections
            ],
            "rules": {each.name: each.value for each in self.rules},
            "toml": as_toml(self.rules),
            "unread": [{"table": table, "reason": reason} for table, reason in self.unread],
            "written": self.written,
        }

    def document(self, target: str) -> Document:
        """For people.

        Args:
            target: The name of the database.
        """
        columns, looked = f"{self.columns:,} columns of {target}", f"{self.rows:,} rows"
        more = f" {self.covered} more have a rule." if self.covered else ""
        if not self.detections:
            title = f"Of {columns}, none without a rule looks personal ({looked} read).{more}"
            return Document(title, self._unread())
        count = len(self.rules)
        title = f"Of {columns}, {count:,} look{'s' * (count == 1)} personal ({looked} read)."
        table = Table(
            ("column", "category", "score", "because"),
            tuple(
                (str(each), each.category, f"{each.score:.2f}", "; ".join(each.evidence))
                for each in self.detections
            ),
        )
        said = "Column rules:" if self.written is None else f"Written into {self.written}:"
        rules = Code(f"[anonymization.columns]\n{as_toml(self.rules)}", "toml")
        covered = (Paragraph(more.strip(), "muted"),) if more else ()
        return Document(title, (table, *covered, *self._unread(), Paragraph(said), rules))

    def _unread(self) -> tuple[Block, ...]:
        return tuple(
            Paragraph(f"{table} was judged by its names alone: {reason}.", "muted")
            for table, reason in self.unread
        )
