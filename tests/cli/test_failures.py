"""What goes wrong gives one clear error: what is true, where, what next, and an exit code."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.migrations.lock import lock_key
from confiture_flows.postgres import Server, provide_server

from .conftest import PASSWORD, Result, Runner

USERS = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);\n",
    "0001_users.down.sql": "DROP TABLE users;\n",
}
PLAIN = ("migrate", "--plain")
QUICK = "lock_timeout_ms = 50\nlock_patience = 0.3\nbusy_patience = 0.3\n"


class Scene:
    """The test's folder and database, and ways to spoil them."""

    def __init__(
        self,
        run: Runner,
        write: Callable[..., Path],
        configure: Callable[[str], Path],
        conn: psycopg.Connection,
        dsn: str,
        new_role: Callable[[], str],
        request: pytest.FixtureRequest,
    ) -> None:
        self.run, self.write, self.configure = run, write, configure
        self.conn, self.dsn, self.new_role, self.request = conn, dsn, new_role, request
        self.directory = write({})

    def applied(self, files: dict[str, str]) -> None:
        """Write migrations and apply them."""
        self.write(files)
        done = self.run.program(*PLAIN, dsn=self.dsn)
        assert done.code == 0, done.said

    def target(self, dsn: str | None = None, more: str = "") -> None:
        """Make the DSN the configuration's only target."""
        chosen = (dsn or self.dsn).replace("\\", "\\\\").replace('"', '\\"')
        self.configure(f'[targets.shop]\ndsn = "{chosen}"\n{more}')
        self.dsn = ""


@pytest.fixture
def scene(
    run: Runner,
    write: Callable[..., Path],
    configure: Callable[[str], Path],
    conn: psycopg.Connection,
    secret_dsn: str,
    new_role: Callable[[], str],
    request: pytest.FixtureRequest,
) -> Scene:
    return Scene(run, write, configure, conn, secret_dsn, new_role, request)


@pytest.fixture(scope="session")
def tcp_server() -> Iterator[Server]:
    """A server that asks for a password."""
    try:
        with provide_server(tcp=True, settings={"fsync": "off"}) as server:
            yield server
    except EmbeddedServerError as error:
        pytest.skip(str(error))


@pytest.fixture
def other(dsn: str) -> Iterator[psycopg.Connection]:
    """Another session, for what stands in the way."""
    with psycopg.connect(dsn) as connection:
        yield connection
        connection.rollback()


def statement_error(scene: Scene) -> None:
    scene.write(USERS | {"0002_orders.up.sql": "SELECT 1;\n\nSELECT nothing;\n"})


def division(scene: Scene) -> None:
    scene.write(USERS | {"0002_orders.up.sql": "SELECT 1;\nSELECT 1 / 0;\n"})


def busy_table(scene: Scene) -> None:
    scene.applied(USERS)
    scene.write({"0002_name.up.sql": "ALTER TABLE users ADD COLUMN name text;\n"})
    scene.request.getfixturevalue("other").execute("SELECT * FROM users")
    scene.target(more=QUICK)


def other_run(scene: Scene) -> None:
    scene.write(USERS)
    key = lock_key(scene.conn.info.dbname)
    other = scene.request.getfixturevalue("other")
    other.execute("SET application_name = 'release train'")
    other.execute("SELECT pg_advisory_lock(1751936052, %s)", (key,))
    scene.target(more=QUICK)


def wrong_password(scene: Scene) -> None:
    scene.write(USERS)
    server: Server = scene.request.getfixturevalue("tcp_server")
    scene.dsn = make_conninfo(server.dsn, password=PASSWORD)


def unreachable(scene: Scene) -> None:
    scene.write(USERS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scene.dsn = f"postgresql://ann:{PASSWORD}@127.0.0.1:{port}/shop"


def unknown_host(scene: Scene) -> None:
    scene.write(USERS)
    scene.dsn = f"postgresql://ann:{PASSWORD}@db.invalid/shop"


def unknown_database(scene: Scene) -> None:
    scene.write(USERS)
    scene.dsn = make_conninfo(scene.dsn, dbname="nowhere")


def read_only(scene: Scene) -> None:
    scene.write(USERS)
    scene.conn.execute(
        sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
            sql.Identifier(scene.conn.info.dbname)
        )
    )


def may_not_create(scene: Scene) -> None:
    scene.write(USERS)
    scene.conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    scene.dsn = scene.new_role()


def may_not_alter(scene: Scene) -> None:
    scene.conn.execute("GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE TABLE users (id int)")
    scene.write({"0001_name.up.sql": "ALTER TABLE users ADD COLUMN name text;\n"})
    scene.dsn = scene.new_role()


