"""Repeatable migrations on a real server: run again when changed, one ledger row each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import ApplyError, LedgerError, PartialApplyError
from confiture_flows.migrations.ledger import LedgerRow
from tests.integration.conftest import Engine

USERS = {"0001_users.up.sql": "CREATE TABLE users (id int);"}
VIEW = "CREATE OR REPLACE VIEW v AS SELECT {} AS n;"
Write = Callable[..., Path]


@pytest.fixture
def value(conn: psycopg.Connection) -> Callable[[], int]:
    def read() -> int:
        row = conn.execute("SELECT n FROM v").fetchone()
        assert row
        return row[0]

    return read


@pytest.fixture
def directory(write: Write, engine: Engine) -> Path:
    folder = write(USERS | {"R__v.sql": VIEW.format(1)})
    assert [row.version for row in engine.migrate(folder)] == ["0001", "R__v"]
    return folder


def last_run(engine: Engine) -> LedgerRow:
    (row,) = (row for row in engine.rows() if row.repeatable)
    return row


def test_unchanged_one_does_not_run_again(directory: Path, engine: Engine) -> None:
    assert engine.migrate(directory) == ()


def test_changed_one_runs_again_and_has_one_row(
    directory: Path, write: Write, engine: Engine, value: Callable[[], int], conn
) -> None:
    before = last_run(engine)
    plan = engine.plan(write({"R__v.sql": VIEW.format(2)}))
    (written,) = engine.apply(plan)

    assert value() == 2
    assert engine.versions() == ["0001", "R__v"]
    after = last_run(engine)
    assert after == written
    assert after.checksum == plan.steps[0].migration.checksum != before.checksum
    assert after.applied_at > before.applied_at
    slug = conn.execute("SELECT slug FROM tb_confiture WHERE version = 'R__v'").fetchone()[0]
    assert slug.startswith("v_R__v_")


def test_it_runs_after_versions_that_are_new(directory: Path, write: Write, engine: Engine) -> None:
    folder = write(
        {
            "0002_n.up.sql": "ALTER TABLE users ADD n int DEFAULT 5;",
            "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT n FROM users;",
        }
    )
    assert [row.version for row in engine.migrate(folder)] == ["0002", "R__v"]


@pytest.mark.parametrize(
    "broken",
    [VIEW.format(2) + "\nSELECT 1/0;", VIEW.format(2) + "SELECT pg_advisory_unlock_all();"],
    ids=["statement", "ledger"],
)
def test_failed_one_keeps_the_row_and_what_the_last_run_made(
    directory: Path, write: Write, engine: Engine, value: Callable[[], int], broken: str
) -> None:
    before = last_run(engine)

    with pytest.raises(ApplyError):
        engine.migrate(write({"R__v.sql": broken}))

    assert (last_run(engine), value()) == (before, 1)
    engine.migrate(write({"R__v.sql": VIEW.format(3)}))
    assert value() == 3


def test_one_that_stops_half_way_is_still_pending(
    directory: Path, write: Write, engine: Engine
) -> None:
    before = last_run(engine)
    text = "-- confiture: transaction=none\n" + VIEW.format(2) + "\nSELECT 1/0;"

    with pytest.raises(PartialApplyError):
        engine.migrate(write({"R__v.sql": text}))

    # Half of it may be there, so it is no longer what was applied, not even as it was before.
    assert last_run(engine) == replace(before, checksum=None)
    assert [step.migration.version for step in engine.plan(directory).steps] == ["R__v"]


def test_same_plan_given_again_does_not_run_it_twice(
    directory: Path, write: Write, engine: Engine
) -> None:
    plan = engine.plan(write({"R__v.sql": VIEW.format(2)}))
    first = engine.apply(plan)
    assert engine.apply(plan) == first
    assert last_run(engine) == first[0]


def test_two_runs_with_one_change_run_it_once(
    directory: Path, write: Write, engine: Engine, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE runs (n int)")
    text = "INSERT INTO runs VALUES (1); SELECT pg_sleep(0.2);"
    plan = engine.plan(write({"R__v.sql": text}))
    patient = engine.limited(lock_patience=10)
    threads = [threading.Thread(target=patient.apply, args=(plan,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_run_that_planned_before_another_change_does_not_write_over_it(
    directory: Path, write: Write, engine: Engine, value: Callable[[], int]
) -> None:
    old = engine.plan(write({"R__v.sql": VIEW.format(2)}))
    engine.migrate(write({"R__v.sql": VIEW.format(3)}))

    with pytest.raises(LedgerError, match=r"changed the ledger .*R__v"):
        engine.apply(old)

    assert value() == 3


def test_one_edited_while_the_run_goes_on_is_refused(
    directory: Path, write: Write, engine: Engine, value: Callable[[], int]
) -> None:
    from confiture_flows.errors import MigrationFileError

    plan = engine.plan(write({"R__v.sql": VIEW.format(2)}))
    write({"R__v.sql": VIEW.format(3)})

    with pytest.raises(MigrationFileError, match="R__v was edited or removed"):
        engine.apply(plan)
    assert value() == 1


def test_way_back_and_forth_leaves_it_alone(
    write: Write, engine: Engine, value: Callable[[], int]
) -> None:
    folder = write(USERS | {"0001_users.down.sql": "DROP TABLE users;", "R__v.sql": VIEW.format(1)})
    engine.migrate(folder)
    before = last_run(engine)

    assert [row.version for row in engine.rollback(folder, "zero")] == ["0001"]
    assert (last_run(engine), value()) == (before, 1)
    assert [row.version for row in engine.migrate(folder)] == ["0001"]


def test_changed_include_runs_it_again(
    write: Write, engine: Engine, value: Callable[[], int]
) -> None:
    include = "-- confiture: include views/v.sql\n"
    folder = write(USERS | {"R__v.sql": include, "views/v.sql": VIEW.format(1)})
    engine.migrate(folder)
    write({"views/v.sql": VIEW.format(2)})
    assert [row.version for row in engine.migrate(folder)] == ["R__v"]
    assert value() == 2


def test_large_one_replaces_its_row_too(directory: Path, write: Write, engine: Engine) -> None:
    """Statement by statement, the ledger's statement is sent another way."""
    text = VIEW.format(2) + "\n-- " + "x" * 1_100_000 + "\nSELECT '" + "x" * 1_100_000 + "';"
    (row,) = engine.migrate(write({"R__v.sql": text}))
    assert last_run(engine) == row
