"""Chunks by ctid and by keys, conditions, and folders as targets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.report import CopyReport
from confiture_flows.anonymization.copying.values import Chunk, ChunkResult, CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.plan import CopyPlan
from confiture_flows.errors import ConfigError, CopyError
from confiture_flows.target import Target
from tests.copies import plan_of, sums

SECRET = Secret(b"0123456789abcdef")
ROWS = 20_000
PEOPLE = f"""
CREATE SCHEMA crm;
CREATE TABLE crm.people (id serial PRIMARY KEY, email text NOT NULL, note text, word text);
INSERT INTO crm.people (email, note, word)
SELECT n || '@mail.com', repeat('long note ', 10), E'a\\tb' FROM generate_series(1, {ROWS}) AS n;
DELETE FROM crm.people WHERE id % 7 = 0;
CREATE TABLE crm.empty (id int);
"""


class Listens(CopyObserver):
    """Adds up what it hears."""

    def __init__(self) -> None:
        self.chunks: tuple[Chunk, ...] = ()
        self.results: list[ChunkResult] = []
        self.rows, self.steps, self.reports = 0, [], []

    def began(self, chunks: tuple[Chunk, ...]) -> None:
        self.chunks = chunks

    def moved(self, chunk: Chunk, rows: int) -> None:
        self.rows += rows

    def copied(self, result: ChunkResult) -> None:
        self.results.append(result)

    def finishing(self, what: str) -> None:
        self.steps.append(what)

    def ended(self, report: CopyReport) -> None:
        self.reports.append(report)


def only(plan: CopyPlan, **changes: object) -> CopyPlan:
    """The plan with its table of people changed."""
    return CopyPlan(tuple(replace(t, **changes) if t.name == "people" else t for t in plan.tables))


def test_chunks_of_several_workers_make_the_whole_table(source: str, place: str) -> None:
    options = CopyOptions(workers=3, chunk_size=400_000)
    heard = Listens()
    report = copy_database(
        Target("a", source), Target("b", place), plan_of(source), None, options, heard
    )
    assert sums(place) == sums(source)
    people = next(each for each in report.tables if each.name == "crm.people")
    assert people.chunks > 3
    assert people.rows == ROWS - ROWS // 7
    assert {each.chunk for each in heard.results} == set(heard.chunks)
    # Header and trailer of COPY's binary format are read as lines too.
    assert report.rows <= heard.rows <= report.rows + 2 * len(heard.chunks)
    assert heard.steps == ["indexes and keys", "sequences", "swap"]
    assert heard.reports == [report]


@pytest.mark.parametrize(("masked", "chunks"), [({}, 1), ({"wide__id": "hash"}, 2)])
def test_a_masked_table_is_cut_for_all_workers(
    source: str, place: str, masked: dict[str, str], chunks: int
) -> None:
    with psycopg.connect(source) as conn:
        conn.execute("CREATE TABLE wide (id text, filler text)")
        conn.execute("ALTER TABLE wide ALTER filler SET STORAGE PLAIN")
        conn.execute("INSERT INTO wide SELECT n, repeat('x', 7000) FROM generate_series(1, 5000) n")
    plan, options = plan_of(source, **masked), CopyOptions(workers=2)
    report = copy_database(Target("a", source), Target("b", place), plan, SECRET, options)
    assert next(each.chunks for each in report.tables if each.name == "public.wide") == chunks
    with psycopg.connect(place) as conn:
        query = "SELECT count(*), count(DISTINCT id), min(length(filler)) FROM wide"
        assert conn.execute(query).fetchone() == (5000, 5000, 7000)


@pytest.mark.parametrize("engine", ["sql", "python"])
def test_conditions_and_chunks_go_together(source: str, place: str, engine: str) -> None:
    plan = only(plan_of(source, people__email="hash"), where=("id <= 1000", "id > 500 -- comment"))
    options = CopyOptions(workers=2, chunk_size=400_000, engine=engine)  # pyright: ignore[reportArgumentType]
    copy_database(Target("a", source), Target("b", place), plan, SECRET, options)
    with psycopg.connect(place) as conn:
        query = "SELECT count(*), min(id), max(id), min(length(email)) FROM crm.people"
        assert conn.execute(query).fetchone() == (429, 501, 1000, 64)


def test_rows_by_keys(source: str, place: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("".join(f"{n}\n" for n in (1, 2, 3, 15_000)))
    plan = only(plan_of(source, people__email="hash"), keys=keys, primary_key=("id",))
    report = copy_database(Target("a", source), Target("b", place), plan, SECRET, CopyOptions())
    with psycopg.connect(place) as conn:
        found = conn.execute("SELECT id FROM crm.people ORDER BY id").fetchall()
    assert found == [(1,), (2,), (3,), (15_000,)]
    assert report.rows == 4


def test_a_table_without_rows_is_empty(source: str, place: str) -> None:
    plan = only(plan_of(source), copied=False)
    copy_database(Target("a", source), Target("b", place), plan, None, CopyOptions())
    assert sums(place)["crm.people"] == (0, None)


@pytest.mark.parametrize("form", ["text", "binary"])
def test_a_folder_can_be_loaded_again(source: str, place: str, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "copy"
    options = CopyOptions(chunk_size=400_000, format=form)  # pyright: ignore[reportArgumentType]
    plan = plan_of(source)
    report = copy_database(Target("a", source), folder, plan, None, options)
    assert report.place == str(folder)
    said = json.loads((folder / "manifest.json").read_text())
    with psycopg.connect(place, autocommit=True) as conn:
        conn.execute((folder / said["before"]).read_bytes())
        for each in said["files"]:
            into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
                sql.Identifier(each["schema"], each["table"]),
                sql.SQL(", ").join(map(sql.Identifier, each["columns"])),
                sql.SQL(each["format"]),
            )
            with conn.cursor().copy(into) as copying:
                copying.write((folder / each["file"]).read_bytes())
        conn.execute((folder / said["after"]).read_bytes())
    assert sums(place) == sums(source)
    copy_database(Target("a", source), folder, plan, None, options)  # its own it may replace
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]


def test_a_folder_of_others_is_refused(source: str, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "letter").write_text("mine")
    with pytest.raises(CopyError, match="holds what no earlier copy has made"):
        copy_database(Target("a", source), tmp_path / "copy", plan_of(source), None, CopyOptions())
    assert (tmp_path / "copy" / "letter").read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]


def test_a_strategy_that_no_process_can_import_is_refused(source: str, place: str) -> None:
    from confiture_flows.anonymization.registry import register_strategy, registered

    name = "test-local"
    made = {"__name__": "__main__"}
    exec("def mask(value: str) -> str:\n    return 'x'", made)
    register_strategy(name)(made["mask"])  # pyright: ignore[reportArgumentType]
    try:
        with pytest.raises(ConfigError, match="which the processes that copy cannot import"):
            copy_database(
                Target("a", source),
                Target("b", place),
                plan_of(source, people__email=name),
                None,
                CopyOptions(),
            )
    finally:
        registered.remove(name)
