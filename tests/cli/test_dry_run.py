"""`dry-run`, and the dry run before an apply as the configuration says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

from confiture_flows.postgres import Server
from tests.support import eventually, git

from .conftest import PASSWORD, Runner

SCHEMA = Path(__file__).parents[2] / "docs" / "dry-run.schema.json"
SHOP = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY, age text);",
    "0001_users.down.sql": "DROP TABLE users;",
    "0002_age.up.sql": "ALTER TABLE users ALTER age TYPE int USING age::int;",
    "0002_age.down.sql": "ALTER TABLE users ALTER age TYPE varchar;",
}


@pytest.fixture
def shop(run: Runner, write: Callable[..., Path], dsn: str, conn: psycopg.Connection) -> Path:
    """One of two migrations is applied, and there are rows."""
    directory = write(SHOP)
    assert run.program("migrate", "--plain", "--to", "0001", dsn=dsn).code == 0
    conn.execute("INSERT INTO users SELECT g, g::text FROM generate_series(1, 2000) AS g; ANALYZE")
    return directory


@pytest.fixture
def on(server: Server) -> tuple[str, ...]:
    """On the test's own server, which costs less than to start one."""
    return ("dry-run", "--scratch", server.dsn, "--rows", "2000")


def test_report_for_people_and_for_programs(
    run: Runner, shop: Path, dsn: str, on: tuple[str, ...]
) -> None:
    person, program = run.both(*on, dsn=dsn)

    assert (person.code, program.code) == (0, 0)
    assert person.out.splitlines()[0].endswith("1 migration rehearsed, 2 warnings")
    assert "ACCESS EXCLUSIVE on public.users" in person.out
    assert "rewrites public.users" in person.out
    assert "- column public.users.age: text" in person.out
    assert "[rollback.differs]" in person.err
    value = program.json()
    assert (value["ok"], value["command"]) == (True, "dry-run")
    (migration,) = value["result"]["migrations"]
    assert migration["rollback"]["verdict"] == "differs"
    assert migration["statements"][0]["rewrites"] == ["public.users"]
    jsonschema.validate(value["result"], json.loads(SCHEMA.read_text()))


