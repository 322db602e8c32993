"""fraiseql-confiture and this package on one database, in turn and at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.migrations.validate import validate
from tests.foreign_ledgers import pairs

from .conftest import Done, Program, as_url, peer


class Theirs:
    """fraiseql-confiture, as its users type it."""

    def __init__(self, program: Program, dsn: str) -> None:
        self.program = program
        self._database = ("--database-url", as_url(dsn), "--no-config")

    def arguments(self, *command: str) -> tuple[str, ...]:
        return ("migrate", *command, *self._database)

    def __call__(self, *command: str) -> Done:
        return self.program(*self.arguments(*command))

    def states(self) -> dict[str, str]:
        """What it says of each version."""
        found = self("status", "--format", "json").json()["migrations"]
        return {each["version"]: each["status"] for each in found}


@pytest.fixture
def theirs(tmp_path: Path, dsn: str) -> Theirs:
    return Theirs(Program((str(peer("confiture")),), tmp_path, {"NO_COLOR": "1"}), dsn)


@pytest.fixture
def directory(write: Callable[..., Path]) -> Path:
    return write(pairs("0001", "0002", "0003"))


def succeed(done: Done) -> Done:
    assert done.code == 0, done.said
    return done


@pytest.mark.usefixtures("directory")
def test_it_applies_one_and_we_the_next(
    theirs: Theirs, ours: Program, ledger: Callable[[], list[str]]
) -> None:
    succeed(theirs("up", "--target", "0001"))
    done = succeed(ours("migrate", "--plain", "--to", "0002", "--json")).json()
    assert [each["version"] for each in done["result"]["done"]] == ["0002"]

    assert theirs.states() == {"0001": "applied", "0002": "applied", "0003": "pending"}
    succeed(theirs("up"))
    assert ledger() == ["0001", "0002", "0003"]
    assert "nothing to apply" in succeed(ours("migrate", "--plain")).said


@pytest.mark.usefixtures("directory")
def test_we_apply_one_and_it_the_next(
    theirs: Theirs, ours: Program, ledger: Callable[[], list[str]]
) -> None:
    succeed(ours("migrate", "--plain", "--to", "0001"))
    succeed(theirs("up", "--target", "0002"))
    assert theirs.states() == {"0001": "applied", "0002": "applied", "0003": "pending"}

    status = succeed(ours("status", "--json")).json()
    assert [(each["version"], each["state"]) for each in status["result"]["migrations"]] == [
        ("0001", "applied"),
        ("0002", "applied"),
        ("0003", "pending"),
    ]
    assert status["findings"] == []
    succeed(ours("migrate", "--plain"))
    assert ledger() == ["0001", "0002", "0003"]


@pytest.mark.usefixtures("directory")
def test_each_rolls_back_what_the_other_applied(
    theirs: Theirs,
    ours: Program,
    ledger: Callable[[], list[str]],
    tables: Callable[[], list[str]],
) -> None:
    succeed(theirs("up"))
    succeed(ours("rollback", "--plain"))
    assert (ledger(), tables()) == (["0001", "0002"], ["orders", "users"])

    succeed(ours("migrate", "--plain"))
    succeed(theirs("down", "--steps", "2"))
    assert (ledger(), tables()) == (["0001"], ["users"])
    assert theirs.states()["0003"] == "pending"

    succeed(ours("rollback", "--plain"))
    assert (ledger(), tables()) == ([], [])


def test_each_notices_that_a_file_was_edited_after_the_other_applied_it(
    theirs: Theirs, ours: Program, directory: Path
) -> None:
    succeed(theirs("up", "--target", "0001"))
    succeed(ours("migrate", "--plain", "--to", "0002"))
    (directory / "0001_users.up.sql").write_text("SELECT 1;\n")

    refused = ours("migrate", "--plain")
    assert refused.code == 5
    assert "0001_users was edited" in refused.said

    succeed(ours("rollback", "--plain", "--to", "0001"))
    (directory / "0001_users.up.sql").write_text(pairs("0001", "2", "3")["0001_users.up.sql"])
    succeed(ours("migrate", "--plain", "--to", "0002"))
    (directory / "0002_orders.up.sql").write_text("SELECT 1;\n")
    refused = theirs("up")
    assert refused.code != 0
    assert "0002" in refused.said


@pytest.mark.usefixtures("directory")
def test_what_we_mark_it_takes_as_applied(
    theirs: Theirs, ours: Program, tables: Callable[[], list[str]]
) -> None:
    succeed(ours("baseline", "--to", "0002"))

    assert theirs.states() == {"0001": "applied", "0002": "applied", "0003": "pending"}
    succeed(theirs("up"))
    assert tables() == ["items"]


def test_what_it_marks_we_take_as_applied(
    theirs: Theirs,
    ours: Program,
    dsn: str,
    write: Callable[..., Path],
    directory: Path,
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    # Its baseline takes no connection string.
    write({"local.yaml": f"name: local\ndatabase_url: {as_url(dsn)}\n"}, "db/environments")
    succeed(theirs.program("migrate", "baseline", "--through", "0002"))

    assert validate(discover(directory), read_ledger(conn, "tb_confiture")) == ()
    succeed(ours("migrate", "--plain"))
    assert tables() == ["items"]


# Long enough that the second runner starts while the first is at work.
STEPS = 12
SLOW = {
    f"{number:04d}_step.{kind}.sql": text
    for number in range(1, STEPS + 1)
    for kind, text in (
        ("up", f"CREATE TABLE step_{number} (id int);\nSELECT pg_sleep(0.2);\n"),
        ("down", f"DROP TABLE step_{number};\n"),
    )
}


# The second step ends when somebody makes the table go_on, and after a minute at the latest.
HELD = SLOW | {
    "0002_step.up.sql": """