def edited(scene: Scene) -> None:
    scene.applied(USERS)
    scene.write({"0001_users.up.sql": "CREATE TABLE users (id bigint);\n"})


def deleted(scene: Scene) -> None:
    scene.applied(USERS | {"0002_orders.up.sql": "SELECT 1;"})
    (scene.directory / "0002_orders.up.sql").unlink()


def duplicate(scene: Scene) -> None:
    scene.write(USERS | {"0001_orders.up.sql": "SELECT 1;"})


def out_of_order(scene: Scene) -> None:
    scene.applied({"0002_orders.up.sql": "SELECT 1;"})
    scene.write(USERS)
    scene.target(more="production = true\n")


def empty(scene: Scene) -> None:
    """The scene begins so."""


def no_directory(scene: Scene) -> None:
    scene.directory.rmdir()


def unknown_files(scene: Scene) -> None:
    scene.write({"notes.txt": "buy milk", "schema.rb": "# ruby"})


def users(scene: Scene) -> None:
    scene.write(USERS)


def nul_byte(scene: Scene) -> None:
    scene.write({"0001_users.up.sql": b"SELECT 1;\nSELECT '\0';\n"})


def latin_1(scene: Scene) -> None:
    scene.write({"0001_users.up.sql": "SELECT 1;\n-- caf\xe9\n".encode("latin-1")})


def not_sql(scene: Scene) -> None:
    scene.write({"0001_users.up.sql": "SELECT 1;\nSELEC 2;\n"})


def psql_command(scene: Scene) -> None:
    scene.write({"0001_users.up.sql": "SELECT 1;\n\\set ON_ERROR_STOP on\n"})


def commit_inside(scene: Scene) -> None:
    scene.write({"0001_users.up.sql": "SELECT 1;\nCOMMIT;\nSELECT 2;\n"})


def committing_block(scene: Scene) -> None:
    scene.write({"0001_users.up.sql": "SELECT 1;\nDO $$ BEGIN COMMIT; END $$;\n"})


def misspelt_marker(scene: Scene) -> None:
    scene.write({"0001_users.up.sql": "-- confiture: transaction=non\nSELECT 1;\n"})


def half_way(scene: Scene) -> None:
    text = "-- confiture: transaction=none\nCREATE TABLE users (id int);\nSELECT 1 / 0;\n"
    scene.write({"0001_users.up.sql": text})


def failed_check(scene: Scene) -> None:
    scene.write(USERS | {"0001_users.verify.sql": "SELECT count(*) = 7 FROM users;\n"})


def no_target(scene: Scene) -> None:
    scene.write(USERS)
    scene.dsn = ""


def two_targets(scene: Scene) -> None:
    scene.write(USERS)
    scene.configure('[targets.prod]\ndsn = "dbname=a"\n[targets.staging]\ndsn = "dbname=b"\n')
    scene.dsn = ""


def one_target(scene: Scene) -> None:
    scene.write(USERS)
    scene.target()


def broken_dsn(scene: Scene) -> None:
    scene.write(USERS)
    scene.dsn = f"postgresql://ann:{PASSWORD}@/@host:x/shop"


def both_applied(scene: Scene) -> None:
    scene.applied(USERS | {"0002_orders.up.sql": "SELECT 1;"})


def irreversible(scene: Scene) -> None:
    scene.applied(USERS | {"0002_orders.up.sql": "SELECT 1;"})


def unset_variable(scene: Scene) -> None:
    scene.write(USERS)
    scene.target("host=/nowhere password=${SHOP_PASSWORD}")


def broken_toml(scene: Scene) -> None:
    scene.write(USERS)
    scene.configure(f'[targets.shop\ndsn = "{PASSWORD}"\n')


def unknown_key(scene: Scene) -> None:
    scene.write(USERS)
    scene.target(more="lock_timeout = 5\n")


def no_ledger(scene: Scene) -> None:
    scene.write(USERS)
    scene.conn.execute("CREATE TABLE tb_confiture (id int)")


def ledger_elsewhere(scene: Scene) -> None:
    scene.write(USERS)
    scene.target(more='ledger = "ops.history"\n')


@dataclass(frozen=True)
class Case:
    """A way to fail.

    Attributes:
        prepare: Brings it about.
        exit_code: Of the program.
        code: In the JSON error.
        said: What the message says.
        next_step: What the next step says.
        place: File and line, from the migrations' folder, if it has one.
        arguments: Of the program.
        sqlstate: Of the JSON error.
        undo: SQL between two runs, where the first changes what the second sees.
    """

    prepare: Callable[[Scene], None]
    exit_code: int
    code: str
    said: str
    next_step: str
    place: str | None = None
    arguments: tuple[str, ...] = field(default=PLAIN)
    sqlstate: str | None = None
    undo: str = ""


