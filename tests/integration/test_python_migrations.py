"""Migrations in Python: in one transaction with the ledger row, errors with their own line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import (
    ApplyError,
    ConfitureFlowsError,
    LockError,
    MigrationFileError,
    PartialApplyError,
    UnresolvedError,
)
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.observer import Busy, Observer
from confiture_flows.migrations.resolve import resolve
from confiture_flows.migrations.validate import validate
from confiture_flows.target import connect
from tests.integration.conftest import PROGRAM, Engine
from tests.support import eventually

Write = Callable[..., Path]
TABLE = {"0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY, name text);"}


def count(conn: psycopg.Connection) -> int:
    row = conn.execute("SELECT count(*) FROM users").fetchone()
    assert row
    return row[0]


def failure(engine: Engine, directory: Path) -> ConfitureFlowsError:
    with pytest.raises(ConfitureFlowsError) as caught:
        engine.migrate(directory)
    return caught.value


def python(write: Write, text: str) -> Path:
    return write(TABLE | {"0002_fill.py": text})


def test_function_runs_up_and_down(engine: Engine, write: Write, conn: psycopg.Connection) -> None:
    directory = python(
        write,
        """\
def up(conn):
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO users VALUES (%s, %s)", [(n, "x") for n in range(5)])


def down(conn):
    conn.execute("DELETE FROM users")
""",
    )
    assert [row.version for row in engine.migrate(directory)] == ["0001", "0002"]
    assert count(conn) == 5
    engine.rollback(directory)
    assert (count(conn), engine.versions()) == (0, ["0001"])
    assert not [path for path in directory.iterdir() if path.is_dir()], "bytecode was left there"


def test_failing_function_leaves_nothing_and_names_its_line(
    engine: Engine, write: Write, conn: psycopg.Connection
) -> None:
    directory = python(
        write,
        """\
def up(conn):
    conn.execute("INSERT INTO users VALUES (1, 'a')")
    _insert(conn)


def _insert(conn):
    conn.execute("INSERT INTO users VALUES (1, 'b')")
""",
    )
    error = failure(engine, directory)
    assert isinstance(error, ApplyError)
    assert (error.sqlstate, error.line, error.file) == ("23505", 7, directory / "0002_fill.py")
    assert "rolled back" in error.message
    assert error.next_step
    assert (count(conn), engine.versions()) == (0, ["0001"])


def test_any_exception_is_told_with_type_line_and_no_password(engine: Engine, write: Write) -> None:
    text = """\
def up(conn):
    raise ValueError("no way to postgresql://joe:hunter22@db/x")
"""
    error = failure(engine, python(write, text))
    assert isinstance(error, ApplyError)
    assert error.message.startswith("ValueError: no way to postgresql://joe:***@db/x.")
    assert error.line == 2
    assert "hunter22" not in str(error) + (error.excerpt or "")


def test_exit_is_a_failure(engine: Engine, write: Write) -> None:
    error = failure(engine, python(write, "import sys\ndef up(conn):\n    sys.exit(0)\n"))
    assert error.message.startswith("SystemExit: 0.")


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_function_may_not_end_the_transaction_by_method(
    engine: Engine, write: Write, conn: psycopg.Connection, end: str
) -> None:
    text = f"""\
def up(conn):
    conn.execute("INSERT INTO users VALUES (1)")
    conn.{end}()
"""
    error = failure(engine, python(write, text))
    assert f"calls conn.{end}()" in error.message
    assert error.line == 3
    assert (count(conn), engine.versions()) == (0, ["0001"])


@pytest.mark.parametrize(
    "after", ["", "\n    conn.execute('BEGIN')", "\n    raise KeyError('x')", "\n    1 / 0"]
)
def test_function_that_commits_by_sql_is_told_and_asked_about(
    engine: Engine, write: Write, conn: psycopg.Connection, after: str
) -> None:
    text = f"""\
def up(conn):
    conn.execute("INSERT INTO users VALUES (1)")
    conn.execute("COMMIT"){after}
"""
    directory = python(write, text)
    error = failure(engine, directory)
    assert isinstance(error, PartialApplyError)
    assert "ended the transaction" in error.message
    assert (count(conn), engine.versions()) == (1, ["0001"])
    assert isinstance(failure(engine, directory), UnresolvedError)
    with connect(engine.target, "test") as session:
        resolve(session, "0002", applied=True, limits=engine.target.limits)
    engine.migrate(directory)
    assert (count(conn), engine.versions()) == (1, ["0001", "0002"])


def test_swallowed_error_is_not_taken_for_success(engine: Engine, write: Write) -> None:
    text = """\
