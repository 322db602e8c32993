"""Adoption and import -> documents and JSON values. Pure; the wording of both reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.migrations.report import count
from confiture_flows.report.document import Block, Code, Document, Paragraph, Table

if TYPE_CHECKING:
    from confiture_flows.migrations.adopt import Adoption
    from confiture_flows.migrations.adoption import ForeignLedger
    from confiture_flows.migrations.import_pairs import Import
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration


def adoption_document(adoption: Adoption, target: str, last: Paragraph | None = None) -> Document:
    """What a baseline would do, with a last word."""
    blocks: list[Block] = []
    if foreign := adoption.foreign:
        blocks.append(
            Paragraph(f"{foreign.table} is the ledger of {foreign.tool}: {_said(foreign)}.")
        )
        if foreign.note:
            blocks.append(Paragraph(foreign.note))
    columns = ("version", "name", "applied there", "here")
    blocks.append(Table(columns, (*_rows(adoption), *_missing_rows(adoption))))
    if last:
        blocks.append(last)
    title = (
        f"{target}: {count(len(adoption.marked))} to mark as applied, "
        f"{_known_here(adoption)} in the ledger already, {len(adoption.pending)} pending"
    )
    return Document(title, tuple(blocks))


def marked_document(rows: tuple[LedgerRow, ...], target: str) -> Document:
    """What a baseline did."""
    return Document(f"{target}: {count(len(rows))} marked as applied")


def adoption_json(adoption: Adoption, rows: tuple[LedgerRow, ...] = ()) -> dict[str, Any]:
    """What a baseline would do, and what it did."""
    foreign = adoption.foreign
    return {
        "tool": foreign.tool if foreign else None,
        "table": foreign.table if foreign else None,
        "through": foreign.through if foreign else None,
        "to_mark": adoption.marked,
        "marked": [row.version for row in rows],
        "already_in_ledger": [
            m.version for m in adoption.migrations if m.version in adoption.known
        ],
        "pending": adoption.pending,
        "out_of_order": adoption.late,
        "not_on_disk": [entry.version for entry in adoption.missing],
    }


def import_document(done: Import) -> Document:
    """What an import wrote."""
    blocks: list[Block] = []
    if done.layout != "pairs":
        blocks.append(Paragraph("Its layout is never detected; say it in confiture.toml:"))
        blocks.append(Code(f'[migrations]\n  layout = "{done.layout}"', "toml"))
    if done.changed:
        blocks.append(
            Paragraph(
                f"{count(len(done.changed), 'up script')} had to be rewritten and "
                f"{'has' if len(done.changed) == 1 else 'have'} another checksum: a ledger that "
                "was written from the old files will call them edited. See docs/guides/adopting.md."
            )
        )
    title = f"{count(done.migrations)} written to {done.directory} ({done.layout})"
    return Document(title, tuple(blocks))


def import_json(done: Import) -> dict[str, Any]:
    """What an import wrote."""
    return {
        "directory": done.directory,
        "layout": done.layout,
        "migrations": done.migrations,
        "files": done.files,
        "changed": done.changed,
    }


def _said(foreign: ForeignLedger) -> str:
    if foreign.through is None:
        return f"{count(len(foreign.entries), 'version')} applied"
    others = [entry for entry in foreign.entries if entry.version != foreign.through]
    everything = f"everything through {foreign.through} is applied"
    return f"{everything}, and {count(len(others), 'version')} more" if others else everything


def _known_here(adoption: Adoption) -> int:
    return sum(1 for migration in adoption.migrations if migration.version in adoption.known)


def _rows(adoption: Adoption) -> tuple[tuple[str, ...], ...]:
    entries, marked = dict(adoption.entries), set(adoption.marked)

    def row(migration: Migration) -> tuple[str, ...]:
        version = migration.version
        entry = entries.get(version)
        at = f"{entry.applied_at:%Y-%m-%d %H:%M:%S}" if entry and entry.applied_at else ""
        if version in marked:
            fate = "to mark"
        elif version in adoption.known:
            fate = "in the ledger"
        else:
            fate = "stays pending"
        note = entry.note if entry else None
        name = "" if migration.name == version else migration.name
        return (version, name, at, f"{fate} ({note})" if note else fate)

    return tuple(row(migration) for migration in adoption.migrations)


def _missing_rows(adoption: Adoption) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            entry.version,
            entry.name,
            f"{entry.applied_at:%Y-%m-%d %H:%M:%S}" if entry.applied_at else "",
            "no file",
        )
        for entry in adoption.missing
    )
