"""Repeatable migrations, placeholders, includes and order, as the command line shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from .conftest import Runner

SECRET = "hunter2 of many"
Write = Callable[..., Path]
Configure = Callable[..., Path]
FLYWAY = {
    "V1__users.sql": "CREATE TABLE users (id int, note text DEFAULT '${note}');",
    "U1__users.sql": "DROP TABLE users CASCADE;",
    "sub/V1_1__orders.sql": "CREATE TABLE orders (id int);",
    "sub/U1_1__orders.sql": "DROP TABLE orders CASCADE;",
    "R__views.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS n;",
}


@pytest.fixture
def configured(configure: Configure, dsn: str) -> Callable[[str], Path]:
    """Write a configuration with one target; what is given stands below it."""

    def write(target: str = "", above: str = "") -> Path:
        return configure(f"{above}\n[targets.shop]\ndsn = '''{dsn}'''\n{target}\n")

    return write


@pytest.fixture
def flyway(write: Write, configured: Callable[..., Path]) -> Path:
    configured(above=f"[placeholders]\nnote = '{SECRET}'")
    return write(FLYWAY)


@pytest.mark.usefixtures("flyway")
def test_flyway_directory_goes_forth_and_back(
    run: Runner, tables: Callable[[], list[str]], conn: psycopg.Connection
) -> None:
    planned = run("plan")
    applied = run.program("migrate", "--plain")
    back = run("plan", "--back", "--to", "zero")
    undone = run("rollback", "--to", "zero", "--plain")

    assert planned.code == applied.code == back.code == undone.code == 0
    assert "repeatable, new: 1 statement, one transaction" in planned.out
    assert [each["version"] for each in applied.json()["result"]["done"]] == [
        "1",
        "1.1",
        "R__views",
    ]
    for said in (back.out, undone.out):
        assert "Repeatable migrations stay as they are: R__views." in " ".join(said.split())
    assert tables() == []
    assert conn.execute("SELECT n FROM v").fetchone() == (1,)
    assert SECRET not in planned.said + applied.said + back.said + undone.said


@pytest.mark.usefixtures("flyway")
def test_changed_repeatable_is_shown_and_run(run: Runner, write: Write) -> None:
    run.program("migrate", "--plain")
    assert run.program("plan").json()["result"]["steps"] == []
    write({"R__views.sql": "CREATE OR REPLACE VIEW v AS SELECT 2 AS n;"})

    status, value = run.both("status")
    migrated = run("migrate", "--plain")

    assert status.code == 0
    assert "3 applied, 1 pending" in status.out
    assert "changed" in status.out
    assert value.json()["result"]["migrations"][-1]["state"] == "changed"
    assert "shop: 1 migration applied" in migrated.out
    assert "R__views" in migrated.err


@pytest.mark.usefixtures("flyway")
def test_plan_to_an_earlier_version_leaves_repeatables_out(run: Runner) -> None:
    steps = run.program("plan", "--to", "1").json()["result"]["steps"]
    assert [step["version"] for step in steps] == ["1"]

    refused = run.program("plan", "--to", "R__views")
    assert refused.code == 2


def test_missing_placeholder_is_refused_before_anything_runs(
    run: Runner, write: Write, configured: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    configured()
    write(FLYWAY | {"V2__more.sql": "CREATE TABLE more ();\nCOMMENT ON TABLE more IS '${what}';"})

    result = run("migrate", "--plain", CONFITURE_PLACEHOLDER_NOTE=SECRET)

    assert result.code == 4
    assert "There is no value for ${what}." in result.said
    assert "V2__more.sql:2" in result.said
    for way in ("CONFITURE_PLACEHOLDER_WHAT", "[targets.NAME.placeholders]", "[placeholders]"):
        assert way in " ".join(result.said.split())
    assert tables() == []
    again = run.program(
        "migrate", "--plain", CONFITURE_PLACEHOLDER_NOTE=SECRET, CONFITURE_PLACEHOLDER_WHAT="x"
    )
    assert again.code == 0


def test_failure_shows_the_name_instead_of_the_value(
    run: Runner, write: Write, configured: Callable[..., Path]
) -> None:
    configured(f"placeholders = {{ secret = '{SECRET}' }}")
    write({"0001_a.up.sql": "SELECT 1,\n '${secret}'::int;"})

    for result in run.both("migrate", "--plain"):
        assert result.code == 1
        assert "hunter2" not in result.said
        assert "${secret}" in result.said


def test_placeholders_may_be_switched_off(
    run: Runner, write: Write, configured: Callable[..., Path], conn: psycopg.Connection
) -> None:
    configured(above="[migrations]\nplaceholders = false\n")
    write(FLYWAY)
    assert run.program("migrate", "--plain").code == 0
    conn.execute("INSERT INTO users VALUES (1)")
    assert conn.execute("SELECT note FROM users").fetchone() == ("${note}",)


def test_file_of_the_project_is_included(
    run: Runner, write: Write, configured: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    write({"0001_a.up.sql": "-- confiture: include ../parts/a.sql\n"})
    write({"a.sql": "CREATE TABLE a (id int);"}, folder="db/parts")
    bare = run.program("migrate", "--plain", "--dir", "db/migrations", dsn="dbname=nowhere")
    configured()
    inside = run.program("migrate", "--plain")

    assert bare.code != 0
    assert inside.code == 0
    assert tables() == ["a"]
    write({"a.sql": "CREATE TABLE b (id int);"}, folder="db/parts")
    edited = run("status")
    assert edited.code == 5
    assert "or what it includes (a.sql), was edited" in " ".join(edited.said.split())


@pytest.mark.parametrize(
    ("target", "option", "code"),
    [
        ("", [], 0),
        ("", ["--out-of-order", "refuse"], 5),
        ("production = true", [], 5),
        ("production = true", ["--out-of-order", "apply"], 0),
        ('production = true\nout_of_order = "apply"', [], 0),
        ('out_of_order = "refuse"', [], 5),
        ('out_of_order = "refuse"', ["--out-of-order", "apply"], 0),
        ('fail_on = "warning"', [], 5),
        ('fail_on = "warning"', ["--out-of-order", "apply"], 0),
    ],
)
def test_policy_for_what_is_out_of_order(
    run: Runner,
    write: Write,
    configured: Callable[..., Path],
    target: str,
    option: list[str],
    code: int,
) -> None:
    configured()
    write({"0002_b.up.sql": "SELECT 2;"})
    run.program("migrate", "--plain")
    write({"0001_a.up.sql": "SELECT 1;"})
    configured(target)

    planned = run.program("plan", *option)
    assert planned.code == code
    assert run.program("migrate", "--plain", *option).code == code
    (finding,) = planned.json()["findings"]
    assert finding["code"] == "history.out_of_order"