CREATE TABLE step_2 (id int);
DO $$ BEGIN
    FOR attempt IN 1..600 LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = 'go_on');
        PERFORM pg_sleep(0.1);
    END LOOP;
END $$;
"""
}


@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_two_runners_at_once_do_nothing_twice(
    first: str,
    theirs: Theirs,
    ours: Program,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    ledger: Callable[[], list[str]],
) -> None:
    write(SLOW)
    commands = {
        "theirs": (theirs.program, theirs.arguments("up", "--lock-timeout", "60000")),
        "ours": (ours, ("migrate", "--plain")),
    }
    second = next(name for name in commands if name != first)
    started = {}
    program, arguments = commands[first]
    started[first] = program.start(*arguments)
    wait_for_table(conn, "step_1")
    program, arguments = commands[second]
    started[second] = program.start(*arguments)

    done = {name: commands[name][0].finish(process) for name, process in started.items()}

    assert ledger() == [f"{number:04d}" for number in range(1, STEPS + 1)]
    assert {name: each.code for name, each in done.items()} == {"theirs": 0, "ours": 0}, done


@pytest.mark.parametrize("round_", range(3))
def test_two_runners_started_together_do_nothing_twice(
    round_: int,
    theirs: Theirs,
    ours: Program,
    write: Callable[..., Path],
    ledger: Callable[[], list[str]],
) -> None:
    write({name: text.replace("0.2", "0.05") for name, text in SLOW.items()})
    processes = (
        theirs.program.start(*theirs.arguments("up", "--lock-timeout", "60000")),
        ours.start("migrate", "--plain"),
    )

    done = [ours.finish(process) for process in processes]

    assert ledger() == [f"{number:04d}" for number in range(1, STEPS + 1)]
    assert [each.code for each in done] == [0, 0], done


def test_we_leave_when_it_works_for_longer_than_our_patience(
    theirs: Theirs,
    ours: Program,
    dsn: str,
    tmp_path: Path,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    ledger: Callable[[], list[str]],
) -> None:
    write(HELD)
    (tmp_path / "confiture.toml").write_text(f'[targets.db]\ndsn = "{dsn}"\nlock_patience = 0.2\n')
    working = theirs.program.start(*theirs.arguments("up"))
    wait_for_table(conn, "step_1")

    left = ours("migrate", "--plain", "--target", "db")

    assert left.code == 6
    assert "Another run works on this database" in left.said
    conn.execute("CREATE TABLE go_on ()")
    succeed(ours.finish(working))
    assert len(ledger()) == STEPS


def test_it_leaves_when_we_work_for_longer_than_its_patience(
    theirs: Theirs,
    ours: Program,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    ledger: Callable[[], list[str]],
) -> None:
    write(HELD)
    working = ours.start("migrate", "--plain")
    wait_for_table(conn, "step_1")

    left = theirs("up", "--lock-timeout", "200")

    assert left.code == 6, left.said
    conn.execute("CREATE TABLE go_on ()")
    succeed(ours.finish(working))
    assert len(ledger()) == STEPS


def wait_for_table(conn: psycopg.Connection, name: str) -> None:
    deadline = time.monotonic() + 30
    while conn.execute("SELECT to_regclass(%s)", [name]).fetchone() == (None,):
        assert time.monotonic() < deadline
        time.sleep(0.05)
