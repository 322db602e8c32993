"""Directory + ledger rows -> what is applied, pending, or wrong. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from confiture_flows.migrations.validate import out_of_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow

_NONE: Mapping[str, str] = MappingProxyType({})


class State(StrEnum):
    """Where a migration stands."""

    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed"  # a repeatable migration that will run again
    OUT_OF_ORDER = "out of order"
    EDITED = "edited"
    DELETED = "deleted"
    HALF_APPLIED = "half applied"
    HALF_UNDONE = "half undone"


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration, on disk or in the ledger or both."""

    version: str
    name: str
    state: State
    applied_at: datetime | None = None
    reversible: bool = False
    repeatable: bool = False
    title: str = ""
    language: str | None = None  # of what is on disk

    @property
    def shown_name(self) -> str:
        """What it is called in tables."""
        name = self.title or self.name
        return f"{name} (Python)" if self.language == "Python" else name


def read_status(
    directory: Directory, rows: tuple[LedgerRow, ...], half_done: Mapping[str, str] = _NONE
) -> tuple[MigrationStatus, ...]:
    """The state of every migration: those on disk in their order, then those that are gone.

    Args:
        directory: The migrations on disk.
        rows: The ledger.
        half_done: The versions that a run was stopped in, with its direction.
    """
    by_version = {row.version: row for row in rows}
    late = out_of_order(directory, rows)
    known: list[MigrationStatus] = []
    for migration in directory.migrations:
        row = by_version.get(migration.version)
        if stopped := half_done.get(migration.version):
            state = State.HALF_APPLIED if stopped == "up" else State.HALF_UNDONE
        elif row is None:
            state = State.OUT_OF_ORDER if migration.version in late else State.PENDING
        elif row.checksum != migration.checksum and (row.checksum or migration.repeatable):
            state = State.CHANGED if migration.repeatable else State.EDITED
        else:
            state = State.APPLIED
        known.append(
            MigrationStatus(
                migration.version,
                migration.name,
                state,
                row.applied_at if row else None,
                migration.down is not None,
                migration.repeatable,
                migration.title,
                migration.language,
            )
        )
    on_disk = {migration.version for migration in directory.migrations}
    gone = [row for row in rows if row.version not in on_disk and row.archived_into is None]
    known += [
        MigrationStatus(r.version, r.name, State.DELETED, r.applied_at, repeatable=r.repeatable)
        for r in gone
    ]
    return tuple(known)
