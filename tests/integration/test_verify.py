"""Verify scripts are asked after the fact; they cannot change anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.verify import verify
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.target import Target, connect
from tests.support import eventually


@pytest.fixture
def check(target: Target, write: Callable[..., Path]) -> Callable[..., tuple[Finding, ...]]:
    """Run a verify script against the test's database."""

    def run(sql: str) -> tuple[Finding, ...]:
        directory = write({"0001_users.up.sql": "", "0001_users.verify.sql": sql})
        with connect(target, "test") as conn:
            return verify(conn, discover(directory).migrations)

    return run


PASSING = {
    "true": "SELECT true;",
    "one": "SELECT 1;",
    "text": "SELECT 'yes', false;",
    "several": "SELECT true; SELECT 1 = 1;",
    "first row counts": "SELECT * FROM (VALUES (true), (false)) AS v (ok);",
    "a block that raises nothing": "DO $$ BEGIN PERFORM 1; END $$;",
    "settings first": "SET LOCAL search_path = pg_catalog; SELECT true;",
    "own transaction": "BEGIN; SELECT true; COMMIT;",
    "empty": "",
    "comment only": "-- nothing to check\n",
    "with query": "WITH x AS (SELECT true AS ok) SELECT ok FROM x;",
    "percent sign": "SELECT 'a%s' LIKE 'a\\%%';",
}


@pytest.mark.parametrize("sql", PASSING.values(), ids=PASSING)
def test_script_that_holds_gives_no_finding(
    check: Callable[..., tuple[Finding, ...]], sql: str
) -> None:
    assert check(sql) == ()


FAILING = {
    "false": ("SELECT false;", "gives False", 1),
    "null": ("-- why\nSELECT NULL::boolean;", "gives None", 2),
    "zero": ("SELECT count(*) FROM pg_class WHERE false;", "gives 0", 1),
    "no row": ("SELECT 1 WHERE false;", "gives no row", 1),
    "error": ("SELECT true;\nSELECT nothing;", 'column "nothing" does not exist', 2),
    "runtime error": ("SELECT 1 / 0;", "division by zero", 1),
    "raised": ("DO $$ BEGIN RAISE EXCEPTION 'too few'; END $$;", "too few", 1),
    "a write": ("CREATE TABLE mine (id int);", "read-only transaction", 1),
    "an insert": ("INSERT INTO known VALUES (2); SELECT true;", "read-only transaction", 1),
    "a way out of read-only": (
        "SET transaction_read_only = off;\nINSERT INTO known VALUES (2);",
        "read-write mode",
        1,
    ),
    "what no transaction holds": ("VACUUM;", "VACUUM cannot run inside", 1),
    "not SQL": ("SELECT true;\nSELEC true;", "syntax error", 2),
    "NUL byte": ("SELECT true;\n\0", "NUL byte", 2),
    "rows from the client": ("COPY known FROM stdin;", "COPY", 1),
}


@pytest.mark.parametrize(("sql", "said", "line"), FAILING.values(), ids=FAILING)
def test_script_that_does_not_hold_is_a_finding(
    check: Callable[..., tuple[Finding, ...]],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
    sql: str,
    said: str,
    line: int,
) -> None:
    conn.execute("CREATE TABLE known (id int); INSERT INTO known VALUES (1)")

    finding = check(sql)[0]

    assert finding.code == "verify.failed"
    assert finding.severity is Severity.ERROR
    assert "0001_users does not verify" in finding.message
    assert said in finding.message
    assert finding.version == "0001"
    assert finding.location is not None
    assert (finding.location.file.name, finding.location.line) == ("0001_users.verify.sql", line)
    assert tables() == ["known"]
    assert conn.execute("SELECT id FROM known").fetchall() == [(1,)]


def test_each_failing_check_is_a_finding_of_its_own(
    check: Callable[..., tuple[Finding, ...]],
) -> None:
    findings = check("SELECT false;\nSELECT nothing;\nSELECT true;\nSELECT NULL;\n")

    assert [f.location.line for f in findings if f.location] == [1, 2, 4]