def up(conn):
    try:
        conn.execute("SELECT 1 / 0")
    except Exception:
        pass
"""
    error = failure(engine, python(write, text))
    assert "returned although" in error.message
    assert engine.versions() == ["0001"]


def test_savepoints_are_the_functions_own(
    engine: Engine, write: Write, conn: psycopg.Connection
) -> None:
    text = """\
from psycopg import errors


def up(conn):
    for number in (1, 1, 2):
        try:
            with conn.transaction():
                conn.execute("INSERT INTO users VALUES (%s)", [number])
        except errors.UniqueViolation:
            pass
"""
    engine.migrate(python(write, text))
    assert count(conn) == 2


def test_closed_connection_is_the_functions_doing(engine: Engine, write: Write) -> None:
    error = failure(engine, python(write, "def up(conn):\n    conn.close()\n"))
    assert "closed the connection" in error.message
    assert not error.retryable
    assert engine.versions() == ["0001"]


def test_what_the_function_sets_on_the_connection_ends_with_it(
    engine: Engine, write: Write
) -> None:
    text = """\
from psycopg.rows import dict_row


def up(conn):
    conn.row_factory = dict_row
    conn.execute("SET lock_timeout = 1")
    conn.execute("SET ROLE pg_monitor")
"""
    directory = python(write, text)
    (directory / "0003_last.up.sql").write_text("CREATE TABLE last (id int);")
    assert [row.version for row in engine.migrate(directory)] == ["0001", "0002", "0003"]


def test_busy_table_is_tried_again_from_the_start(
    engine: Engine, write: Write, conn: psycopg.Connection, other: psycopg.Connection
) -> None:
    text = "def up(conn):\n    conn.execute('ALTER TABLE users ADD COLUMN note text')\n"
    directory = python(write, text)
    engine.migrate(directory, to="0001")
    other.execute("LOCK TABLE users")
    told: list[Busy] = []

    class Watch(Observer):
        def busy(self, busy: Busy) -> None:
            told.append(busy)
            other.rollback()

    engine.limited(busy_patience=5).migrate(directory, observer=Watch())
    assert told[0].statement.line == 2
    assert engine.versions() == ["0001", "0002"]
    other.execute("LOCK TABLE users")
    (directory / "0003_more.py").write_text(text.replace("note", "more"))
    assert isinstance(failure(engine, directory), LockError)


def test_interrupted_function_is_rolled_back(
    engine: Engine, write: Write, conn: psycopg.Connection
) -> None:
    text = """\
def up(conn):
    conn.execute("INSERT INTO users VALUES (1)")
    raise KeyboardInterrupt
"""
    with pytest.raises(KeyboardInterrupt):
        engine.migrate(python(write, text))
    assert (count(conn), engine.versions()) == (0, ["0001"])


def test_function_outside_transactions_commits_by_itself(
    engine: Engine, write: Write, conn: psycopg.Connection
) -> None:
    text = """\
transactional = False


def up(conn):
    conn.execute("SET lock_timeout = 0")
    conn.execute("CREATE INDEX CONCURRENTLY users_name ON users (name)")
    with conn.transaction():
        conn.execute("INSERT INTO users VALUES (1)")
"""
    engine.migrate(python(write, text))
    assert (count(conn), engine.versions()) == (1, ["0001", "0002"])


@pytest.mark.parametrize("outcome", ["applied", "not applied"])
def test_function_that_failed_outside_transactions_is_asked_about(
    engine: Engine, write: Write, conn: psycopg.Connection, outcome: str
) -> None:
    text = """\
transactional = False


def up(conn):
    conn.execute("INSERT INTO users SELECT count(*) FROM users")
    if conn.execute("SELECT count(*) FROM users").fetchone()[0] < 2:
        raise RuntimeError("half way")
"""
    directory = python(write, text)
    error = failure(engine, directory)
    assert isinstance(error, PartialApplyError)
    assert error.line == 7
    assert "resolve 0002" in (error.next_step or "")
    assert isinstance(failure(engine, directory), UnresolvedError)
    with connect(engine.target, "test") as session:
        limits = engine.target.limits
        resolve(session, "0002", applied=outcome == "applied", limits=limits)
    engine.migrate(directory)
    assert engine.versions() == ["0001", "0002"]
    assert count(conn) == (1 if outcome == "applied" else 2)


def test_killed_function_outside_transactions_is_asked_about(
    engine: Engine,
    write: Write,
    conn: psycopg.Connection,
    start_migrate: Callable[[Path], subprocess.Popen[str]],
) -> None:
    text = """\
