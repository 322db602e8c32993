"""`confiture-flows anonymize` as a person and as a program sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.postgres import Server
from tests.cli.conftest import Runner
from tests.cli.test_terminal import Terminal, screen

SECRET = "a secret that nobody may read"
PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE NOT NULL, nickname text, born date);
INSERT INTO people SELECT g, 'original' || g || '@example.org', 'Original ' || g, '1980-01-01'
FROM generate_series(1, 2000) AS g;
ANALYZE
"""
RULES = """
[anonymization.columns]
"public.people.email" = "email"
"public.people.nickname" = "user-name"
"""


@pytest.fixture
def staging(server: Server, dsn: str) -> Iterator[str]:
    """The DSN of a database that is not there yet."""
    name = f"{conninfo_to_dict(dsn)['dbname']}_copy"
    yield make_conninfo(server.dsn, dbname=name)
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        admin.execute(drop.format(sql.Identifier(name)))


@pytest.fixture
def configure(
    tmp_path: Path, dsn: str, staging: str, conn: psycopg.Connection
) -> Callable[..., None]:
    """Write confiture.toml over people to be copied."""
    conn.execute(PEOPLE)

    def write(rules: str = RULES, more: str = "") -> None:
        (tmp_path / "confiture.toml").write_text(
            f"[targets.prod]\ndsn = {json.dumps(dsn)}\n"
            f"[targets.staging]\ndsn = {json.dumps(staging)}\n"
            f"[targets.live]\ndsn = {json.dumps(staging)}\nproduction = true\n"
            f"[anonymization]\nsecret = {json.dumps(SECRET)}\n{more}{rules}"
        )

    write()
    return write


@pytest.fixture
def shown(tmp_path: Path, environment: dict[str, str]) -> Callable[..., str]:
    """What a run of the program writes on a terminal."""

    def read(*arguments: str) -> str:
        started = Terminal([*arguments], tmp_path, environment)
        try:
            return started.read(seconds=60)
        finally:
            started.close()

    return read


def copy(run: Runner, *arguments: str) -> Any:
    return run.program("anonymize", "--from", "prod", "--to", "staging", "--plain", *arguments)


def test_copy_is_anonymized_and_tells_how_it_went(
    run: Runner, configure: Callable[..., None], staging: str
):
    done = copy(run)
    assert done.code == 0
    told = done.json()
    assert told["result"]["rows"] == 2000
    assert [each["code"] for each in told["findings"]] == [
        "personal.no_rule",
        "anonymization.secret_in_file",
    ]
    assert told["target"] == "staging"
    for hidden in ("original", SECRET, staging):
        assert hidden not in done.said
    with psycopg.connect(staging) as target:
        row = target.execute(
            "SELECT count(*), count(*) FILTER (WHERE email LIKE 'original%') FROM people"
        ).fetchone()
    assert row == (2000, 0)


def test_dry_run_shows_originals_on_a_terminal_only(
    run: Runner, configure: Callable[..., None], staging: str, shown: Callable[..., str]
):
    command = ("anonymize", "--from", "prod", "--to", "staging", "--dry-run", "--rows", "2")
    piped, program = run.both(*command)
    assert piped.code == program.code == 0
    said = (piped.said + program.said).lower()
    assert "original1" not in said
    assert "original 1" not in said
    assert "@example.com" in piped.out
    [preview] = program.json()["result"]["previews"]
    assert [each["changed"] for each in preview["columns"]] == [2, 2]

    text = "\n".join(screen(shown(*command)))
    assert "original1@" in text  # a narrow terminal breaks the rest of it
    assert "2 warnings." in text
    assert '"public.people.born" = "date-shift"' in text
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(staging)


def test_bar_is_shown_and_gone_at_the_end(
    configure: Callable[..., None], shown: Callable[..., str]
):
    text = shown("anonymize", "--from", "prod", "--to", "staging", "--plain")
    assert "rows," in text
    lines = [line for line in screen(text) if line]
    assert not any("━" in line for line in lines)
    assert lines[0].startswith("copied public.people: 2,000 rows")
    assert "prod was copied to staging." in lines
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h"), "the cursor stays hidden"


@pytest.mark.parametrize(
    ("rules", "arguments", "code", "told"),
    [
        (RULES + '"public.people.emial" = "email"\n', (), 2, "emial"),
        (RULES, ("--fail-on", "warning"), 4, "public.people.born looks like birth date"),
        (RULES, ("--workers", "0"), 2, "--workers"),
        (RULES, ("--table", "public.people"), 2, "--table"),
        (RULES, ("--into", "files"), 2, "--to"),
        (RULES, ("--in-place", "--replace"), 2, "--in-place"),
    ],
)
def test_what_stops_a_copy_has_its_exit_code(
    run: Runner,
    configure: Callable[..., None],
    staging: str,
    rules: str,
    arguments: tuple[str, ...],
    code: int,
    told: str,
):
    configure(rules)
    done = copy(run, *arguments)
    assert done.code == code
    assert told in done.json()["error"]["message"]
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(staging)


