"""The wizard's run as a person meets it: progress, Ctrl-C, failures, lost connections, the plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.plan_file import read_plan_file
from confiture_flows.postgres import Server
from tests.support import eventually

from .conftest import Folder, Shop, Typist

GOOD = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);\n",
    "0001_users.down.sql": "DROP TABLE users;\n",
    "0002_orders.up.sql": "CREATE TABLE orders (id int REFERENCES users);\n",
    "0002_orders.down.sql": "DROP TABLE orders;\n",
}
WRONG = {"0003_wrong.up.sql": "CREATE TABLE half (id int);\nSELECT nothing;\n"}
SLOW = {
    "0003_slow.up.sql": "CREATE TABLE slow (id int);\nSELECT pg_sleep(60);\n",
    "0003_slow.down.sql": "DROP TABLE slow;\n",
}


@pytest.fixture
def project(folder: Folder, dsn: str, write: Callable[..., Path]) -> Callable[..., Path]:
    """A project with one database, and the migrations that are written."""
    (folder.path / "confiture.toml").write_text(f"[targets.here]\ndsn = {json.dumps(dsn)}\n")
    return write


@pytest.fixture
def tables(conn: psycopg.Connection) -> Callable[[], list[str]]:
    def names() -> list[str]:
        rows = conn.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
            "'public'::regnamespace AND relname NOT LIKE 'tb_confiture%' ORDER BY 1"
        )
        return [row[0] for row in rows]

    return names


@pytest.fixture
def sleepers(conn: psycopg.Connection) -> Callable[[], list[int]]:
    """The backends whose migration sleeps."""

    def pids() -> list[int]:
        rows = conn.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
            "state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep%'"
        )
        return [row[0] for row in rows]

    return pids


def to_the_run(typist: Typist, options: str = "--plain", *, last: str | None = "all") -> str:
    """Choose the only database, keep its rules, and say yes to what is reviewed."""
    typist.wizard(options)
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "enter")
    typist.answers("For this run:", "enter")
    if last is not None:
        typist.answers("How far?", *(["down"] if last != "all" else []), "enter")
    said = typist.asked("to here now?")
    typist.press("down", "enter")
    return said


def to_the_end(typist: Typist, *last: str) -> str:
    """Neither replay; the plan is saved under its own name."""
    typist.answers("Also replay the history", "enter")
    typist.answers("Save what was chosen", "enter", *last)
    return typist.ended(0)


def test_migrations_are_reviewed_applied_checked_and_saved(
    typist: Typist, project: Callable[..., Path], folder: Folder, tables: Callable[[], list[str]]
) -> None:
    project(GOOD)

    reviewed = to_the_run(typist)
    said = to_the_end(typist)

    assert "here: 2 migrations to apply" in reviewed
    assert "Rollback plan" in reviewed
    assert "All of it can be rolled back." in reviewed
    assert "2 migrations applied" in said
    assert "2 migrations checked" in said
    assert "migrate --plan-file wizard-plan.toml" in said
    assert tables() == ["orders", "users"]
    assert read_plan_file(folder.path / "wizard-plan.toml").target == "here"
    assert folder.states == []
    # Whoever runs it again has nothing to do.
    typist.command("confiture-flows migrate --plan-file wizard-plan.toml --to 0001", "exit 2")


def test_migrations_are_applied_as_far_as_chosen(
    typist: Typist, project: Callable[..., Path], folder: Folder, tables: Callable[[], list[str]]
) -> None:
    project(GOOD)
    (folder.path / "db").rename(folder.path / "elsewhere")
    (folder.path / "else").mkdir()
    (folder.path / "else" / "notes.txt").write_text("not a migration")

    typist.wizard("--plain")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "enter")
    typist.answers("For this run:", "enter")
    typist.answers("In which folder are the migrations?", "else", "enter")
    typist.see("There are no migrations in else")
    typist.press("ctrl-u", "elsewhere/migrations", "enter")
    typist.answers("How far?", "down", "enter")
    typist.answers("Apply 1 migration to here now?", "down", "enter")
    to_the_end(typist)

    assert tables() == ["users"]
    migrations = read_plan_file(folder.path / "wizard-plan.toml").migrations
    assert (migrations.to, migrations.directory) == ("0001", "elsewhere/migrations")


def test_failure_is_told_and_rolled_back_by_choice(
    typist: Typist, project: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = project(GOOD | WRONG)
    to_the_run(typist)

    said = typist.asked("What now?")
    assert 'column "nothing" does not exist' in said
    assert "0003_wrong.up.sql:2" in said.replace("\n", "")
    assert "42703" in said
    assert tables() == ["orders", "users"]
    typist.press("down", "enter")
    typist.asked("It is as it was before this run.")
    assert tables() == []

    # Mended beside the wizard, it is tried again.
    (directory / "0003_wrong.up.sql").write_text("CREATE TABLE whole (id int);\n")
    typist.answers("What now?", "enter")
    to_the_end(typist)
    assert tables() == ["orders", "users", "whole"]


def test_failure_is_left_and_resumed(
    typist: Typist, project: Callable[..., Path], folder: Folder, tables: Callable[[], list[str]]
) -> None:
    directory = project(GOOD | WRONG)
    to_the_run(typist)
    typist.asked("What now?")
    typist.press("up", "enter")
    said = typist.ended(130)
    assert "applied, and staying: 0001, 0002" in said
    assert "nothing was changed" not in said
    assert "review" in folder.state()["done"]

    (directory / "0003_wrong.up.sql").write_text("CREATE TABLE whole (id int);\n")
    typist.wizard("--resume")
    # What is left is looked at anew, and asked about.
    assert "here: 1 migration to apply" in typist.asked("to here now?")
    typist.press("down", "enter")
    to_the_end(typist)
    assert tables() == ["orders", "users", "whole"]


def test_ctrl_c_ends_the_query_and_rolls_back(
    typist: Typist,
    project: Callable[..., Path],
    tables: Callable[[], list[str]],
    sleepers: Callable[[], list[int]],
) -> None:
    project(GOOD | SLOW)
    to_the_run(typist)
    eventually(sleepers, bool)
    typist.asked("2 statements in one transaction")

    typist.press("ctrl-c")
    eventually(sleepers, lambda found: not found)

    said = typist.asked("What now?")
    assert "Ctrl-C: the query is cancelled and rolled back." in said
    assert "The run was stopped" in said
    assert "Traceback" not in said
    assert tables() == ["orders", "users"]
    typist.press("ctrl-c")
    assert "applied, and staying: 0001, 0002" in typist.ended(130)


def test_lost_connection_is_told_and_the_ledger_asked_again(
    typist: Typist,
    project: Callable[..., Path],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
    sleepers: Callable[[], list[int]],
) -> None:
    directory = project(GOOD | SLOW)
    to_the_run(typist)
    (pid,) = eventually(sleepers, bool)

    conn.execute("SELECT pg_terminate_backend(%s)", (pid,))

    said = typist.asked("What now?")
    assert "The connection to here is lost" in said
    assert "These were applied before it and stay applied" in said
    assert tables() == ["orders", "users"]
    (directory / "0003_slow.up.sql").write_text("CREATE TABLE slow (id int);\n")
    typist.press("enter")
    to_the_end(typist)
    assert tables() == ["orders", "slow", "users"]


def test_who_holds_a_lock_is_shown(
    typist: Typist, project: Callable[..., Path], conn: psycopg.Connection, dsn: str
) -> None:
    conn.execute("CREATE TABLE old (id int)")
    project(
        {
            "0001_index.up.sql": "-- confiture: transaction=none\n"
            "CREATE INDEX CONCURRENTLY old_id ON old (id);\n"
        }
    )
    with psycopg.connect(dsn, application_name="the night job") as other:
        other.execute("LOCK TABLE old IN ROW EXCLUSIVE MODE")
        to_the_run(typist, last=None)
        said = typist.asked("the night job")
        assert "0001_index: waits for" in said
    to_the_end(typist)


@pytest.fixture
def copy(server: Server, dsn: str, folder: Folder, shop: Shop) -> Iterator[str]:
    """The DSN of a database that is not there yet, and a project about it and the shop."""
    name = f"{conninfo_to_dict(dsn)['dbname']}_copy"
    where = make_conninfo(server.dsn, dbname=name)
    (folder.path / "confiture.toml").write_text(
        f"[targets.shop]\ndsn = {json.dumps(shop.production)}\n"
        f"[targets.copy]\ndsn = {json.dumps(where)}\n"
        '[anonymization]\nsecret = "a secret that is long enough for all keys"\n'
    )
    yield where
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        admin.execute(drop.format(sql.Identifier(name)))


def test_answers_copy_and_migrate_without_a_person(
    typist: Typist, folder: Folder, copy: str, write: Callable[..., Path]
) -> None:
    write({"0001_tags.up.sql": "CREATE TABLE tags (id int);\n"})
    (folder.path / "answers.toml").write_text(
        '[database]\npath = "migrate-and-copy"\nsource = "shop"\ntarget = "copy"\n'
        '[environment]\nrules = "keep"\n'
        '[tables]\ntables = ["public.customers"]\n'
    )

    typist.run("confiture-flows wizard --plain --answers answers.toml --yes")
    said = typist.asked("[exit 0]", 60)

    assert "shop was copied to copy" in said
    assert "1 migration applied" in said
    assert "Leak proof (full): passed." in said
    with psycopg.connect(copy) as conn:
        assert conn.execute("SELECT count(*) FROM customers").fetchone() == (300,)
        assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM tags").fetchone() == (0,)
    plan = read_plan_file(folder.path / "wizard-plan.toml")
    assert (plan.path, plan.anonymization.tables) == ("migrate-and-copy", ("public.customers",))

    # What is given beside the file wins, and is told.
    typist.run("confiture-flows anonymize --plan-file wizard-plan.toml --into files --dry-run")
    said = typist.asked("[exit 0]", 60)
    assert "--into files is given here, and not copy as the plan says." in said
    assert "Anonymized copy of shop to files" in said


def test_answer_not_to_replace_says_what_to_change(
    typist: Typist, folder: Folder, shop: Shop, conn: psycopg.Connection, dsn: str
) -> None:
    conn.execute("CREATE TABLE precious (id int)")
    (folder.path / "confiture.toml").write_text(
        f"[targets.shop]\ndsn = {json.dumps(shop.production)}\n"
        f"[targets.here]\ndsn = {json.dumps(dsn)}\n"
    )
    (folder.path / "answers.toml").write_text(
        '[database]\npath = "copy"\nsource = "shop"\ntarget = "here"\n[review]\nreplace = false\n'
    )

    typist.run("confiture-flows wizard --plain --answers answers.toml --yes")

    said = typist.asked("[exit 2]", 60)
    assert "here is not replaced, so nothing was copied." in said
    assert "replace = true in [review]" in said.replace("\n", " ")


def test_copy_is_stopped_and_loses_its_connections(
    typist: Typist, shop: Shop, copy: str, server: Server
) -> None:
    typist.wizard("--plain")
    typist.answers("What do you want to do?", "down", "enter")
    typist.answers("Which database is copied?", "enter")
    typist.answers("Which database becomes the copy?", "enter")
    typist.answers("For this run:", "enter")
    typist.answers("Whose rows are copied?", "enter")
    typist.answers("These rules:", "enter")
    typist.answers("Write the rules into", "enter")
    typist.asked("to copy now?")

    with (
        psycopg.connect(shop.production, autocommit=True) as conn,
        psycopg.connect(shop.production) as holder,
    ):

        def waiting() -> list[int]:
            rows = conn.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
                "wait_event_type = 'Lock'"
            )
            return [row[0] for row in rows]

        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        typist.press("down", "enter")
        eventually(waiting, bool)
        typist.press("ctrl-c")
        said = typist.asked("What now?")
        assert "Ctrl-C: the query is cancelled" in said
        assert "What was loaded is dropped" in said
        assert waiting() == []

        typist.press("enter")
        (pid,) = eventually(waiting, bool)
        conn.execute("SELECT pg_terminate_backend(%s)", (pid,))
        typist.asked("The target is as it was before.")
        typist.asked("Leave it, and resume later")
        holder.rollback()
    typist.press("enter")
    typist.answers("Save what was chosen", "enter")
    assert "Leak proof (full): passed." in typist.ended(0)
