"""A database is compared with what its history makes; each drift is found, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import RunCancelledError
from confiture_flows.migrations.baseline import baseline
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.replay import Replay, replay
from confiture_flows.migrations.verification import replay_findings
from confiture_flows.postgres import Server
from confiture_flows.postgres.scratch import PREFIX
from confiture_flows.report.finding import Severity
from confiture_flows.target import connect

from .conftest import Engine, Role

SHOP = {
    "0001_users.up.sql": """
        CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text UNIQUE);
        CREATE INDEX users_id_mail ON users (id, mail);
        CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
    """,
    "0001_users.down.sql": "DROP FUNCTION one; DROP TABLE users;",
    "0002_age.up.sql": "ALTER TABLE users ADD age int DEFAULT 1;\nCREATE VIEW old AS TABLE users;",
    "0002_age.down.sql": "DROP VIEW old; ALTER TABLE users DROP age;",
}

Check = Callable[..., Replay]


@pytest.fixture
def check(engine: Engine, server: Server) -> Check:
    """Replay on the test's own server, which costs less than to start one."""

    def run(directory: Path, scratch: str | None = server.dsn, **options: object) -> Replay:
        with connect(engine.target, "test") as conn:
            return replay(
                conn,
                discover(directory).migrations,
                ledger=engine.target.ledger,
                limits=engine.target.limits,
                scratch=scratch,
                **options,  # pyright: ignore[reportArgumentType]
            )

    return run


@pytest.fixture
def shop(engine: Engine, write: Callable[..., Path]) -> Path:
    directory = write(SHOP)
    engine.migrate(directory)
    return directory


@pytest.fixture
def scratches(server: Server) -> Iterator[Callable[[], set[str]]]:
    """The scratch databases on the server that were not there before."""

    def read() -> set[str]:
        query = f"SELECT datname FROM pg_database WHERE datname ^@ '{PREFIX}'"
        with psycopg.connect(server.dsn) as admin:
            return {name for (name,) in admin.execute(query.encode())}

    before = read()
    yield lambda: read() - before
    assert read() - before == set()


def told(found: Replay) -> list[tuple[str, str, str]]:
    assert found.unknown is None, found.unknown
    return [(change.action, change.kind, change.name) for change in found.changes]


@pytest.mark.usefixtures("scratches")
def test_database_that_only_migrations_have_changed_has_no_difference(
    check: Check, shop: Path
) -> None:
    found = check(shop)

    assert (found.migrations, told(found)) == (2, [])
    assert replay_findings(found) == ()


DRIFT = {
    "column": ("ALTER TABLE users ADD nick text", ("added", "column", "public.users.nick")),
    "table with all that is in it": (
        """CREATE TABLE mine (id serial PRIMARY KEY, n int REFERENCES mine CHECK (n > 0));
        COMMENT ON COLUMN mine.n IS 'parent'; GRANT SELECT ON mine TO public""",
        ("added", "table", "public.mine"),
    ),
    "dropped index": ("DROP INDEX users_id_mail", ("removed", "index", "public.users_id_mail")),
    "dropped constraint": (
        "ALTER TABLE users DROP CONSTRAINT users_mail_key",
        ("removed", "constraint", "public.users.users_mail_key"),
    ),
    "default": (
        "ALTER TABLE users ALTER age SET DEFAULT 2",
        ("altered", "column", "public.users.age"),
    ),
    "function body": (
        "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        ("altered", "function", "public.one()"),
    ),
    "grant": (
        "GRANT SELECT ON users TO public",
        ("added", "grant", "table public.users to public"),
    ),
    "grant on a column": (
        "GRANT SELECT (mail) ON users TO public",
        ("added", "grant", "table column public.users.mail to public"),
    ),
    "revoked right": (
        "REVOKE EXECUTE ON FUNCTION one() FROM public",
        ("added", "revoke", "function public.one() from public"),
    ),
    "comment": (
        "COMMENT ON TABLE users IS 'people'",
        ("added", "comment", "table public.users"),
    ),
    "foreign key that is switched off": (
        "CREATE TABLE a (id bigint REFERENCES users); ALTER TABLE a DISABLE TRIGGER ALL",
        ("added", "table", "public.a"),
    ),
}


@pytest.mark.parametrize(("sql", "expected"), DRIFT.values(), ids=DRIFT)
def test_drift_is_found_exactly(
    check: Check, shop: Path, conn: psycopg.Connection, sql: str, expected: tuple[str, str, str]
) -> None:
    conn.execute(sql.encode())

    found = check(shop)

    assert told(found) == [expected]
    assert [finding.severity for finding in replay_findings(found)] == [Severity.ERROR]