CASES = {
    "statement error": Case(
        statement_error, 1, "apply", 'column "nothing" does not exist', "run again",
        "0002_orders.up.sql:3", sqlstate="42703",
    ),
    "runtime error": Case(
        division, 1, "apply", "division by zero", "run again", "0002_orders.up.sql:2",
        sqlstate="22012",
    ),
    "lock timeout": Case(
        busy_table, 6, "lock_timeout", "busy table", "at a quieter time", "0002_name.up.sql:1",
        sqlstate="55P03", undo="SELECT 'one after the other'",
    ),
    "another run": Case(
        other_run, 6, "lock_timeout", "Another run works on this database", "lock_patience"
    ),
    "wrong password": Case(
        wrong_password, 3, "target_refused", "password authentication failed", "password"
    ),
    "unreachable server": Case(
        unreachable, 3, "target_unreachable", "Nothing answers at shop@127.0.0.1", "port"
    ),
    "unknown host": Case(unknown_host, 3, "target_unreachable", "at shop@db.invalid", "Check host"),
    "unknown database": Case(
        unknown_database, 3, "target_refused", '"nowhere" does not exist', "database name"
    ),
    "read-only target": Case(
        read_only, 3, "target_refused", "is read-only", "primary", sqlstate="25006"
    ),
    "missing privilege on the schema": Case(
        may_not_create, 3, "target_refused", "may not create the ledger", "GRANT CREATE ON SCHEMA",
        sqlstate="42501",
    ),
    "missing privilege on a table": Case(
        may_not_alter, 1, "apply", "must be owner of table users", "the right it lacks",
        "0001_name.up.sql:1", sqlstate="42501",
    ),
    "edited file": Case(
        edited, 5, "history", "0001_users was edited", "Put the file back", "0001_users.up.sql"
    ),
    "deleted file": Case(deleted, 5, "history", "not on disk: 0002", "git"),
    "duplicate version": Case(
        duplicate, 5, "history", "0001 stands twice", "version of its own", "0001_users.up.sql"
    ),
    "out of order in production": Case(
        out_of_order, 5, "history", "0001_users is pending although", "after the last",
        "0001_users.up.sql",
    ),
    "empty directory": Case(empty, 2, "config", "no migrations", "confiture-flows new"),
    "no directory": Case(no_directory, 2, "config", "no directory", "--dir"),
    "unknown layout": Case(unknown_files, 2, "config", "No layout fits", "prisma"),
    "layout nobody knows": Case(
        users, 2, "config", "no layout 'rails'", "pairs", arguments=(*PLAIN, "--layout", "rails")
    ),
    "NUL byte": Case(nul_byte, 4, "gate", "NUL byte", "Remove the byte", "0001_users.up.sql:2"),
    "latin-1 text": Case(latin_1, 4, "gate", "not UTF-8", "iconv", "0001_users.up.sql:2"),
    "not SQL": Case(not_sql, 4, "gate", "syntax error", "that line", "0001_users.up.sql:2"),
    "psql command": Case(psql_command, 4, "gate", "\\set", "psql", "0001_users.up.sql:2"),
    "COMMIT in the middle": Case(
        commit_inside, 4, "gate", "could not be rolled back", "transaction=as-written",
        "0001_users.up.sql:2",
    ),
    "COMMIT in a block": Case(
        committing_block, 1, "apply", "invalid transaction termination", "transaction=as-written",
        "0001_users.up.sql:2", sqlstate="2D000",
    ),
    "misspelt marker": Case(
        misspelt_marker, 4, "gate", "Unknown marker", "transaction=none", "0001_users.up.sql:1"
    ),
    "half way": Case(
        half_way, 9, "apply_partial", "stopped half way", "goes on where it stopped",
        "0001_users.up.sql:3",
        sqlstate="22012", undo="DROP TABLE users",
    ),
    "failed check": Case(
        failed_check, 4, "gate", "0001_users does not verify", "the migration itself is applied",
        "0001_users.verify.sql:1", undo="DROP TABLE users; DELETE FROM tb_confiture",
    ),
    "no target": Case(no_target, 2, "config", "No target", "--dsn"),
    "which target": Case(two_targets, 2, "config", "prod, staging", "--target"),
    "target and DSN": Case(
        one_target, 2, "config", "Both", "Leave one of them out",
        arguments=(*PLAIN, "--target", "shop", "--dsn", f"postgresql://ann:{PASSWORD}@h/d"),
    ),
    "broken DSN": Case(broken_dsn, 2, "config", "cannot be read", "percent-encode"),
    "unknown version": Case(
        users, 2, "plan", "no migration 0009", "status", arguments=(*PLAIN, "--to", "0009")
    ),
    "wrong direction": Case(
        both_applied, 2, "plan", "0001 is already applied", "rollback --to 0001",
        arguments=(*PLAIN, "--to", "0001"),
    ),
    "way back to what is not applied": Case(
        users, 2, "plan", "0001 is not applied", "status",
        arguments=("rollback", "--plain", "--to", "0001"),
    ),
    "irreversible": Case(
        irreversible, 7, "irreversible", "0002_orders has no down script", "Write one",
        "0002_orders.up.sql", arguments=("rollback", "--plain"),
    ),
    "unset variable": Case(unset_variable, 2, "config", "SHOP_PASSWORD is not set", "export"),
    "broken TOML": Case(broken_toml, 2, "config", "not TOML", ""),
    "unknown key": Case(unknown_key, 2, "config", "targets.shop.lock_timeout", "configuration"),
    "table that is no ledger": Case(
        no_ledger, 1, "ledger", "tb_confiture is not a ledger", "`ledger`", sqlstate="42703"
    ),
    "schema of the ledger": Case(
        ledger_elsewhere, 1, "ledger", "schema ops does not exist", "CREATE SCHEMA",
        sqlstate="3F000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_failure_is_told(scene: Scene, secret: str, case: Case) -> None:
    case.prepare(scene)

    if case.undo:
        person = scene.run(*case.arguments, dsn=scene.dsn)
        scene.conn.execute(case.undo.encode())
        program = scene.run.program(*case.arguments, dsn=scene.dsn)
    else:
        person, program = scene.run.both(*case.arguments, dsn=scene.dsn)

    check_person(person, case)
    check_program(program, case)
    for hidden in (secret, PASSWORD):
        assert hidden not in person.said + program.said


def check_person(result: Result, case: Case) -> None:
    assert result.code == case.exit_code, result.said
    assert case.said in result.said
    assert case.next_step in result.said
    if case.place:
        assert f"migrations/{case.place}" in result.said
    assert result.said.count(case.said) == 1, "said twice"
    assert "Traceback" not in result.said


def check_program(result: Result, case: Case) -> None:
    value = result.json()
    error = value["error"]
    assert (result.code, value["ok"], error["code"]) == (case.exit_code, False, case.code)
    assert value["command"] == case.arguments[0]
    assert case.said in error["message"]
    assert case.next_step in (error["next_step"] or "")
    if case.place:
        name, _, line = case.place.partition(":")
        assert error["file"].endswith(f"migrations/{name}")
        assert error["line"] == (int(line) if line else None)
    assert error["sqlstate"] == case.sqlstate
    assert result.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("migrate", "--nonsense"), "--nonsense"),
        (("migrate", "--granularity", "file"), "granularity"),
        (("new",), "TITLE"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_usage_is_told(run: Runner, arguments: tuple[str, ...], said: str) -> None:
    person, program = run.both(*arguments)

    assert person.code == program.code == 2
    assert said in person.err
    assert person.out == ""
    value = program.json()
    assert (value["ok"], value["error"]["code"]) == (False, "config")
    assert said in value["error"]["message"]
    assert "--help" in value["error"]["next_step"]
    assert "Traceback" not in person.said + program.said


def test_plain_and_granularity_exclude_one_another(run: Runner) -> None:
    result = run("migrate", "--plain", "--granularity", "migration", "--json")

    assert result.code == 2
    assert result.json()["error"]["code"] == "config"


def test_failed_run_says_what_stays_and_what_is_left_to_do(
    scene: Scene, tables: Callable[[], list[str]]
) -> None:
    statement_error(scene)
    scene.write({"0003_items.up.sql": "CREATE TABLE items (id int);"})

    result = scene.run(*PLAIN, dsn=scene.dsn)

    assert "1 migration applied before" in result.out
    assert "0001" in result.out
    assert "Still to do: 0002, 0003." in result.out
    assert tables() == ["users"]


def test_password_of_the_environment_is_not_shown(
    run: Runner, write: Callable[..., Path], request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue("tcp_server")
    parts = conninfo_to_dict(server.dsn)
    write(USERS)

    result = run("status", dsn=make_conninfo("", **parts | {"password": None}), PGPASSWORD=PASSWORD)

    assert result.code == 3
    assert PASSWORD not in result.said
