"""conn + migrations -> DriftReport: where a database has left what its ledger's migrations make.

The history is replayed (replay.py); this says what came of it to people and machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.migrations.replay import Replay, Watch, unwatched
from confiture_flows.migrations.report import count
from confiture_flows.migrations.verification import difference_block, replay_findings, replay_for
from confiture_flows.report.document import Block, Document, Facts, Paragraph, Table

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.catalog.diff import Change
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

_MOST = 100  # changes in a document


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Where a database is not what its migrations make.

    Attributes:
        target: Its name.
        replay: What was compared, or why nothing could be.
        findings: One a difference, the most severe first; or the one that says why it is unknown.
    """

    target: str
    replay: Replay
    findings: tuple[Finding, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """What has drifted; the order of columns is no drift."""
        return tuple(change for change in self.replay.changes if change.is_drift)

    @property
    def verdict(self) -> str:
        """What came of it, in a line."""
        if self.replay.unknown is not None:
            return f"{self.target}: whether it has drifted is unknown"
        if not self.replay.changes:
            return f"{self.target}: no drift, {count(self.replay.migrations)} replayed"
        differences = count(len(self.replay.changes), "difference")
        return f"{self.target}: {differences} from what {count(self.replay.migrations)} make"


def find_drift(
    conn: Connection, target: Target, migrations: tuple[Migration, ...], watch: Watch = unwatched
) -> DriftReport:
    """Compare a database with what the migrations that are applied to it make.

    Args:
        conn: The database; in autocommit. Only read.
        target: Where `conn` leads.
        migrations: All of the directory.
        watch: Watches the connections to the scratch database.

    Raises:
        LedgerError: The ledger is something else, or may not be read.
        ConfigError: The target's `scratch` cannot be read.
    """
    found = replay_for(conn, target, migrations, watch)
    findings = sorted(replay_findings(found), key=lambda finding: -finding.severity)
    return DriftReport(target.name, found, tuple(findings))


def drift_document(report: DriftReport) -> Document:
    """A table of what differs and what to do about it, and the definitions as a diff."""
    found = report.replay
    if found.unknown is not None:
        step = [Paragraph(f"What to do next: {found.next_step}")] if found.next_step else []
        where = [Facts((("File", str(found.location)),))] if found.location else []
        return Document(report.verdict, (Paragraph(found.unknown, "bad"), *where, *step))
    place = found.place.partition(" (")[0]  # where its binaries are matters to nobody here
    facts = Facts((("Replayed in", place), ("Migrations", str(found.migrations))))
    if not found.changes:
        return Document(report.verdict, (facts,))
    shown, more = report.findings[:_MOST], len(report.findings) - _MOST
    table = Table(
        ("severity", "what", "what to do"),
        tuple((each.severity.label, each.message, each.next_step or "") for each in shown),
    )
    blocks: list[Block] = [facts, table]
    if more > 0:
        blocks.append(Paragraph(f"{count(more, 'more difference')}."))
    blocks.append(difference_block(found.changes[:_MOST]))
    return Document(report.verdict, tuple(blocks))
