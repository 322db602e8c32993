"""What was seen going wrong in other tools, one test each, on the command line.

Every test runs `confiture-flows` as CI would and looks at exit code, JSON and database.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.support import eventually

from .conftest import PROGRAM, Runner

USERS = {"0001_users.up.sql": "CREATE TABLE users (id int);"}


def test_commit_inside_a_file_never_leaves_half_of_it(
    run: Runner, dsn: str, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    """Elsewhere both halves stay, without a ledger row, and every re-run fails."""
    write(
        {
            **USERS,
            "0002_b.up.sql": "CREATE TABLE b (id int);\nCOMMIT;\nCREATE TABLE c (id oid, x nope);",
        }
    )

    refused = run.program("migrate", "--plain", dsn=dsn)

    assert refused.code == 4
    assert refused.json()["error"]["line"] == 2
    assert tables() == []
    write({"0002_b.up.sql": "CREATE TABLE b (id int);"})
    assert run.program("migrate", "--plain", dsn=dsn).code == 0


def test_commit_inside_a_file_that_may_hold_it_goes_on_where_it_failed(
    run: Runner, dsn: str, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    script = (
        "-- confiture: transaction=as-written\nCREATE TABLE b (id int);\nCOMMIT;\n"
        "CREATE TABLE c (id {});"
    )
    write({"0001_b.up.sql": script.format("nope")})
    assert run.program("migrate", "--plain", dsn=dsn).code == 9
    assert tables() == ["b"]

    write({"0001_b.up.sql": script.format("int")})
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    assert tables() == ["b", "c"]


def test_failed_concurrent_index_leaves_a_way_on(
    run: Runner, dsn: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    """Elsewhere an invalid index stays, and IF NOT EXISTS is content with it ever after."""
    conn.execute("CREATE TABLE users (id int); INSERT INTO users VALUES (1), (1)")
    write(
        {"0001_i.up.sql": "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_id ON users (id);"}
    )
    assert run.program("migrate", "--plain", dsn=dsn).code == 1

    conn.execute("DELETE FROM users")
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    found = conn.execute("SELECT indisvalid FROM pg_index WHERE indrelid = 'users'::regclass")
    assert found.fetchall() == [(True,)]


def test_killed_run_frees_its_lock_at_once_and_nothing_is_lost(
    run: Runner,
    dsn: str,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """Elsewhere the orphan holds the lock until its statement ends, and then commits unrecorded."""
    slow = "-- confiture: transaction=none\nCREATE TABLE one (id int);\nSELECT pg_sleep({});"
    write({"0001_slow.up.sql": slow.format(30)})
    process = subprocess.Popen(
        [PROGRAM, "migrate", "--plain"],
        cwd=tmp_path,
        env=environment | {"CONFITURE_DSN": dsn},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND query LIKE '%%pg_sleep(30)%%' AND state = 'active' AND pid <> pg_backend_pid()"
    )
    eventually(lambda: conn.execute(busy.encode()).fetchone(), lambda row: row == (1,))
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Long before its statement is over.
    eventually(lambda: conn.execute(busy.encode()).fetchone(), lambda row: row == (0,), seconds=20)

    write({"0001_slow.up.sql": slow.format(0)})
    assert run.program("migrate", "--plain", dsn=dsn).code == 0


def test_alter_does_not_stop_the_traffic_behind_a_long_reader(
    run: Runner, dsn: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    """Elsewhere the ALTER queues behind the reader, and everybody else behind the ALTER."""
    conn.execute("CREATE TABLE users (id int)")
    write({"0001_a.up.sql": "ALTER TABLE users ADD COLUMN name text;"})
    reads = 0
    with psycopg.connect(dsn) as reader, psycopg.connect(dsn, autocommit=True) as traffic:
        reader.execute("SELECT * FROM users")
        over = threading.Event()

        def read_on() -> None:
            nonlocal reads
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                traffic.execute("SELECT count(*) FROM users")
                reads += 1
            reader.rollback()
            over.set()

        helper = threading.Thread(target=read_on)
        helper.start()
        result = run.program("migrate", "--plain", dsn=dsn)
        helper.join()

    assert over.is_set()
    assert result.code == 0
    assert reads > 20  # they never had to wait for the reader to end


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(
            {"0001_users.up.sql": "CREATE TABLE people (id int);"}, "history.edited", id="edited"
        ),
        pytest.param({"0001_users.up.sql": None}, "history.deleted", id="deleted"),
        pytest.param({"0000_early.up.sql": "SELECT 1;"}, "history.out_of_order", id="out of order"),
    ],
)
def test_changed_history_is_never_passed_over(
    run: Runner,
    dsn: str,
    write: Callable[..., Path],
    configure: Callable[..., Path],
    change: dict[str, str | None],
    code: str,
) -> None:
    """Elsewhere an edited, deleted or late file passes with exit code 0."""
    directory = write({**USERS, "0002_b.up.sql": "SELECT 1;"})
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    for name, text in change.items():
        if text is None:
            (directory / name).unlink()
        else:
            (directory / name).write_text(text)
    configure('[targets.shop]\ndsn = "${SHOP}"\nproduction = true\n')

    result = run.program("migrate", "--plain", "--target", "shop", SHOP=dsn)

    assert result.code == 5
    assert code in {finding["code"] for finding in result.json()["findings"]}


def test_error_names_the_file_the_line_and_the_statement(
    run: Runner, dsn: str, write: Callable[..., Path]
) -> None:
    """Elsewhere it names the first file of the run, and no line."""
    write(
        {**USERS, "0002_b.up.sql": "-- two\n\nSELECT 1;\nSELECT 1 /\n  0;\n", "0003_c.up.sql": ""}
    )

    error = run.program("migrate", "--plain", dsn=dsn).json()["error"]

    assert error["file"].endswith("0002_b.up.sql")
    assert (error["line"], error["statement"], error["sqlstate"]) == (4, 2, "22012")


@pytest.mark.parametrize("sql", ["SELECT 1;", "SELECT 1 / 0;"])
def test_json_has_one_truth(run: Runner, dsn: str, write: Callable[..., Path], sql: str) -> None:
    """Elsewhere it says success false and ok true at once."""
    write({"0001_a.up.sql": sql})

    result = run.program("migrate", "--plain", dsn=dsn)

    assert result.json()["ok"] is (result.code == 0)
    assert (result.json()["error"] is None) is (result.code == 0)


def test_rest_of_a_file_is_never_dropped(
    run: Runner, dsn: str, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    """Elsewhere a NUL byte ends the file, and a last comment swallows the ledger row."""
    write({"0001_a.up.sql": "CREATE TABLE a (id int);\0CREATE TABLE b (id int);"})
    assert run.program("migrate", "--plain", dsn=dsn).code == 4
    assert tables() == []

    write({"0001_a.up.sql": "CREATE TABLE a (id int); -- the last word"})
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    assert run.program("status", dsn=dsn).json()["result"]["migrations"][0]["state"] == "applied"


def test_session_of_one_file_is_not_that_of_the_next(
    run: Runner, dsn: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    """Elsewhere a pg_dump's empty search_path makes every later file fail."""
    write(
        {
            "0001_dump.up.sql": "SELECT pg_catalog.set_config('search_path', '', false);\n"
            "CREATE TABLE public.a (id int);",
            "0002_b.up.sql": "CREATE TABLE b (id int);",
        }
    )
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    assert conn.execute("SELECT to_regclass('public.b')::text").fetchone() == ("b",)


def test_order_is_that_of_the_versions_and_not_of_the_names(
    run: Runner, dsn: str, write: Callable[..., Path]
) -> None:
    """Elsewhere 10_ runs before 9_."""
    write({"9_nine.up.sql": "CREATE TABLE t (id int);", "10_ten.up.sql": "DROP TABLE t;"})

    result = run.program("migrate", "--plain", dsn=dsn).json()

    assert [row["version"] for row in result["result"]["done"]] == ["9", "10"]