def test_targets_that_no_copy_may_replace(run: Runner, configure: Callable[..., None], dsn: str):
    for target, said in (("live", "production"), ("prod", "one database")):
        done = run.program("anonymize", "--from", "prod", "--to", target, "--plain")
        assert (done.code, said in done.json()["error"]["message"]) == (2, True)
    by_prefect = run.program("anonymize", "--from", "prod", "--to", "prod")
    assert (by_prefect.code, "one database" in by_prefect.said) == (2, True)
    done = run.program("anonymize", "--from", "nobody", "--to", "staging", "--plain")
    assert done.code == 2
    configure(more="default = 'deny'\n")
    denied = copy(run)
    assert denied.code == 4
    assert '"public.people.id" = "keep"' in denied.json()["error"]["next_step"]


def test_database_that_no_copy_has_made_is_replaced_only_when_told(
    run: Runner, configure: Callable[..., None], staging: str, server: Server
):
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        name = str(conninfo_to_dict(staging)["dbname"])
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with psycopg.connect(staging) as foreign:
        foreign.execute("CREATE TABLE precious (id int)")
    refused = copy(run)
    assert refused.code == 1
    assert refused.json()["error"]["code"] == "copy"
    person = run("anonymize", "--from", "prod", "--to", "staging", "--plain")
    assert person.err.rstrip().endswith("--replace.")
    assert copy(run, "--replace").code == 0


def test_copy_in_place_fills_the_tables_that_are_there(
    run: Runner, configure: Callable[..., None], staging: str, server: Server
):
    name = conninfo_to_dict(staging)["dbname"]
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(name))))
    with psycopg.connect(staging, autocommit=True) as target:
        target.execute(PEOPLE.partition("INSERT")[0])
        target.execute("CREATE TABLE theirs (id int)")
        oid = target.execute("SELECT 'people'::regclass::oid").fetchone()
    told = copy(run, "--in-place").json()
    assert (told["result"]["rows"], told["result"]["in_place"]) == (2000, True)
    with psycopg.connect(staging) as target:
        assert target.execute("SELECT 'people'::regclass::oid").fetchone() == oid
        row = target.execute(
            "SELECT count(*), count(*) FILTER (WHERE email LIKE 'original%') FROM people"
        ).fetchone()
        assert target.execute("SELECT count(*) FROM theirs").fetchone() == (0,)
    assert row == (2000, 0)
    for more in ((), ("--dry-run",)):
        again = copy(run, "--in-place", *more)
        assert again.code == 1
        assert "public.people is not empty" in again.json()["error"]["message"]


def test_copy_that_leaks_is_refused_and_kept_aside(
    run: Runner, configure: Callable[..., None], staging: str, dsn: str
):
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("ALTER TABLE people ADD note text; UPDATE people SET note = 'of ' || email")
    done = copy(run)
    assert done.code == 4
    told = done.json()
    assert told["error"]["code"] == "leak"
    failed = [e for e in told["result"]["proof"]["checks"] if e["verdict"] == "failed"]
    assert [(each["code"], each["column"]) for each in failed] == [("column.elsewhere", "note")]
    assert "2,000 source values of public.people.email" in failed[0]["said"]
    name = conninfo_to_dict(staging)["dbname"]
    assert f"{name}__confiture_" in told["error"]["next_step"]
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(staging)
    assert "example.org" not in done.said
    assert copy(run, "--proof", "off").code == 0
    with psycopg.connect(dsn) as conn:
        left = conn.execute(
            "SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)", (f"{name}__",)
        )
        assert left.fetchone() == (0,)


def test_proof_is_configured(run: Runner, configure: Callable[..., None], staging: str):
    quasi = (
        '[anonymization.proof]\nk = {k}\nquasi_identifiers = {{ "public.people" = {columns} }}\n'
    )
    configure(RULES + quasi.format(k=2000, columns='["born"]'))
    assert copy(run).json()["result"]["proof"]["verdict"] == "passed"
    configure(RULES + quasi.format(k=2001, columns='["born"]'))
    refused = copy(run)
    assert refused.code == 4
    assert "k_anonymity" in refused.json()["error"]["message"]
    configure(RULES + quasi.format(k=5, columns='["born", "zip"]'))
    unknown = copy(run)
    assert unknown.code == 2
    assert "public.people.zip" in unknown.json()["error"]["message"]
    configure(RULES, more='proof = "quick"\n')
    assert copy(run).json()["result"]["proof"]["mode"] == "quick"