def test_sequence_and_lock_of_a_check_do_not_stay(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE known (id int)")

    assert check("SELECT count(*) = 0 FROM known;") == ()

    conn.execute("SET lock_timeout = '50ms'; DROP TABLE known")


def test_invalid_index_is_found(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE known (id int); INSERT INTO known VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute('CREATE UNIQUE INDEX CONCURRENTLY "Known Once" ON known (id)')

    (finding,) = check("")

    assert finding.code == "catalog.invalid_index"
    assert finding.severity is Severity.WARNING
    assert finding.next_step is not None
    # Ready to type: the statement does what it says.
    conn.execute(finding.next_step.partition(";")[0].encode())
    assert check("") == ()


def test_constraint_that_was_never_validated_is_found(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE known (id int)")
    conn.execute("ALTER TABLE known ADD CONSTRAINT positive CHECK (id > 0) NOT VALID")

    (finding,) = check("")

    assert finding.code == "catalog.not_validated"
    assert finding.severity is Severity.INFO
    assert "known.positive" in finding.message

    conn.execute("ALTER TABLE known VALIDATE CONSTRAINT positive")
    assert check("") == ()


def test_what_reindex_leaves_is_told_from_a_failed_build(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE known (id int); INSERT INTO known VALUES (1), (1)")
    for name, said in {
        "known_idx_ccnew": "REINDEX again",
        "known_idx_ccold1": "replacement is in place",
    }.items():
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON known (id)".encode())

        (finding,) = check("")

        assert "REINDEX CONCURRENTLY" in finding.message
        assert finding.next_step is not None
        assert said in finding.next_step
        conn.execute(finding.next_step.partition(";")[0].encode())
        assert check("") == ()


def test_index_that_partitions_lack_is_found(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    conn.execute(
        "CREATE TABLE parted (id int) PARTITION BY RANGE (id);"
        " CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (10);"
        " CREATE INDEX whole ON ONLY parted (id)"
    )

    (finding,) = check("")

    assert finding.message == (
        "Index public.whole is invalid: not every partition has its part of it."
    )
    conn.execute("CREATE INDEX part ON part1 (id); ALTER INDEX whole ATTACH PARTITION part")
    assert check("") == ()


def test_index_that_is_being_built_is_not_to_be_dropped(
    check: Callable[..., tuple[Finding, ...]],
    conn: psycopg.Connection,
    dsn: str,
) -> None:
    conn.execute("CREATE TABLE known (id int)")
    with psycopg.connect(dsn, autocommit=True) as reader, psycopg.connect(dsn) as builder:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT FROM known")
        builder.autocommit = True
        # It waits for the reader's old snapshot.
        thread = Thread(
            target=builder.execute, args=("CREATE INDEX CONCURRENTLY slow ON known (id)",)
        )
        thread.start()
        (finding,) = eventually(lambda: check(""), lambda found: bool(found))
        reader.execute("COMMIT")
        thread.join()

    assert finding.severity is Severity.INFO
    assert "is being built by another session" in finding.message
    assert "DROP" not in (finding.next_step or "")
    assert check("") == ()


def test_constraint_of_a_domain_that_was_never_validated_is_found(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE DOMAIN age AS int")
    conn.execute("ALTER DOMAIN age ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID")

    (finding,) = check("")

    assert finding.code == "catalog.not_validated"
    assert finding.next_step is not None
    conn.execute(finding.next_step.partition(";")[0].encode())
    assert check("") == ()


def test_triggers_that_are_switched_off_are_found(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    """What a migration that stopped half way may leave; a foreign key needs its triggers."""
    conn.execute(
        "CREATE TABLE known (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES known);"
        " CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER own BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f();"
        " ALTER TABLE child DISABLE TRIGGER ALL"
    )

    findings = {finding.code: finding for finding in check("")}

    assert set(findings) == {"catalog.constraint_disabled", "catalog.trigger_disabled"}
    disabled = findings["catalog.constraint_disabled"]
    assert disabled.severity is Severity.WARNING
    assert findings["catalog.trigger_disabled"].severity is Severity.INFO
    assert disabled.next_step is not None
    conn.execute(disabled.next_step.partition(";")[0].encode())
    assert check("") == ()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT mail::int FROM people",
        "SELECT ('12024-01-01'::timestamp + mail::interval) FROM spans",
        "SELECT CASE WHEN mail = 'x' THEN true END FROM people",
        "SELECT nullif(mail, mail) FROM people",
        "SELECT born FROM people",
    ],
)
def test_values_of_rows_are_not_in_the_finding(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection, sql: str
) -> None:
    conn.execute(
        "CREATE TABLE people (mail text, born timestamptz);"
        " INSERT INTO people VALUES ('ada\"s@shop.example', '12815-12-10');"
        " CREATE TABLE spans (mail text); INSERT INTO spans VALUES ('1 day')"
    )

    (finding,) = check(sql)

    for value in ("ada", "12815", "12024"):
        assert value not in finding.message


def test_healthy_partitioned_table_has_no_finding(
    check: Callable[..., tuple[Finding, ...]], conn: psycopg.Connection
) -> None:
    conn.execute(
        "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);"
        " CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (10)"
    )
    assert check("") == ()