def test_schema_fits_every_depth_and_says_no_to_others(
    run: Runner, shop: Path, dsn: str, on: tuple[str, ...]
) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    results = [
        run.program(*arguments, dsn=dsn).json()["result"]
        for arguments in (("dry-run", "--on", "static"), (*on, "--on", "target"))
    ]
    for result in results:
        jsonschema.validate(result, schema)
    assert [result["depth"] for result in results] == ["static", "target"]
    assert results[1]["on_target"]["migrations"] == ["0002_age"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(results[0] | {"depth": "deep"}, schema)


@pytest.mark.parametrize(("gate", "code"), [("error", 0), ("warning", 4)])
def test_gate_decides_the_exit_code(
    run: Runner, shop: Path, dsn: str, on: tuple[str, ...], gate: str, code: int
) -> None:
    result = run.program(*on, "--fail-on", gate, dsn=dsn)

    assert result.code == code
    assert (result.json()["error"] is None) is (code == 0)
    assert result.json()["result"]["migrations"]


def test_plan_that_would_fail_exits_1_and_names_the_line(
    run: Runner, shop: Path, dsn: str, on: tuple[str, ...], conn: psycopg.Connection
) -> None:
    # One of the 2000, since all of them are copied; of one more, autovacuum's count might tell.
    conn.execute("UPDATE users SET age = 'old' WHERE id = 1")

    person, program = run.both(*on, dsn=dsn)

    assert (person.code, program.code) == (1, 1)
    assert "it would fail at 0002_age" in person.out
    error = program.json()["error"]
    assert (error["code"], error["version"], error["line"]) == ("rehearsal", "0002", 1)
    assert error["sqlstate"] == "22P02"
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (1,)


class _Reader(HTMLParser):
    """Collects the tags, the text and what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_needs_nothing_else_and_markup_stays_text(
    run: Runner, write: Callable[..., Path], dsn: str, on: tuple[str, ...]
) -> None:
    write({"0001_a.up.sql": "CREATE TABLE \"<script>alert('x')</script>\" (id int);"})
    page, text = (
        run(*on, "--format", form, "--fail-on", "error", dsn=dsn).out
        for form in ("html", "markdown")
    )
    reader = _Reader()
    reader.feed(page)

    assert page.startswith("<!doctype html>")
    assert (reader.fetched, "script" in reader.tags) == ([], False)
    assert "url(" not in page
    assert "no down" in reader.text
    assert text.startswith("# ")
    assert re.search(r"^\| migration \|", text, flags=re.MULTILINE)


def test_json_is_also_a_format(run: Runner, shop: Path, dsn: str, on: tuple[str, ...]) -> None:
    assert run(*on, "--format", "json", dsn=dsn).json()["command"] == "dry-run"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--rows", "-1"),
        ("--budget", "0"),
        ("--scratch", ""),
        ("--scratch", "dbname=x", "--on", "static"),
        ("--on", "moon"),
    ],
)
def test_options_without_sense_are_wrong_usage(
    run: Runner, shop: Path, dsn: str, wrong: tuple[str, ...]
) -> None:
    assert run.program("dry-run", *wrong, dsn=dsn).code == 2


def test_password_of_the_target_is_shown_nowhere(
    run: Runner, shop: Path, secret_dsn: str, secret: str
) -> None:
    """pg_dump gets it too, in a private server's case."""
    person, program = run.both("dry-run", "--on", "target", dsn=secret_dsn)
    assert secret not in person.said + program.said
    assert PASSWORD not in person.said + program.said


def test_nothing_to_run_is_said(run: Runner, write: Callable[..., Path], dsn: str) -> None:
    write({"0001_a.up.sql": "SELECT 1;"})
    run.program("migrate", "--plain", dsn=dsn)

    result = run("dry-run", dsn=dsn)

    assert (result.code, "nothing to run" in result.out) == (0, True)


GATES = {
    "off by default": ('fail_on = "warning"', (), 0),
    "as configured": ('fail_on = "warning"\ndry_run = "scratch"', (), 4),
    "below the gate": ('dry_run = "scratch"', (), 0),
    "static": ('fail_on = "warning"\ndry_run = "static"', (), 0),
    "by option": ('fail_on = "warning"', ("--dry-run", "scratch"), 4),
    "off by option": ('fail_on = "warning"\ndry_run = "scratch"', ("--dry-run", "off"), 0),
}


@pytest.mark.parametrize(("setting", "options", "code"), GATES.values(), ids=GATES)
def test_dry_run_before_an_apply(
    run: Runner,
    shop: Path,
    dsn: str,
    conn: psycopg.Connection,
    configure: Callable[[str], Path],
    server: Server,
    setting: str,
    options: tuple[str, ...],
    code: int,
) -> None:
    configure(f'[targets.shop]\ndsn = "{dsn}"\nscratch = "${{SCRATCH}}"\n{setting}\n')

    result = run.program("migrate", "--plain", *options, SCRATCH=server.dsn)

    assert result.code == code
    applied = conn.execute("SELECT count(*) FROM tb_confiture").fetchone()
    assert applied == ((1,) if code else (2,))


def test_apply_that_would_fail_is_not_begun(
    run: Runner,
    shop: Path,
    dsn: str,
    conn: psycopg.Connection,
    write: Callable[..., Path],
    server: Server,
    configure: Callable[[str], Path],
) -> None:
    write({"0003_c.up.sql": "SELECT 1 / 0;"})
    configure(f'[targets.shop]\ndsn = "{dsn}"\nscratch = "${{SCRATCH}}"\ndry_run = "scratch"\n')

    person, program = run.both("migrate", "--plain", SCRATCH=server.dsn)

    assert (person.code, program.code) == (1, 1)
    value: dict[str, Any] = program.json()
    assert (value["error"]["code"], value["error"]["version"]) == ("rehearsal", "0003")
    assert value["result"]["done"] == []
    assert "division by zero" in person.said
    assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (1,)


def test_killed_dry_run_leaves_nothing_once_the_next_has_run(
    run: Runner,
    write: Callable[..., Path],
    dsn: str,
    conn: psycopg.Connection,
    on: tuple[str, ...],
) -> None:
    sleep = (
        "SELECT pg_sleep(60) FROM pg_database WHERE datname = current_database()"
        " AND datname ^@ 'confiture_scratch_';"
    )
    directory = write({"0001_slow.up.sql": sleep})

    def scratches(active: str = "") -> list[str]:
        query = "SELECT datname FROM pg_database AS d WHERE datname ^@ 'confiture_scratch_'"
        if active:
            query += (
                " AND EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datname = d.datname"
                " AND a.query LIKE 'BEGIN%%' AND a.state = 'active')"
            )
        return [name for (name,) in conn.execute(query.encode())]

    process = run._start(on, None, {"dsn": dsn})
    eventually(lambda: scratches(active="yes"), bool, seconds=30)
    process.kill()
    process.communicate()
    assert scratches() != []

    (directory / "0001_slow.up.sql").write_text("SELECT 1;")
    # The session that owns it ends when the server notices that its client is gone.
    eventually(lambda: (run.program(*on, dsn=dsn).code, scratches()), lambda seen: seen == (0, []))


def test_only_what_a_branch_adds_is_judged(
    run: Runner, shop: Path, dsn: str, on: tuple[str, ...]
) -> None:
    git(shop, "init", "-q")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "x")
    since = (*on, "--since", "HEAD")
    nothing = run.program(*since, dsn=dsn)
    assert (nothing.code, nothing.json()["result"]["migrations"]) == (0, [])
    # It takes what 0002 makes, which is pending here too and in the revision already.
    (shop / "0003_older.up.sql").write_text("UPDATE users SET age = age + 1;")
    (shop / "0003_older.down.sql").write_text("UPDATE users SET age = age - 1;")
    value = run.program(*since, dsn=dsn).json()
    assert [each["version"] for each in value["result"]["migrations"]] == ["0003"]
    assert "rollback.differs" not in {each["code"] for each in value["findings"]}
    assert "HEAD already, and not judged: 0002" in str(value["result"]["unknown"])
    both = run.program(*since, "--to", "0002", dsn=dsn)
    assert (both.code, both.json()["result"]["migrations"]) == (0, [])

    (shop / "0002_age.up.sql").write_text("ALTER TABLE users ALTER nothing TYPE int;")
    git(shop, "commit", "-qam", "broken")
    broken = run.program(*since, dsn=dsn)
    assert (broken.code, broken.json()["error"]["version"]) == (1, "0002")
    assert run.program(*since, "--back", dsn=dsn).code == 2
