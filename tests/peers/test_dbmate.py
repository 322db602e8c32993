"""A database that a real dbmate has migrated is adopted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.foreign_ledgers import SHOPS

from .conftest import Program, as_url, peer


@pytest.fixture
def dbmate(tmp_path: Path, dsn: str) -> Program:
    command = (str(peer("dbmate")), "--no-dump-schema", "--migrations-dir", "db/migrations")
    return Program(command, tmp_path, {"DATABASE_URL": as_url(dsn)})


def test_database_of_dbmate_is_adopted(
    dbmate: Program,
    ours: Program,
    write: Callable[..., Path],
    ledger: Callable[[], list[str]],
    tables: Callable[[], list[str]],
) -> None:
    files = SHOPS["dbmate"].files
    directory = write(dict(list(files.items())[:2]))
    migrated = dbmate("migrate")
    assert migrated.code == 0, migrated.said
    write(files)

    shown = ours("baseline", "--json")
    assert shown.code == 2
    assert shown.json()["result"]["tool"] == "dbmate"
    marked = ours("baseline", "--yes")
    assert marked.code == 0, marked.said

    assert ledger() == ["20260101000000", "20260102000000"]
    assert ours("migrate", "--plain").code == 0
    assert tables() == ["items", "orders", "users"]
    assert ours("rollback", "--plain", "--to", "zero").code == 0
    assert tables() == []
    assert directory.is_dir()
