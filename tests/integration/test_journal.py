"""Scripts that are not one transaction: stopped at any moment, mended, and gone on with."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.config import Limits
from confiture_flows.errors import ApplyError, PartialApplyError, PlanError, UnresolvedError
from confiture_flows.migrations import batchwise
from confiture_flows.migrations.baseline import baseline
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Step
from confiture_flows.migrations.resolve import Unfinished, read_unfinished, resolve
from confiture_flows.sql.statements import Statement
from confiture_flows.target import connect
from tests.support import eventually

from .conftest import Engine, Role

NONE = "-- confiture: transaction=none\n"
LIMITS = Limits(lock_patience=1)


@pytest.fixture
def known(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE known (id int)")


@pytest.fixture
def ids(conn: psycopg.Connection) -> Callable[[], list[int]]:
    return lambda: [row[0] for row in conn.execute("SELECT id FROM known ORDER BY id")]


@pytest.fixture
def indexes(conn: psycopg.Connection) -> Callable[[], dict[str, bool]]:
    """The indexes of `known`, and whether each is valid."""
    query = (
        "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
        " WHERE indrelid = 'known'::regclass"
    )
    return lambda: dict(conn.execute(query.encode()).fetchall())


@pytest.fixture
def unfinished(engine: Engine) -> Callable[[], tuple[Unfinished, ...]]:
    def read() -> tuple[Unfinished, ...]:
        with connect(engine.target, "test") as conn:
            return read_unfinished(conn, engine.target.ledger)

    return read


class Listener(Observer):
    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []

    def resumed(self, step: Step, statement: Statement) -> None:
        self.heard.append((step.migration.version, statement.number))


@pytest.mark.usefixtures("known")
def test_mended_script_goes_on_where_it_stopped(
    engine: Engine,
    write: Callable[..., Path],
    ids: Callable[[], list[int]],
    unfinished: Callable[[], tuple[Unfinished, ...]],
) -> None:
    script = NONE + "INSERT INTO known VALUES (1);\nINSERT INTO known VALUES (2);\n{}\n"
    directory = write({"0001_work.up.sql": script.format("INSERT INTO knwon VALUES (3);")})
    with pytest.raises(PartialApplyError) as caught:
        engine.migrate(directory)
    assert caught.value.next_step is not None
    assert caught.value.next_step.endswith("then run again: it goes on where it stopped.")
    (left,) = unfinished()
    assert (left.version, left.direction, left.committed, left.doubtful) == ("0001", "up", 2, None)

    listener = Listener()
    write({"0001_work.up.sql": script.format("INSERT INTO known VALUES (3);")})
    engine.migrate(directory, observer=listener)

    assert ids() == [1, 2, 3]
    assert listener.heard == [("0001", 3)]
    assert engine.versions() == ["0001"]
    assert unfinished() == ()


@pytest.mark.usefixtures("known")
def test_way_back_goes_on_where_it_stopped(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    down = NONE + "DROP TABLE one;\nDROP TABLE {};\n"
    up = "CREATE TABLE one (id int); CREATE TABLE two (id int);"
    directory = write({"0001_a.up.sql": up, "0001_a.down.sql": down.format("misspelt")})
    engine.migrate(directory)
    with pytest.raises(PartialApplyError):
        engine.rollback(directory)

    write({"0001_a.down.sql": down.format("two")})
    with pytest.raises(UnresolvedError, match="0001 is half rolled back") as caught:
        engine.migrate(write({"0002_b.up.sql": "SELECT 1;"}))
    assert "confiture-flows rollback" in (caught.value.next_step or "")
    engine.rollback(directory)

    assert tables() == ["known"]
    assert engine.versions() == []


@pytest.mark.usefixtures("known")
def test_half_applied_migration_is_not_passed_on_the_way_back(
    engine: Engine, write: Callable[..., Path]
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "SELECT 1;",
            "0001_a.down.sql": "SELECT 1;",
            "0002_b.up.sql": NONE + "INSERT INTO known VALUES (1); SELECT 1 / 0;",
        }
    )
    with pytest.raises(PartialApplyError):
        engine.migrate(directory)

    with pytest.raises(UnresolvedError, match="0002 is half applied") as caught:
        engine.rollback(directory)
    assert caught.value.exit_code == 9
    assert engine.versions() == ["0001"]


@pytest.mark.usefixtures("known")
def test_settings_of_what_is_done_hold_for_the_rest(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE SCHEMA app")
    conn.execute("CREATE TABLE app.orders (id int)")
    script = (
        "SELECT pg_catalog.set_config('search_path', 'app', false);\n"
        "SET work_mem = '5MB';\nSET LOCAL statement_timeout = 60000;\n"
        "CREATE INDEX CONCURRENTLY orders_id ON orders (id);\n"
        "CREATE TABLE {} AS SELECT current_setting('work_mem') AS mem;\n"
    )
    directory = write({"0001_a.up.sql": script.format("app.orders")})
    with pytest.raises(PartialApplyError, match='"orders" already exists'):
        engine.migrate(directory)

    write({"0001_a.up.sql": script.format("seen")})
    engine.migrate(directory)

    assert conn.execute("SELECT mem FROM app.seen").fetchall() == [("5MB",)]


def test_role_of_the_script_is_kept_between_its_steps(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
) -> None:
    """The journal is written as the login user, who owns it, and the role is back after that."""
    role = new_role().name
    conn.execute(f'CREATE SCHEMA theirs AUTHORIZATION "{role}"'.encode())
    directory = write(
        {
            "0001_a.up.sql": f'SET ROLE "{role}";\nCREATE TABLE theirs.one (id int);\n'
            "CREATE INDEX CONCURRENTLY ON theirs.one (id);\nCREATE TABLE theirs.two (id int);\n"
            "VACUUM theirs.two;\n"
        }
    )

    engine.migrate(directory)

    owners = conn.execute("SELECT tableowner FROM pg_tables WHERE schemaname = 'theirs'")
    assert owners.fetchall() == [(role,), (role,)]


@pytest.mark.usefixtures("known")
def test_committed_part_that_was_edited_asks_a_person(
    engine: Engine, write: Callable[..., Path], ids: Callable[[], list[int]]
) -> None:
    directory = write({"0001_a.up.sql": NONE + "INSERT INTO known VALUES (1);\nSELECT 1 / 0;"})
    with pytest.raises(PartialApplyError):
        engine.migrate(directory)

    write({"0001_a.up.sql": NONE + "INSERT INTO known VALUES (100);\nSELECT 1;"})
    with pytest.raises(UnresolvedError, match="has changed since") as caught:
        engine.migrate(directory)
    assert not caught.value.retryable
    assert "resolve 0001 --all --not-applied" in (caught.value.next_step or "")
    assert ids() == [1]

    write({"0001_a.up.sql": NONE + "-- a comment\nINSERT INTO known VALUES (1);\nSELECT 1;"})
    engine.migrate(directory)
    assert ids() == [1]


@pytest.mark.usefixtures("known")
def test_script_that_was_cut_short_asks_a_person(
    engine: Engine, write: Callable[..., Path]
) -> None:
    script = NONE + "INSERT INTO known VALUES (1);\nINSERT INTO known VALUES (2);\nSELECT 1 / 0;"
    directory = write({"0001_a.up.sql": script})
    with pytest.raises(PartialApplyError):
        engine.migrate(directory)

    write({"0001_a.up.sql": "INSERT INTO known VALUES (1);"})
    with pytest.raises(UnresolvedError, match="has changed since"):
        engine.migrate(directory)


@pytest.mark.usefixtures("known")
def test_failed_concurrent_build_leaves_no_invalid_index(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    indexes: Callable[[], dict[str, bool]],
    unfinished: Callable[[], tuple[Unfinished, ...]],
) -> None:
    conn.execute("INSERT INTO known VALUES (1), (1)")
    directory = write({"0001_i.up.sql": "CREATE UNIQUE INDEX CONCURRENTLY once ON known (id);"})

    with pytest.raises(ApplyError, match=r"left, public\.once, was dropped") as caught:
        engine.migrate(directory)

    assert "was rolled back" not in caught.value.message
    assert type(caught.value) is ApplyError
    assert indexes() == {}
    assert unfinished() == ()
    conn.execute("DELETE FROM known")
    engine.migrate(directory)
    assert indexes() == {"once": True}


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("name", ["once", ""], ids=["named", "unnamed"])
def test_invalid_index_that_cannot_go_now_goes_before_the_next_try(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    dsn: str,
    indexes: Callable[[], dict[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setattr(batchwise, "_REPAIR_SECONDS", 1)
    conn.execute("INSERT INTO known VALUES (1), (1)")
    sql = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON known (id);"
    directory = write({"0001_i.up.sql": sql})
    with psycopg.connect(dsn) as reader:
        # In the way of the drop, which waits for it, and not of the build's first half.
        reader.execute("SET application_name = 'reader'")
        reader.execute("SELECT * FROM known")
        with pytest.raises(PartialApplyError, match="which the next run drops") as caught:
            engine.migrate(directory)
    assert list(indexes().values()) == [False]
    assert "it goes on where it stopped" in (caught.value.next_step or "")

    conn.execute("DELETE FROM known")
    engine.migrate(directory)

    assert list(indexes().values()) == [True]


@pytest.mark.usefixtures("known")
def test_invalid_index_of_somebody_else_is_told_and_not_dropped(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    indexes: Callable[[], dict[str, bool]],
) -> None:
    conn.execute("INSERT INTO known VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON known (id)")
    conn.execute("DELETE FROM known")
    sql = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS once ON known (id);"
    directory = write({"0001_i.up.sql": sql})

    with pytest.raises(
        ApplyError, match=r"public\.once was there before, and is invalid"
    ) as caught:
        engine.migrate(directory)
    assert "DROP INDEX CONCURRENTLY public.once" in (caught.value.next_step or "")
    assert indexes() == {"once": False}

    conn.execute("DROP INDEX CONCURRENTLY once")
    engine.migrate(directory)
    assert indexes() == {"once": True}


@pytest.mark.usefixtures("known")
def test_killed_concurrent_build_is_built_anew(
    engine: Engine,
    write: Callable[..., Path],
    dsn: str,
    indexes: Callable[[], dict[str, bool]],
    sessions: Callable[[], list[str]],
    start_migrate: Callable[[Path], subprocess.Popen[str]],
    unfinished: Callable[[], tuple[Unfinished, ...]],
) -> None:
    directory = write(
        {"0001_i.up.sql": "INSERT INTO known VALUES (1);\nCREATE INDEX CONCURRENTLY ON known (id);"}
    )
    with psycopg.connect(dsn) as holder:
        holder.execute("INSERT INTO known VALUES (7)")  # the build waits for this transaction
        run = start_migrate(directory)
        eventually(sessions, lambda queries: any("CONCURRENTLY" in query for query in queries))
        run.send_signal(signal.SIGKILL)
        run.wait(30)
        eventually(sessions, lambda queries: not queries)
        (left,) = unfinished()
        assert left.doubtful is not None
        assert left.doubtful.statement == 2

    engine.migrate(directory)

    assert indexes() == {"known_id_idx": True}
    assert unfinished() == ()
    assert engine.versions() == ["0001"]


# name: (the migration, what makes the database look as if it had been done, the state after)
DONE_UNSEEN = {
    "index": ("CREATE INDEX CONCURRENTLY i ON known (id);", "CREATE INDEX i ON known (id)", {"i"}),
    "index without a name": (
        "CREATE INDEX CONCURRENTLY ON known (id);",
        "CREATE INDEX ON known (id)",
        {"known_id_idx"},
    ),
    "drop": ("DROP INDEX CONCURRENTLY standing;", "DROP INDEX standing", set[str]()),
    "nothing was done": ("CREATE INDEX CONCURRENTLY i ON known (id);", "SELECT 1", {"i"}),
    "rebuild": ("REINDEX INDEX CONCURRENTLY standing;", "SELECT 1", {"standing"}),
}


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("sql", "done", "after"), DONE_UNSEEN.values(), ids=DONE_UNSEEN)
def test_statement_that_nobody_saw_the_end_of_is_recognised(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    dsn: str,
    indexes: Callable[[], dict[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
    sql: str,
    done: str,
    after: set[str],
) -> None:
    """The run ends between the server's answer and the journal's entry."""
    if "standing" in sql:
        conn.execute("CREATE INDEX standing ON known (id)")

    def end_unseen(*_arguments: object, **_options: object) -> None:
        with psycopg.connect(dsn, autocommit=True) as elsewhere:
            elsewhere.execute(done.encode())
        raise KeyboardInterrupt

    directory = write({"0001_i.up.sql": f"INSERT INTO known VALUES (1);\n{sql}"})
    with monkeypatch.context() as patch:
        patch.setattr(batchwise, "run_statement", end_unseen)
        with pytest.raises(KeyboardInterrupt):
            engine.migrate(directory)

    engine.migrate(directory)

    assert indexes() == dict.fromkeys(after, True)
    assert engine.versions() == ["0001"]


@pytest.fixture
def in_doubt(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    sessions: Callable[[], list[str]],
    start_migrate: Callable[[Path], subprocess.Popen[str]],
) -> Path:
    """A directory whose only migration was killed in a procedure that commits by itself."""
    conn.execute("CREATE TABLE known (id int)")
    conn.execute(
        "CREATE PROCEDURE slow() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO known VALUES (10);"
        " COMMIT; PERFORM pg_sleep(60); END $$"
    )
    directory = write({"0001_c.up.sql": NONE + "CALL slow();\nINSERT INTO known VALUES (2);"})
    run = start_migrate(directory)
    count = "SELECT count(*) FROM known"
    eventually(lambda: conn.execute(count.encode()).fetchone(), lambda row: row == (1,))
    run.kill()
    run.wait(30)
    eventually(sessions, lambda queries: not queries)
    conn.execute(
        "CREATE OR REPLACE PROCEDURE slow() LANGUAGE sql AS 'INSERT INTO known VALUES (11)'"
    )
    with pytest.raises(UnresolvedError, match="nobody can tell whether that took effect") as caught:
        engine.migrate(directory)
    assert (caught.value.line, caught.value.statement) == (2, 1)
    assert "confiture-flows resolve 0001 --applied" in (caught.value.next_step or "")
    return directory


@pytest.mark.parametrize(("applied", "after"), [(True, [2, 10]), (False, [2, 10, 11])])
def test_person_says_how_a_statement_stands(
    engine: Engine,
    in_doubt: Path,
    ids: Callable[[], list[int]],
    applied: bool,
    after: list[int],
) -> None:
    with connect(engine.target, "test") as conn:
        resolve(conn, "0001", applied=applied, limits=LIMITS)
        with pytest.raises(PlanError):
            resolve(conn, "0001", applied=applied, limits=LIMITS)

    engine.migrate(in_doubt)

    assert ids() == after
    assert engine.versions() == ["0001"]


@pytest.mark.parametrize(("applied", "after"), [(True, [10]), (False, [2, 10, 11])])
def test_person_says_how_the_whole_stands(
    engine: Engine,
    in_doubt: Path,
    ids: Callable[[], list[int]],
    unfinished: Callable[[], tuple[Unfinished, ...]],
    applied: bool,
    after: list[int],
) -> None:
    (migration,) = discover(in_doubt).migrations
    with connect(engine.target, "test") as conn:
        resolve(conn, "0001", applied=applied, whole=True, migration=migration, limits=LIMITS)
    assert unfinished() == ()
    assert engine.versions() == (["0001"] if applied else [])

    engine.migrate(in_doubt)

    assert ids() == after
    assert engine.versions() == ["0001"]


@pytest.mark.usefixtures("known")
def test_user_who_may_not_create_the_journal_is_told(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
) -> None:
    engine.migrate(write({"0001_a.up.sql": "SELECT 1;"}))
    role = new_role()
    for grant in ("ALL ON tb_confiture", "ALL ON known", "USAGE ON SCHEMA public"):
        conn.execute(f'GRANT {grant} TO "{role.name}"'.encode())
    conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    limited = replace(engine, target=replace(engine.target, dsn=role.dsn))

    with pytest.raises(Exception, match="may not create the journal") as caught:
        limited.migrate(write({"0002_v.up.sql": "VACUUM known;"}))

    assert "GRANT CREATE ON SCHEMA" in str(caught.value)
    assert engine.versions() == ["0001"]


def test_index_of_the_same_name_elsewhere_is_not_dropped_instead(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By its name it would be found in the next schema of the search_path."""
    conn.execute("CREATE SCHEMA app; CREATE TABLE app.t (a int); CREATE TABLE public.u (a int)")
    conn.execute("CREATE INDEX i ON app.t (a); CREATE INDEX i ON public.u (a)")
    sql = "SET search_path = app, public;\nDROP INDEX CONCURRENTLY i;"
    directory = write({"0001_i.up.sql": sql})
    really = batchwise.run_statement

    def end_unseen(*arguments: Any, **options: Any) -> None:
        really(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batchwise, "run_statement", end_unseen)
        with pytest.raises(KeyboardInterrupt):
            engine.migrate(directory)
    engine.migrate(directory)

    found = conn.execute("SELECT to_regclass('app.i')::text, to_regclass('public.i')::text")
    assert found.fetchone() == (None, "i")


