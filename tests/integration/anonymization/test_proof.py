"""The leak proof on a real server: what is planted is found, and what is clean passes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.report import CopyReport
from confiture_flows.anonymization.copying.values import CopyAccess, CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.plan import CopyPlan
from confiture_flows.anonymization.proof import selection
from confiture_flows.anonymization.proof.jobs import HashingRows
from confiture_flows.anonymization.proof.prove import prove_copy
from confiture_flows.anonymization.proof.report import LeakReport, ProofOptions
from confiture_flows.anonymization.proof.selection import selection_of
from confiture_flows.anonymization.proof.sessions import Sides
from confiture_flows.anonymization.proof.streams import gathered, read_numbers, row_by_row
from confiture_flows.anonymization.proof.workshop import open_workshop
from confiture_flows.anonymization.rules import Pattern
from confiture_flows.errors import CopyInterruptedError, LeakError
from confiture_flows.target import Target, connect
from tests.copies import plan_of
from tests.integration.leaky_strategies import MODULE

SECRET = Secret(b"0123456789abcdef")
ROWS = 3000
PEOPLE = f"""
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE NOT NULL, name text, phone text,
    city text, note text, extra jsonb, data bytea, born date, tags text[]);
CREATE TABLE letters (id int PRIMARY KEY, person int NOT NULL REFERENCES people, words text);
INSERT INTO people SELECT n, 'user' || n || '@mail' || n || '.com',
    'Person' || n || ' Surname' || n,
    '+49 30 ' || 1000000 + n, 'City' || n % 7, 'n' || n || ' of a text',
    jsonb_build_object('plan', n % 5, 'by', 'nobody' || n), NULL, '1980-01-01'::date + n % 900,
    ARRAY['a', 'label' || n] FROM generate_series(1, {ROWS}) AS n;