def test_order_of_columns_is_said_but_no_drift(
    check: Check, engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write({"0001_t.up.sql": "CREATE TABLE t (a int, b int);"})
    engine.migrate(directory)
    conn.execute("ALTER TABLE t DROP a; ALTER TABLE t ADD a int")

    found = check(directory)

    assert told(found) == [("reordered", "table", "public.t")]
    (finding,) = replay_findings(found)
    assert (finding.code, finding.severity) == ("replay.column_order", Severity.INFO)


def test_what_stands_beside_the_ledger_is_left_out(
    check: Check, shop: Path, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE tb_confiture_journal (id serial PRIMARY KEY, step int UNIQUE)")
    conn.execute("GRANT SELECT ON tb_confiture TO public; COMMENT ON TABLE tb_confiture IS 'x'")
    assert told(check(shop)) == []

    conn.execute("CREATE TABLE tb_confitures (id int)")
    assert told(check(shop)) == [("added", "table", "public.tb_confitures")]


def test_history_runs_in_the_order_of_the_ledger(
    check: Check, engine: Engine, write: Callable[..., Path]
) -> None:
    """0001 came late, and is about what 0002 had made."""
    engine.migrate(write({"0002_t.up.sql": "CREATE TABLE t (id int);"}))
    directory = write({"0001_late.up.sql": "ALTER TABLE t ADD n int;"})
    engine.migrate(directory)

    assert told(check(directory)) == []


def test_repeatable_migrations_are_replayed_last(
    check: Check, engine: Engine, write: Callable[..., Path]
) -> None:
    """Their rows keep the place of their first run, before what they need by now."""
    view = "CREATE OR REPLACE VIEW all_users AS SELECT {} FROM users;"
    files = {"0001_users.up.sql": "CREATE TABLE users (id int);"}
    engine.migrate(write({**files, "R__view.sql": view.format("id")}))
    engine.migrate(
        directory := write(
            {
                "0002_age.up.sql": "ALTER TABLE users ADD age int;",
                "0003_index.up.sql": "CREATE INDEX CONCURRENTLY ON users (age);",
                "R__view.sql": view.format("id, age"),
            }
        )
    )

    found = check(directory)

    assert (found.unknown, found.changes, found.migrations) == (None, (), 4)


def test_rolled_back_migration_is_not_replayed(check: Check, engine: Engine, shop: Path) -> None:
    engine.rollback(shop)

    found = check(shop)

    assert (found.migrations, told(found)) == (1, [])


def test_search_path_of_the_target_is_that_of_the_replay(
    check: Check, engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE SCHEMA app")
    conn.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', "
        "current_database()); END $$"
    )
    directory = write({"0001_t.up.sql": "CREATE TABLE t (id int);"})
    engine.migrate(directory)
    found = conn.execute("SELECT to_regclass('app.t')::text, to_regclass('app.tb_confiture')")
    assert found.fetchone() == ("app.t", "app.tb_confiture")

    assert told(check(directory)) == []


UNKNOWN = {
    "edited": ({"0001_users.up.sql": "SELECT 1;"}, "0001_users was edited after it was applied."),
    "deleted": ({"0002_age.up.sql": None}, "Migrations applied but not on disk: 0002."),
}


@pytest.mark.parametrize(("files", "said"), UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.usefixtures("scratches")
def test_history_that_is_not_there_any_more_is_unknown(
    check: Check, shop: Path, files: dict[str, str | None], said: str
) -> None:
    for name, text in files.items():
        (shop / name).unlink() if text is None else (shop / name).write_text(text)

    found = check(shop)

    assert (found.unknown, found.changes) == (said, ())
    (finding,) = replay_findings(found)
    assert (finding.code, finding.severity) == ("replay.unknown", Severity.INFO)


def test_squashed_history_is_unknown(check: Check, shop: Path, conn: psycopg.Connection) -> None:
    conn.execute("UPDATE tb_confiture SET archived_into = '0002' WHERE version = '0001'")

    assert "squashed" in (check(shop).unknown or "")


def test_nothing_applied_is_unknown(check: Check, write: Callable[..., Path]) -> None:
    assert "nothing to replay" in (check(write(SHOP)).unknown or "")


@pytest.mark.usefixtures("scratches")
def test_migration_that_needs_what_nobody_made_is_unknown(
    check: Check, engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE by_hand (id int)")
    directory = write({"0001_n.up.sql": "SELECT 1;\nALTER TABLE by_hand ADD n int;"})
    engine.migrate(directory)

    found = check(directory)

    assert 'relation "by_hand" does not exist' in (found.unknown or "")
    assert found.version == "0001"
    assert found.location is not None
    assert found.location.file.name == "0001_n.up.sql"


def test_server_that_does_not_answer_is_unknown(check: Check, shop: Path) -> None:
    found = check(shop, scratch="postgresql://u:hush@127.0.0.1:9/x")

    assert "Nothing answers" in (found.unknown or "")
    assert "hush" not in repr(found)


def test_user_who_may_not_create_databases_is_unknown(
    check: Check, shop: Path, new_role: Callable[[], Role]
) -> None:
    role = new_role()

    found = check(shop, scratch=role.dsn)

    assert f"{role.name} may not create a database" in (found.unknown or "")
    assert "CREATEDB" in (found.next_step or "")


@pytest.mark.parametrize(
    ("sql", "deed"),
    [
        ("CREATE ROLE {name};", "creates a role"),
        ("ALTER ROLE current_user SET work_mem = '4MB';", "alters a role"),
    ],
)
def test_named_server_is_not_changed_as_a_whole(
    check: Check, engine: Engine, write: Callable[..., Path], sql: str, deed: str
) -> None:
    name = "confiture_replay_made_this"
    directory = write({"0001_r.up.sql": f"SELECT 1;\n{sql.format(name=name)}"})
    engine.migrate(directory, "0001")
    with connect(engine.target, "test") as conn:
        conn.execute("ALTER ROLE current_user RESET work_mem")
        conn.execute(f"DROP ROLE IF EXISTS {name}".encode())

        found = check(directory)

        assert f"0001_r {deed} (line 2)" in (found.unknown or "")
        assert "without --scratch" in (found.next_step or "")
        roles = conn.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [name])
        assert roles.fetchone() == (0,)


def test_server_of_its_own_has_the_roles_and_the_history_may_make_them(
    check: Check,
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
) -> None:
    """One role was there before the first migration, the other one is made by it."""
    there, made = new_role().name, f"{conn.info.dbname}_made"
    directory = write(
        {
            "0001_t.up.sql": f"CREATE TABLE t (id int); GRANT SELECT ON t TO {there};",
            "0002_r.up.sql": f"CREATE ROLE {made}; GRANT INSERT ON t TO {made};",
            "0003_d.up.sql": f"""
                ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {there};
                CREATE TABLE later (id int);
                ALTER DATABASE {conn.info.dbname} SET work_mem = '5MB';
            """,
        }
    )
    try:
        engine.migrate(directory)

        found = check(directory, scratch=None)
        if "There is no PostgreSQL" in (found.unknown or ""):
            pytest.skip("this machine has no binaries of the server's version")
        assert told(found) == []

        conn.execute(f"REVOKE SELECT ON later FROM {there}".encode())
        assert told(check(directory, scratch=None)) == [
            ("removed", "grant", f"table public.later to {there}")
        ]
    finally:
        conn.execute(f"DROP OWNED BY {made}; DROP ROLE {made}".encode())


def test_subscription_is_never_replayed(
    check: Check, engine: Engine, write: Callable[..., Path]
) -> None:
    directory = write(
        {
            "0001_s.up.sql": "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p"
            " WITH (connect = false, slot_name = NONE, enabled = false);"
        }
    )
    engine.migrate(directory)
    try:
        for scratch in ({}, {"scratch": None}):
            assert "subscribes to another server" in (check(directory, **scratch).unknown or "")
    finally:
        with connect(engine.target, "test") as conn:
            conn.execute("DROP SUBSCRIPTION s")


def test_target_is_only_read(check: Check, shop: Path, conn: psycopg.Connection) -> None:
    conn.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', "
        "current_database()); END $$"
    )

    assert told(check(shop)) == []


def test_run_that_is_stopped_drops_its_database(
    check: Check, shop: Path, scratches: Callable[[], set[str]]
) -> None:
    seen: list[set[str]] = []

    class Stop(Observer):
        def tick(self) -> None:
            seen.append(scratches())
            raise RunCancelledError

    @contextmanager
    def watch(_conn: psycopg.Connection) -> Iterator[Observer]:
        yield Stop()

    with pytest.raises(RunCancelledError):
        check(shop, watch=watch)

    assert [len(each) for each in seen] == [1]


def test_ledger_that_changes_meanwhile_makes_it_unknown(
    check: Check, shop: Path, conn: psycopg.Connection
) -> None:
    class Meddle(Observer):
        def tick(self) -> None:
            conn.execute("DELETE FROM tb_confiture WHERE version = '0002'")

    @contextmanager
    def watch(_conn: psycopg.Connection) -> Iterator[Observer]:
        yield Meddle()

    assert "changed the ledger meanwhile" in (check(shop, watch=watch).unknown or "")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO PROGRAM 'true';",
        "COPY users TO '/tmp/users.csv';",
        "DO $$ BEGIN PERFORM dblink('far', 'DELETE FROM t'); END $$;",
    ],
)
def test_what_reaches_beyond_the_database_is_not_replayed(
    engine: Engine, write: Callable[..., Path], check: Check, sql: str
) -> None:
    engine.migrate(write({"0001_users.up.sql": SHOP["0001_users.up.sql"]}))
    directory = write({"0002_out.up.sql": sql})
    (_, out) = discover(directory).migrations
    with connect(engine.target, "test") as conn:
        baseline(conn, discover(directory).migrations, [out.version], limits=engine.target.limits)

    found = check(directory)

    assert found.unknown is not None
    assert found.version == "0002"
