"""DryRunReport -> JSON values; docs/dry-run.schema.json says what they look like. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.dryrun.document import verdict_line
from confiture_flows.report.json import error_json, finding_json
from confiture_flows.sql.secrets import masked

if TYPE_CHECKING:
    from confiture_flows.catalog.diff import Change
    from confiture_flows.dryrun.report import (
        DryRunReport,
        Estimate,
        MigrationImpact,
        RollbackProof,
        StatementImpact,
    )


def report_json(report: DryRunReport) -> dict[str, Any]:
    """All of a report."""
    seen = report.on_target
    return {
        "verdict": verdict_line(report),
        "direction": report.direction,
        "depth": report.depth,
        "server": report.server,
        "place": report.place or None,
        "elapsed_seconds": round(report.elapsed, 3),
        "table_locks": report.table_locks,
        "migrations": [_migration(each) for each in report.migrations],
        "rollback": report.rollback and _proof(report.rollback),
        "tables": [
            {
                "name": table.name,
                "rows": table.rows,
                "table_bytes": table.table_bytes,
                "index_bytes": table.index_bytes,
                "sampled": table.sampled,
                "dependents": list(table.dependents),
            }
            for table in report.tables
        ],
        "sessions": [
            {
                "table": each.relation,
                "holds": each.holds,
                "waits": each.mode,
                "seconds": each.seconds,
                "session": str(each.blocker),
                "pid": each.blocker.pid,
            }
            for each in report.sessions
        ],
        "on_target": seen
        and {
            "migrations": list(seen.migrations),
            "stopped": seen.stopped or None,
            "refused": list(seen.refused),
            "seconds": round(seen.seconds, 3),
            "survived": list(seen.survived),
            "error": error_json(seen.error) if seen.error else None,
        },
        "findings": [finding_json(finding) for finding in report.findings],
        "unknown": list(report.unknown),
    }


def _migration(migration: MigrationImpact) -> dict[str, Any]:
    changes = migration.changes
    return {
        "version": migration.version,
        "label": migration.label,
        "file": str(migration.file),
        "seconds": migration.seconds,
        "not_run": migration.not_run or None,
        "error": error_json(migration.error) if migration.error else None,
        "statements": [_statement(each) for each in migration.statements],
        "changes": None if changes is None else [_change(each) for each in changes],
        "rollback": migration.proof and _proof(migration.proof),
    }


def _statement(statement: StatementImpact) -> dict[str, Any]:
    return {
        "number": statement.number,
        "file": str(statement.file) if statement.file else None,
        "line": statement.line,
        "excerpt": statement.excerpt,
        "seconds": statement.seconds,
        "wal_bytes": statement.wal_bytes,
        "locks": [
            {
                "mode": lock.mode,
                "relation": lock.relation,
                "kind": lock.kind,
                "existed": lock.existed,
                "seen": lock.seen,
                "blocks_reads": lock.existed and lock.mode.blocks_reads,
                "blocks_writes": lock.existed and lock.mode.blocks_writes,
                "held_seconds": lock.held_seconds,
            }
            for lock in statement.locks
        ],
        "rewrites": list(statement.rewrites),
        "indexes": [{"index": index, "table": table} for index, table in statement.indexes],
        "scans": list(statement.scans),
        "inserted": statement.inserted,
        "updated": statement.updated,
        "deleted": statement.deleted,
        "estimate": statement.estimate and _estimate(statement.estimate),
        "note": statement.note or None,
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "low_seconds": estimate.low,
        "high_seconds": estimate.high,
        "basis": estimate.basis,
        "disk_bytes": estimate.disk_bytes,
        "wal_bytes": estimate.wal_bytes,
    }


def _proof(proof: RollbackProof) -> dict[str, Any]:
    return {
        "verdict": proof.verdict,
        "changes": [_change(each) for each in proof.changes],
        "error": error_json(proof.error) if proof.error else None,
        "losses": [
            {"name": loss.name, "what": loss.what, "values": loss.values} for loss in proof.losses
        ],
        "note": proof.note or None,
        "version": proof.version,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "name": change.name,
        "action": change.action,
        "before": None if change.before is None else masked(change.before),
        "after": None if change.after is None else masked(change.after),
    }