INSERT INTO letters SELECT n, 1 + n % {ROWS}, 'words of ' || n FROM generate_series(1, {ROWS}) AS n;
ANALYZE
"""
RULES: Mapping[str, Any] = {
    "people__email": "email",
    "people__name": "name",
    "people__phone": "phone",
    "people__city": "city",
    "people__born": "date-shift",
}
EVERYTHING = ProofOptions()


class Watching(CopyObserver):
    """Keeps the report of the proof."""

    found: LeakReport | None = None

    def proven(self, report: LeakReport) -> None:
        self.found = report


@pytest.fixture
def source(new_database: Callable[[], str]) -> str:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(PEOPLE.encode())
    return dsn


@pytest.fixture
def place(new_database: Callable[[], str]) -> str:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE as_it_was (a int)")
    return dsn


def proven(
    source: str,
    place: str,
    plan: CopyPlan,
    options: ProofOptions = EVERYTHING,
    tamper: str = "",
    observer: CopyObserver | None = None,
) -> CopyReport:
    """Copy and prove; before the proof, somebody changes what was loaded."""

    def prove(access: CopyAccess, plan: CopyPlan, rows: Mapping[str, int]) -> LeakReport:
        if tamper:
            assert isinstance(access.place, Target)
            with connect(access.place, "test") as conn:
                conn.execute(tamper.encode())
        return prove_copy(access, plan, rows, options)

    return copy_database(
        Target("prod", source),
        Target("staging", place),
        plan,
        SECRET,
        CopyOptions(replace=True, modules=(MODULE,)),
        observer,
        prove,
        options.on_leak,
    )


def plan_with_keys(source: str, **rules: Any) -> CopyPlan:
    plan = plan_of(source, **rules)
    return replace(
        plan,
        tables=tuple(
            replace(
                table,
                primary_key=("id",),
                columns=tuple(
                    replace(each, column=replace(each.column, type="text[]"))
                    if each.column.type == "_text"
                    else each
                    for each in table.columns
                ),
            )
            for table in plan.tables
        ),
    )


def databases_like(dsn: str) -> list[str]:
    name = conninfo_to_dict(dsn)["dbname"]
    with psycopg.connect(dsn) as conn:
        found = conn.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{name}__",)
        )
        return [name for (name,) in found]


def is_as_it_was(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT to_regclass('as_it_was') IS NOT NULL").fetchone()
    return row == (True,)


def leaks(source: str, place: str, plan: CopyPlan, tamper: str = "", **more: Any) -> set[str]:
    """What the failed checks of a copy are, as "code column"."""
    watching = Watching()
    with pytest.raises(LeakError) as raised:
        proven(source, place, plan, ProofOptions(on_leak="drop", **more), tamper, watching)
    assert is_as_it_was(place)
    assert databases_like(place) == []
    report = watching.found
    assert report is not None
    said = str(raised.value) + json.dumps(report.json())
    assert "@mail" not in said
    assert "Surname" not in said
    return {f"{each.code} {each.where}" for each in report.failed}


def test_clean_copy_passes_and_tells_what_was_looked_at(source: str, place: str):
    plan = plan_with_keys(source, **RULES)
    report = proven(source, place, plan)
    assert report.proof is not None
    assert report.proof.verdict == "passed", report.proof.json()
    assert not is_as_it_was(place)
    found = {f"{each.code} {each.where}": each for each in report.proof.checks}
    for code in ("kept", "found", "elsewhere"):
        assert found[f"column.{code} public.people.email"].verdict == "passed"
    assert found["table.unmasked public.people"].said == "5 columns as in the source"
    assert found["table.rows public.letters"].said == "3,000 rows"
    assert found["foreign_key public.letters"].verdict == "passed"
    assert found["column.found public.people.born"].verdict == "remark"
    assert found["column.elsewhere public.people.extra"].verdict == "passed"
    assert report.json()["proof"]["verdict"] == "passed"
    with psycopg.connect(place) as conn:
        left = conn.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'confiture%'")
        assert left.fetchone() == (0,)


# Each in a row and a column of its own; one copy finds them all.
PLANTED = {
    "UPDATE people SET note = 'ask user77@mail77.com, please' WHERE id = 5": (
        "column.elsewhere public.people.note"
    ),
    "UPDATE letters SET words = encode('user5@mail5.com', 'base64') WHERE id = 5": (
        "column.elsewhere public.letters.words"
    ),
    """UPDATE people SET extra = '{"a": [{"b": "Person9 Surname9"}]}' WHERE id = 5""": (
        "column.elsewhere public.people.extra"
    ),
    "UPDATE people SET data = 'user5@mail5.com' WHERE id = 5": (
        "column.elsewhere public.people.data"
    ),
    "UPDATE people SET tags = '{a,user5@mail5.com}' WHERE id = 5": (
        "column.elsewhere public.people.tags"
    ),
    "UPDATE people SET name = 'user5@mail5.com' WHERE id = 6": (
        "column.elsewhere public.people.name"
    ),
    "UPDATE people SET email = 'user7@mail7.com' WHERE id = 7": ("column.kept public.people.email"),
    "UPDATE people SET email = 'user5@mail5.com' WHERE id = 6": (
        "column.found public.people.email"
    ),
    "ALTER TABLE letters DROP CONSTRAINT letters_person_fkey": "foreign_key public.letters",
}
MORE = {
    "UPDATE people SET note = 'Person9 Surname9' WHERE id = 5": (
        "column.elsewhere public.people.note"
    ),
    """UPDATE people SET extra = '{"user8@mail8.com": 1}' WHERE id = 5""": (
        "column.elsewhere public.people.extra"
    ),
    "UPDATE letters SET words = 'call 0049 or +49-30-1000012 now' WHERE id = 5": (
        "column.elsewhere public.letters.words"
    ),
    "UPDATE people SET tags = ARRAY[encode('user5@mail5.com', 'hex')] WHERE id = 5": (
        "column.elsewhere public.people.tags"
    ),
}


@pytest.mark.parametrize(
    ("planted", "size", "cut"),
    [(PLANTED, 0, True), (MORE, 1 << 30, True), (PLANTED, 2 << 20, False)],
    ids=["planted", "more, by processes", "row by row"],
)
def test_planted_leaks_are_found(
    source: str,
    place: str,
    planted: Mapping[str, str],
    size: int,
    cut: bool,
    monkeypatch: pytest.MonkeyPatch,
):
    plan = plan_with_keys(source, **RULES)
    if not cut:  # as if the server were too old
        monkeypatch.setattr(selection, "_TID_RANGE_SCANS", 1 << 30)
    if size:  # read by processes, in pieces of some pages
        monkeypatch.setattr(selection, "_PIECE", 1 << 15)
        plan = replace(plan, tables=tuple(replace(each, size=size) for each in plan.tables))
    found = leaks(source, place, plan, "; ".join(planted))
    assert set(planted.values()) <= found
    # What was changed without a mask is not what it was either, and nothing else is told.
    others = found - set(planted.values())
    assert {each.split(" ")[0] for each in others} <= {"column.unmasked", "column.found"}


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        ("DELETE FROM letters WHERE id = 6", {"table.rows public.letters"}),
        (
            """UPDATE letters SET words = 'other' WHERE id = 6;
            UPDATE people AS a SET note = b.note FROM people AS b WHERE a.id + b.id = 11""",
            {"column.unmasked public.letters.words", "table.unmasked public.people"},
        ),
    ],
    ids=["row-missing", "unmasked-changed"],
)
def test_copy_that_is_not_the_source_is_found(
    source: str, place: str, tamper: str, expected: set[str]
):
    assert leaks(source, place, plan_with_keys(source, **RULES), tamper) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (
            {"people__email": "leak-rarely", "people__note": "leak-other"},
            {
                "column.kept public.people.email",
                "column.found public.people.email",
                "column.elsewhere public.people.email",
                "column.elsewhere public.people.note",
            },
        ),
        (
            {"people__email": "leak-next"},
            {"column.found public.people.email", "column.elsewhere public.people.email"},
        ),
    ],
    ids=["gives-back", "gives-another's"],
)
def test_strategy_that_leaks_is_found(
    source: str, place: str, rules: dict[str, Any], expected: set[str]
):
    with psycopg.connect(source, autocommit=True) as conn:
        conn.execute("ALTER TABLE people DROP CONSTRAINT people_email_key")
    assert leaks(source, place, plan_with_keys(source, **rules)) == expected


def test_leaking_copy_is_kept_aside_until_the_next(source: str, place: str):
    plan, tamper = plan_with_keys(source, **RULES), "DELETE FROM letters WHERE id = 6"
    with pytest.raises(LeakError) as raised:
        proven(source, place, plan, tamper=tamper)
    (kept,) = databases_like(place)
    assert kept in str(raised.value)
    assert raised.value.exit_code == 4
    assert is_as_it_was(place)
    with psycopg.connect(place) as conn:
        rights = conn.execute(
            "SELECT count(*) FROM pg_database, aclexplode(datacl) AS a "
            "WHERE datname = %s AND a.grantee = 0",
            (kept,),
        ).fetchone()
    assert rights == (0,)
    proven(source, place, plan)
    assert databases_like(place) == []


def test_process_that_dies_ends_all_and_is_told(source: str):
    sides = Sides(Target("prod", source), "never looked at", Target("staging", source))
    access = CopyAccess(1, sides.source, sides.place, sides.snapshot, None, CopyOptions())
    job = HashingRows("place", b"SELECT int8send(1)", 1, kept=True)
    with open_workshop(access, sides, 10, processes=True) as workshop:
        assert workshop.ask(job).total == 1
        pids = [vars(each)["pid"] for each in workshop.workers]
        os.kill(pids[0], signal.SIGKILL)
        with pytest.raises(CopyInterruptedError, match="SIGKILL"):
            workshop.run([(job, lambda _: None)] * 100)
        for each in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(each, 0)


@pytest.mark.parametrize("fields", [gathered, row_by_row])
@pytest.mark.parametrize("rows", [0, 1, 100_000])
def test_numbers_are_read_as_they_were_sent(source: str, rows: int, fields: Any):
    numbers = [sql.SQL("n::bigint"), sql.SQL("-n::bigint")]
    query = sql.SQL("SELECT {} FROM generate_series(1, {}) AS n").format(fields(numbers), rows)
    with psycopg.connect(source) as conn:
        batches = list(read_numbers(conn, query.as_bytes(conn), 2))
    assert [n for first, _ in batches for n in first] == list(range(1, rows + 1))
    assert [-n for _, second in batches for n in second] == list(range(1, rows + 1))


def test_each_piece_of_long_texts_reads_its_own_pages(source: str):
    with psycopg.connect(source, autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE papers (id int PRIMARY KEY, words text);"
            "ALTER TABLE papers ALTER words SET STORAGE EXTERNAL;"
            "INSERT INTO papers SELECT n, repeat('word ', CASE n WHEN 1 THEN 999 ELSE 60 END) "
            "FROM generate_series(1, 5000) AS n; ANALYZE papers"
        )
        (table,) = [each for each in plan_of(source).tables if each.name == "papers"]
        for query in selection_of(table, SECRET, quick=False).texts(conn, ["words"]):
            explained = conn.execute(b"EXPLAIN " + query).fetchall()
            assert "Tid Range Scan" in str(explained), explained
            assert "Seq Scan" not in str(explained), explained


def test_addresses_and_numbers_without_a_rule_are_remarks(source: str, place: str):
    report = proven(source, place, plan_with_keys(source))
    assert report.proof is not None
    said = {f"{each.code} {each.column}" for each in report.proof.checks}
    assert said >= {"column.emails email", "column.phones phone"}


def test_k_anonymity_of_declared_columns(source: str, place: str):
    plan = plan_with_keys(source, **{**RULES, "people__born": ("date-truncate", {})})
    quasi = {"public.people": ("born", "city")}
    found = leaks(source, place, plan, quasi_identifiers=quasi, k=2000)
    assert found == {"k_anonymity public.people"}
    report = proven(source, place, plan, ProofOptions(quasi_identifiers=quasi, k=3))
    assert report.proof is not None
    (check,) = [each for each in report.proof.checks if each.code == "k_anonymity"]
    assert check.verdict == "passed"


def test_accepted_columns_are_remarks(source: str, place: str):
    tamper = "UPDATE people SET name = 'user5@mail5.com' WHERE id = 6"
    options = ProofOptions(accept=(Pattern.read("public.*.name", 3),))
    report = proven(source, place, plan_with_keys(source, **RULES), options, tamper)
    assert report.proof is not None
    said = [each.said for each in report.proof.checks if each.said.endswith("accepted")]
    assert len(said) == 1
    assert report.proof.verdict == "passed"


def test_fewer_rows_are_proven_by_the_same_conditions(source: str, place: str, tmp_path: Any):
    keys = tmp_path / "keys"
    keys.write_text("".join(f"{n}\n" for n in range(1, 101)))
    plan = plan_with_keys(source, **RULES)
    letters, people = plan.tables
    plan = replace(
        plan,
        tables=(
            replace(people, keys=keys),
            replace(letters, where=("person <= 50", "id < 10000 * extract(day FROM now())")),
        ),
    )
    assert leaks(source, place, plan, "UPDATE letters SET words = 'other' WHERE id = 6") == {
        "table.unmasked public.letters"
    }
    report = proven(source, place, plan)
    assert report.rows == 150
    assert report.proof is not None
    said = {f"{each.code} {each.table}": each.said for each in report.proof.checks}
    assert said["table.rows public.people"] == "100 rows"
    assert "not asked again" in said["table.rows public.letters"]


def test_quick_proof_samples_and_says_what_it_left_out(source: str, place: str):
    plan = plan_with_keys(source, **RULES)
    plan = replace(plan, tables=tuple(replace(each, rows=100_000) for each in plan.tables))
    # Not one of the sample, as a hash of its key says.
    tamper = "UPDATE people SET note = 'ask user77@mail77.com, please' WHERE id = 6"
    report = proven(source, place, plan, ProofOptions("quick"), tamper)
    assert report.proof is not None
    unseen = {each.code for each in report.proof.checks if each.verdict == "not looked at"}
    assert unseen == {"column.elsewhere"}
    assert any("one in 16" in each.said for each in report.proof.checks)
    all_of_it = "UPDATE people AS a SET email = 'user' || id || '@mail' || id || '.com'"
    with pytest.raises(LeakError, match=r"public\.people\.email"):
        proven(source, place, plan, ProofOptions("quick"), all_of_it)
