"""baseline() on a real database: rows without running, all or none, nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import HistoryError, LockError, PlanError, TargetError
from confiture_flows.migrations.baseline import baseline
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.ledger import LedgerRow, read_ledger
from confiture_flows.migrations.lock import run_lock
from confiture_flows.target import connect
from tests.foreign_ledgers import SCHEMA, pairs

from .conftest import QUICK, Engine, Role


@pytest.fixture
def directory(write: Callable[..., Path]) -> Path:
    return write(pairs("1", "2", "3"))


@pytest.fixture
def mark(conn: psycopg.Connection, directory: Path) -> Callable[..., list[str]]:
    def run(*versions: str, late: tuple[str, ...] = (), ledger: str = "tb_confiture") -> list[str]:
        migrations = discover(directory).migrations
        rows = baseline(conn, migrations, versions, limits=QUICK, ledger=ledger, late=late)
        return [row.version for row in rows]

    return run


def test_next_migrate_applies_only_the_rest(
    conn: psycopg.Connection, directory: Path, mark: Callable[..., list[str]], engine: Engine
) -> None:
    conn.execute(SCHEMA)
    assert conn.execute("SELECT to_regclass('tb_confiture')").fetchone() == (None,)

    assert mark("2", "1") == ["1", "2"]
    done = engine.migrate(directory)

    assert [row.version for row in done] == ["3"]
    assert engine.versions() == ["1", "2", "3"]


def test_nothing_is_run(mark: Callable[..., list[str]], tables: Callable[[], list[str]]) -> None:
    mark("1", "2", "3")

    assert tables() == []


def test_row_holds_the_checksum_of_the_file(
    conn: psycopg.Connection, directory: Path, mark: Callable[..., list[str]]
) -> None:
    mark("1")

    (row,) = read_ledger(conn, "tb_confiture")
    migration = discover(directory).migrations[0]
    assert (row.name, row.checksum) == ("users", migration.checksum)
    assert row.execution_time_ms == 0
    assert row.applied_by == conn.info.user


def test_marked_migration_can_be_rolled_back(
    conn: psycopg.Connection,
    directory: Path,
    mark: Callable[..., list[str]],
    engine: Engine,
    tables: Callable[[], list[str]],
) -> None:
    conn.execute(SCHEMA)
    mark("1", "2")

    engine.rollback(directory)

    assert (engine.versions(), tables()) == (["1"], ["users"])


def test_row_that_is_there_is_kept(
    conn: psycopg.Connection, directory: Path, mark: Callable[..., list[str]], engine: Engine
) -> None:
    engine.migrate(directory, to="1")
    before: tuple[LedgerRow, ...] = engine.rows()

    assert mark("1", "2") == ["2"]
    assert mark("1", "2") == []

    assert engine.rows()[:1] == before
    assert engine.versions() == ["1", "2"]


def test_gap_is_refused_and_nothing_is_written(
    conn: psycopg.Connection, mark: Callable[..., list[str]]
) -> None:
    with pytest.raises(HistoryError, match="later ones are marked: 2"):
        mark("1", "3")

    assert read_ledger(conn, "tb_confiture") == ()
    assert conn.execute("SELECT to_regclass('tb_confiture')").fetchone() == (None,)


def test_gap_that_is_known_is_kept(
    mark: Callable[..., list[str]], engine: Engine, directory: Path
) -> None:
    assert mark("1", "3", late=("2",)) == ["1", "3"]

    assert [row.version for row in engine.migrate(directory)] == ["2"]


def test_unknown_version_is_refused(
    conn: psycopg.Connection, mark: Callable[..., list[str]]
) -> None:
    with pytest.raises(PlanError, match="no migration 4, 5"):
        mark("1", "5", "4")

    assert conn.execute("SELECT to_regclass('tb_confiture')").fetchone() == (None,)


def test_failure_in_the_middle_leaves_no_row(
    conn: psycopg.Connection, mark: Callable[..., list[str]]
) -> None:
    mark("1")
    conn.execute("ALTER TABLE tb_confiture ADD CHECK (version <> '3')")

    with pytest.raises(psycopg.errors.CheckViolation):
        mark("2", "3")

    assert [row.version for row in read_ledger(conn, "tb_confiture")] == ["1"]


def test_run_in_progress_is_waited_for(
    dsn: str, mark: Callable[..., list[str]], other: psycopg.Connection
) -> None:
    other.autocommit = True
    with run_lock(other, 1), pytest.raises(LockError, match="Another run works"):
        mark("1")
    assert mark("1") == ["1"]


def test_ledger_of_another_name_and_schema(
    conn: psycopg.Connection, mark: Callable[..., list[str]]
) -> None:
    conn.execute("CREATE SCHEMA audit")

    mark("1", ledger="audit.history")

    assert [row.version for row in read_ledger(conn, "audit.history")] == ["1"]


def test_user_without_rights_is_told(
    directory: Path, engine: Engine, new_role: Callable[[], Role]
) -> None:
    poor = replace(engine.target, dsn=new_role().dsn)
    migrations = discover(directory).migrations

    with connect(poor, "test") as conn, pytest.raises(TargetError, match="may not create"):
        baseline(conn, migrations, ["1"], limits=QUICK)