import time

transactional = False


def up(conn):
    conn.execute("INSERT INTO users VALUES (1)")
    time.sleep(60)
"""
    directory = python(write, text)
    engine.migrate(directory, to="0001")
    process = start_migrate(directory)
    eventually(lambda: count(conn), lambda found: found == 1)
    process.kill()
    process.wait()
    assert isinstance(failure(engine.limited(lock_patience=10), directory), UnresolvedError)


def test_open_transaction_of_a_function_outside_is_refused(engine: Engine, write: Write) -> None:
    text = "transactional = False\ndef up(conn):\n    conn.execute('BEGIN')\n"
    error = failure(engine, python(write, text))
    assert "left a transaction open" in error.message


def test_statement_that_needs_no_transaction_says_how(engine: Engine, write: Write) -> None:
    error = failure(engine, python(write, "def up(conn):\n    conn.execute('VACUUM users')\n"))
    assert "transactional = False" in (error.next_step or "")
    assert error.line == 2


def test_module_that_cannot_be_loaded_is_told_with_its_line(engine: Engine, write: Write) -> None:
    text = "from json import nothing_of_the_sort\ndef up(conn): ...\n"
    error = failure(engine, python(write, text))
    assert isinstance(error, MigrationFileError)
    assert (error.line, "ImportError" in error.message) == (1, True)


def test_module_is_in_nobodys_way(engine: Engine, write: Write) -> None:
    before, path = set(sys.modules), list(sys.path)
    text = "import dataclasses\n@dataclasses.dataclass\nclass A:\n    b: int\ndef up(conn): A(1)\n"
    engine.migrate(python(write, text))
    assert sys.path == path
    assert not [name for name in set(sys.modules) - before if "migration_" in name]


def test_output_of_a_function_does_not_break_json(engine: Engine, write: Write) -> None:
    import json

    directory = python(write, "def up(conn):\n    print('hello')\n")
    done = subprocess.run(
        [PROGRAM, "migrate", "--plain", "--json", "--dir", directory],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "CONFITURE_DSN": engine.target.dsn},
    )
    assert json.loads(done.stdout)["ok"] is True
    assert "hello" in done.stderr


PEER = Path(os.environ.get("CONFITURE_TEST_PEERS", "nowhere"), "python").absolute()
CLASS = """\
from confiture.models.migration import Migration


class Fill(Migration):
    version = "0002"
    name = "fill"

    def up(self):
        self.execute("INSERT INTO users VALUES (%s, %s)", (1, "a"))

    def down(self):
        self.execute("DELETE FROM users WHERE id = 1")
"""
RUN = """
import sys
from confiture_flows.cli.main import program
sys.exit(program())
"""


def test_class_of_a_missing_package_says_what_to_install(engine: Engine, write: Write) -> None:
    (finding,) = validate(discover(python(write, CLASS)), engine.rows())
    assert "pip install fraiseql-confiture" in (finding.next_step or "")
    assert finding.location
    assert finding.location.line == 1


@pytest.mark.skipif(
    not PEER.exists(), reason="CONFITURE_TEST_PEERS names no Python with fraiseql-confiture"
)
@pytest.mark.parametrize("body", [CLASS, CLASS.replace("(1,", "('no number',")])
def test_class_of_fraiseql_confiture_runs(
    engine: Engine, write: Write, conn: psycopg.Connection, body: str
) -> None:
    directory = python(write, body)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    package = str(Path(__file__).parents[2])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PEER), "-c", RUN, *arguments, "--plain", "--dir", str(directory)],
            capture_output=True,
            text=True,
            env={"CONFITURE_DSN": engine.target.dsn, "PYTHONPATH": ":".join([package, *ours])},
        )

    done = run("migrate")
    if body != CLASS:
        assert (done.returncode, count(conn)) == (1, 0)
        assert "0002_fill.py:9" in done.stdout + done.stderr
        assert "22P02" in done.stdout + done.stderr
        return
    assert (done.returncode, count(conn)) == (0, 1), done.stderr
    done = run("rollback")
    assert (done.returncode, count(conn)) == (0, 0), done.stderr
