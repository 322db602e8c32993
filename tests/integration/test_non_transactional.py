"""What cannot run in one transaction: recognised, told apart, and honest when it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import ApplyError, MigrationFileError, PartialApplyError
from confiture_flows.migrations.lock import lock_key

from .conftest import Engine

NONE = "-- confiture: transaction=none\n"
AS_WRITTEN = "-- confiture: transaction=as-written\n"
COMMITTING_PROCEDURE = """
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO known VALUES (10);
    COMMIT;
    INSERT INTO known VALUES (11);
END $$;
"""


@pytest.fixture
def known(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE known (id int)")
    conn.execute(COMMITTING_PROCEDURE.encode())


@pytest.fixture
def ids(conn: psycopg.Connection) -> Callable[[], list[int]]:
    return lambda: [row[0] for row in conn.execute("SELECT id FROM known ORDER BY id")]


WORKING = {
    "concurrent index": "CREATE INDEX CONCURRENTLY ON known (id);",
    "concurrent index among others": "INSERT INTO known VALUES (1);"
    " CREATE INDEX CONCURRENTLY known_id ON known (id); INSERT INTO known VALUES (2);",
    "concurrent drop": "CREATE INDEX i ON known (id); DROP INDEX CONCURRENTLY i;",
    "concurrent reindex": "CREATE INDEX i ON known (id); REINDEX INDEX CONCURRENTLY i;",
    "VACUUM": "VACUUM known;",
    "VACUUM with others": "INSERT INTO known VALUES (1); VACUUM (ANALYZE) known;",
    "ANALYZE": "ANALYZE known;",
    "enum value used later": "CREATE TYPE mood AS ENUM ('good');"
    " ALTER TYPE mood ADD VALUE 'bad';"
    " CREATE TABLE days (mood mood DEFAULT 'bad');",
    "DISCARD": "DISCARD PLANS;",
    "marker none": NONE + "INSERT INTO known VALUES (1); INSERT INTO known VALUES (2);",
    "as-written without control": AS_WRITTEN + "INSERT INTO known VALUES (1);",
    "as-written with two transactions": AS_WRITTEN
    + "BEGIN; INSERT INTO known VALUES (1); COMMIT; BEGIN; INSERT INTO known VALUES (2); COMMIT;",
    "as-written with a stray COMMIT": AS_WRITTEN
    + "INSERT INTO known VALUES (1); COMMIT; INSERT INTO known VALUES (2);",
    "as-written with ROLLBACK": AS_WRITTEN
    + "BEGIN; INSERT INTO known VALUES (1); ROLLBACK; INSERT INTO known VALUES (2);",
    "as-written with a committing procedure": AS_WRITTEN + "CALL commits();",
    "none with a committing procedure": NONE + "CALL commits();",
    "as-written with a committing block": AS_WRITTEN
    + "DO $$ BEGIN INSERT INTO known VALUES (1); COMMIT; INSERT INTO known VALUES (2); END $$;",
}


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("sql", WORKING.values(), ids=WORKING)
def test_script_that_is_no_single_transaction_is_applied_and_recorded(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection, sql: str
) -> None:
    directory = write({"0001_work.up.sql": sql, "0002_next.up.sql": "SELECT 1;"})

    first, _ = engine.migrate(directory)

    assert first.execution_time_ms is not None
    assert engine.versions() == ["0001", "0002"]
    left = conn.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
    assert left == (0,)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("as-written with two transactions", [1, 2]),
        ("as-written with a stray COMMIT", [1, 2]),
        ("as-written with ROLLBACK", [2]),
        ("as-written with a committing procedure", [10, 11]),
        ("as-written with a committing block", [1, 2]),
    ],
)
def test_as_written_obeys_the_file(
    engine: Engine,
    write: Callable[..., Path],
    ids: Callable[[], list[int]],
    name: str,
    left: list[int],
) -> None:
    engine.migrate(write({"0001_work.up.sql": WORKING[name]}))

    assert ids() == left


@pytest.mark.usefixtures("known")
def test_directory_may_say_as_written_for_all_its_files(
    engine: Engine, write: Callable[..., Path], ids: Callable[[], list[int]]
) -> None:
    sql = "BEGIN; INSERT INTO known VALUES (1); COMMIT; INSERT INTO known VALUES (2);"

    engine.migrate(write({"0001_work.up.sql": sql}), as_written=True)

    assert ids() == [1, 2]


@pytest.mark.usefixtures("known")
def test_commit_in_the_middle_is_refused_before_anything_runs(
    engine: Engine, write: Callable[..., Path], ids: Callable[[], list[int]]
) -> None:
    directory = write({"0001_work.up.sql": "INSERT INTO known VALUES (1);\n\nCOMMIT;\nSELECT 1;\n"})
    with pytest.raises(MigrationFileError, match="could not be rolled back") as caught:
        engine.migrate(directory)

    assert (caught.value.line, caught.value.statement) == (3, 2)
    assert caught.value.next_step is not None
    assert "transaction=as-written" in caught.value.next_step
    assert ids() == []


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "sql",
    ["CALL commits();", "DO $$ BEGIN INSERT INTO known VALUES (1); COMMIT; END $$;"],
)
def test_procedure_that_commits_is_rolled_back_and_named(
    engine: Engine, write: Callable[..., Path], ids: Callable[[], list[int]], sql: str
) -> None:
    directory = write({"0001_work.up.sql": f"INSERT INTO known VALUES (1);\n{sql}"})

    with pytest.raises(ApplyError, match="0001_work was rolled back") as caught:
        engine.migrate(directory)

    assert (caught.value.sqlstate, caught.value.line, caught.value.statement) == ("2D000", 2, 2)
    assert caught.value.next_step is not None
    assert "-- confiture: transaction=as-written" in caught.value.next_step
    assert ids() == []


# name: (script, statements that are committed, line, statement)
HALF_WAY = {
    "none": (NONE + "INSERT INTO known VALUES (1);\nSELECT 1 / 0;\nSELECT 1;", 1, 3, 2),
    "none, last statement": (
        NONE + "INSERT INTO known VALUES (1);\nSELECT 1;\nSELECT 1 / 0;",
        2,
        4,
        3,
    ),
    "as-written": (
        AS_WRITTEN
        + "BEGIN;\nINSERT INTO known VALUES (1);\nCOMMIT;\n"
        + "BEGIN;\nSELECT 1;\nSELECT 1 / 0;\nCOMMIT;",
        1,
        7,
        6,
    ),
    "after a concurrent index": (
        (
            "CREATE INDEX CONCURRENTLY known_id ON known (id);\nINSERT INTO known VALUES (1);\n"
            "VACUUM known;\nSELECT 1 / 0;"
        ),
        3,
        4,
        4,
    ),
    "deferred constraint at the last commit": (
        (
            "INSERT INTO known VALUES (1);\nVACUUM known;\n"
            "CREATE TABLE later (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
            "INSERT INTO later VALUES (1), (1);"
        ),
        2,
        None,
        None,
    ),
    "gave up the lock": (
        NONE + "INSERT INTO known VALUES (1);\nSELECT pg_advisory_unlock_all();",
        1,
        None,
        None,
    ),
    "DISCARD ALL gave up the lock": ("INSERT INTO known VALUES (1);\nDISCARD ALL;", 2, None, None),
    "dropped the ledger": (
        NONE + "INSERT INTO known VALUES (1);\nALTER TABLE tb_confiture RENAME TO gone;",
        2,
        None,
        None,
    ),
}


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("sql", "committed", "line", "statement"), HALF_WAY.values(), ids=HALF_WAY)
def test_failure_half_way_says_what_is_committed(
    engine: Engine,
    write: Callable[..., Path],
    ids: Callable[[], list[int]],
    sql: str,
    committed: int,
    line: int | None,
    statement: int | None,
) -> None:
    directory = write({"0001_work.up.sql": sql})

    with pytest.raises(PartialApplyError) as caught:
        engine.migrate(directory)

    error = caught.value
    assert f"half way: {committed} statement" in error.message
    assert error.exit_code == 9
    assert not error.retryable
    assert (error.line, error.statement) == (line, statement)
    assert error.file == directory / "0001_work.up.sql"
    assert ids() == [1]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "sql",
    [
        NONE + "SELECT 1 / 0;",
        "CREATE INDEX CONCURRENTLY i ON nowhere (id);",
        AS_WRITTEN + "BEGIN; INSERT INTO known VALUES (1); SELECT 1 / 0; COMMIT;",
    ],
)
def test_failure_of_the_first_step_has_committed_nothing(
    engine: Engine, write: Callable[..., Path], ids: Callable[[], list[int]], sql: str
) -> None:
    with pytest.raises(ApplyError) as caught:
        engine.migrate(write({"0001_work.up.sql": sql}))

    assert type(caught.value) is ApplyError
    assert ids() == []
    assert engine.versions() == []


@pytest.mark.usefixtures("known")
def test_concurrent_build_is_not_cut_short_by_lock_timeout(
    engine: Engine, write: Callable[..., Path], other: psycopg.Connection, conn: psycopg.Connection
) -> None:
    """It waits for old transactions; a lock_timeout would leave an invalid index."""
    import threading

    other.execute("INSERT INTO known VALUES (1)")
    release = threading.Timer(0.5, other.commit)
    release.start()

    engine.migrate(write({"0001_index.up.sql": "CREATE INDEX CONCURRENTLY i ON known (id);"}))

    release.join()
    assert conn.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"
    ).fetchone() == (True,)


@pytest.mark.usefixtures("known")
def test_lock_timeout_is_back_after_a_concurrent_build(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    sql = (
        "CREATE INDEX CONCURRENTLY ON known (id);\n"
        "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value;"
    )
    engine.migrate(write({"0001_index.up.sql": sql}))

    assert conn.execute("SELECT value FROM seen").fetchall() == [("100ms",)]


@pytest.mark.usefixtures("known")
def test_lock_timeout_of_the_file_itself_is_kept(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    sql = (
        "SET lock_timeout = '7s';\nCREATE INDEX CONCURRENTLY ON known (id);\n"
        "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value;"
    )
    engine.migrate(write({"0001_index.up.sql": sql}))

    assert conn.execute("SELECT value FROM seen").fetchall() == [("7s",)]


def test_way_back_that_fails_half_way_keeps_the_row(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int); CREATE TABLE orders (id int);",
            "0001_users.down.sql": NONE + "DROP TABLE orders;\nDROP TABLE misspelt;",
        }
    )
    engine.migrate(directory)

    with pytest.raises(PartialApplyError, match="undone half way: 1 statement") as caught:
        engine.rollback(directory)

    assert "ledger still has its row" in caught.value.message
    assert tables() == ["users"]
    assert engine.versions() == ["0001"]


def test_migrations_before_the_half_done_one_stay(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int);",
            "0002_half.up.sql": NONE + "CREATE TABLE half (id int);\nSELECT 1 / 0;",
        }
    )
    with pytest.raises(PartialApplyError):
        engine.migrate(directory)

    assert engine.versions() == ["0001"]
    assert tables() == ["half", "users"]


def test_run_lock_is_held_between_the_steps_of_a_script(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    key = lock_key(conn.info.dbname)
    look = (
        "CREATE TABLE seen{n} AS SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory'"
        f" AND pid = pg_backend_pid() AND objid = {key};\n"
    )
    sql = NONE + look.format(n=1) + "VACUUM pg_class;\n" + look.format(n=2)

    engine.migrate(write({"0001_seen.up.sql": sql}))

    assert conn.execute("SELECT held FROM seen1 UNION ALL SELECT held FROM seen2").fetchall() == [
        (1,),
        (1,),
    ]
