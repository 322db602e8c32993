"""A reader of the guides, at home in the test's own folder and database."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.pages.walkthrough import Reader


@pytest.fixture
def reader(
    tmp_path: Path,
    dsn: str,
    conn: psycopg.Connection,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Reader:
    """Types what a guide says; the database is that of the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONFITURE_DSN", dsn)
    monkeypatch.setenv("PGTZ", "UTC")
    return Reader(tmp_path, conn, dsn, capfd)