@pytest.mark.usefixtures("known")
def test_index_of_somebody_else_is_not_taken_for_the_one_without_a_name(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    indexes: Callable[[], dict[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conn.execute("ALTER TABLE known ADD other int")

    def end_before(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    directory = write({"0001_i.up.sql": "CREATE INDEX CONCURRENTLY ON known (id);"})
    with monkeypatch.context() as patch:
        patch.setattr(batchwise, "run_statement", end_before)
        with pytest.raises(KeyboardInterrupt):
            engine.migrate(directory)
    conn.execute("CREATE INDEX theirs ON known (other)")
    engine.migrate(directory)

    assert indexes() == {"theirs": True, "known_id_idx": True}


@pytest.mark.usefixtures("known")
def test_statement_added_behind_what_is_done_mends_what_failed(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    indexes: Callable[[], dict[str, bool]],
) -> None:
    conn.execute("INSERT INTO known VALUES (1), (1)")
    script = "CREATE TABLE b (id int);\n{}CREATE UNIQUE INDEX CONCURRENTLY once ON known (id);"
    directory = write({"0001_i.up.sql": script.format("")})
    with pytest.raises(PartialApplyError):
        engine.migrate(directory)

    write({"0001_i.up.sql": script.format("DELETE FROM known;\n")})
    engine.migrate(directory)

    assert indexes() == {"once": True}
    assert engine.versions() == ["0001"]


@pytest.mark.usefixtures("known")
def test_row_that_somebody_else_wrote_settles_what_was_half_done(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    unfinished: Callable[[], tuple[Unfinished, ...]],
) -> None:
    """Otherwise a later run would skip what it believes is done."""
    directory = write({"0001_a.up.sql": NONE + "CREATE TABLE a (id int);\nSELECT 1 / 0;"})
    with pytest.raises(PartialApplyError):
        engine.migrate(directory)
    write({"0001_a.up.sql": NONE + "CREATE TABLE a (id int);\nSELECT 1;"})

    with connect(engine.target, "test") as own:
        baseline(own, discover(directory).migrations, ["0001"], limits=LIMITS)
    assert unfinished() == ()
    conn.execute("DROP TABLE a; DELETE FROM tb_confiture")
    engine.migrate(directory)

    assert conn.execute("SELECT to_regclass('a')::text").fetchone() == ("a",)


@pytest.mark.usefixtures("known")
def test_half_done_repeatable_stays_pending_when_its_file_is_put_back(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    view = "CREATE OR REPLACE VIEW v AS SELECT id FROM known;"
    directory = write({"0001_a.up.sql": "SELECT 1;", "R__v.sql": view})
    engine.migrate(directory)
    write({"R__v.sql": NONE + "DROP VIEW v;\nSELECT 1 / 0;"})
    with pytest.raises(PartialApplyError):
        engine.migrate(directory)

    write({"R__v.sql": view})
    with pytest.raises(UnresolvedError, match="has changed since"):
        engine.migrate(directory)
    (migration,) = [each for each in discover(directory).migrations if each.repeatable]
    with connect(engine.target, "test") as own:
        resolve(own, "R__v", applied=False, whole=True, migration=migration, limits=LIMITS)
    engine.migrate(directory)

    assert conn.execute("SELECT to_regclass('v')::text").fetchone() == ("v",)


def test_journal_of_a_ledger_with_a_long_name(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE known (id int)")
    name = "l" * 63
    long = replace(engine, target=replace(engine.target, ledger=name))
    up = "INSERT INTO known VALUES (1);\nVACUUM known;"
    directory = write({"0001_a.up.sql": up, "0001_a.down.sql": "TRUNCATE known;"})
    long.migrate(directory)
    assert long.versions() == ["0001"]

    long.rollback(directory)
    assert long.versions() == []
