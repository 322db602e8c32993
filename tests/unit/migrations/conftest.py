"""Values to plan with, and the directories in tests/migrations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.ledger import LedgerRow
from confiture_flows.migrations.migration import Migration, Script

MakeMigrations = Callable[..., tuple[Migration, ...]]
MakeRows = Callable[..., tuple[LedgerRow, ...]]
WriteDirectory = Callable[..., Directory]


@pytest.fixture(scope="session")
def oddities() -> Path:
    """The directories that are named by what is odd about them."""
    return Path(__file__).parents[2] / "migrations"


@pytest.fixture
def make_migrations() -> MakeMigrations:
    """Migrations by version, in order, with a way back unless `forward_only` names them."""

    def make(*versions: str, forward_only: tuple[str, ...] = ()) -> tuple[Migration, ...]:
        return tuple(
            Migration(
                version=version,
                name=f"step_{version}",
                up=Script(Path(f"{version}.up.sql")),
                checksum=f"sum of {version}",
                down=None if version in forward_only else Script(Path(f"{version}.down.sql")),
            )
            for version in versions
        )

    return make


@pytest.fixture
def make_rows() -> MakeRows:
    """Ledger rows by version, in the order in which they were applied, an hour apart."""

    def make(*versions: str, archived: tuple[str, ...] = ()) -> tuple[LedgerRow, ...]:
        noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
        return tuple(
            LedgerRow(
                version=version,
                name=f"step_{version}",
                applied_at=noon + timedelta(hours=hour),
                execution_time_ms=7,
                archived_into="0100" if version in archived else None,
            )
            for hour, version in enumerate(versions)
        )

    return make


@pytest.fixture
def write_directory(tmp_path: Path) -> WriteDirectory:
    """Write files, given as names and texts, and discover their folder."""

    def write(files: dict[str, str | bytes], **options: str | bool) -> Directory:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return discover(tmp_path, **options)  # pyright: ignore[reportArgumentType]

    return write
