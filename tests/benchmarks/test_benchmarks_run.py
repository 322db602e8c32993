"""The benchmarks still run. They judge nothing here: a figure of a test run means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from confiture_flows.postgres import Server
from confiture_flows.report.markdown import render_markdown
from confiture_flows.report.text import print_document
from confiture_flows.target import Target
from tests.benchmarks.candidates import (
    BARE,
    DBMATE,
    ENGINE_INSIDE,
    FLOW,
    PLAIN,
    WIZARD,
    Bench,
    program,
)
from tests.benchmarks.contention import behind_a_transaction
from tests.benchmarks.dry_runs import costs, guess
from tests.benchmarks.isolation import cost as cost_of_isolation
from tests.benchmarks.lints import findings, speed, speeds, unchanged
from tests.benchmarks.report import as_json, documents
from tests.benchmarks.run import Plan, run_all
from tests.benchmarks.scale import large_files, many_migrations
from tests.benchmarks.work import write_work


def test_every_candidate_applies_a_small_work_and_is_reported(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan(migrations=5, rounds=1, start_rounds=1)
    results = run_all(plan, server.dsn, tmp_path, prefect={})

    assert {BARE, PLAIN, ENGINE_INSIDE} <= set(results.runs)
    assert (DBMATE in results.runs) == (program("dbmate") is not None)
    assert results.traces["plain"]["apply"] > 0
    assert len(results.starts[WIZARD].seconds) == 1
    for document in documents(results):
        print_document(Console(width=120), document)
    assert "migrate --plain" in capsys.readouterr().out
    assert all(len(each["apply"]) == 1 for each in as_json(results)["runs"].values())


def test_a_flow_is_a_candidate_where_there_is_a_prefect_server(tmp_path: Path) -> None:
    work = write_work(tmp_path, 1)

    assert (
        FLOW
        in Bench("", work, tmp_path, {"PREFECT_API_URL": "http://127.0.0.1:1/api"}).candidates()
    )
    assert FLOW not in Bench("", work, tmp_path).candidates()


def test_large_files_and_many_migrations_are_reported(server: Server) -> None:
    files = large_files(server.dsn, 0.1)
    many = many_migrations(server.dsn, (3, 5), rounds=1)

    said = "\n".join(render_markdown(document) for document in (files, many))
    assert said.count("migrate --plain |") == 2
    assert "| 5 |" in said


def test_stalls_behind_a_transaction_are_reported(server: Server) -> None:
    said = render_markdown(behind_a_transaction(server.dsn, hold=0.2, rounds=1))
    assert "| migrate --plain |" in said
    assert "without<br>lock\\_timeout |" in said


def test_dry_runs_are_reported(server: Server, tmp_path: Path) -> None:
    directory = tmp_path / "shop" / "migrations"
    directory.mkdir(parents=True)
    (directory / "0001_a.up.sql").write_text("CREATE TABLE a (id int);")

    found = guess(server.dsn, 2000, "not null", sample=2000)
    said = render_markdown(costs(directory, rounds=1).document("shop"))

    assert found.took > 0
    assert "shop: 1 migrations, 0 locks on tables" in said
    assert "| with proof |" in said


@pytest.mark.usefixtures("prefect_server")
def test_cost_of_a_hook_is_measured(server: Server) -> None:
    from tests.benchmarks.hooks import HOOKS, empty, gaps, measure, plainly

    found = measure(server.dsn, rounds=1)
    assert all(seconds > 0 for seconds in found.values())
    assert len(plainly(Target("bench", server.dsn))) == HOOKS - 1
    empty(None)
    assert gaps() == []


def test_linting_is_reported(tmp_path: Path) -> None:
    directory = tmp_path / "shop" / "migrations"
    directory.mkdir(parents=True)
    (directory / "0001_a.up.sql").write_text("CREATE TABLE a (id int);")

    documents = (speed(speeds([directory], 1)), unchanged(2, rounds=1), findings([directory]))
    said = "\n".join(render_markdown(document) for document in documents)

    assert "| confiture-flows, all rules, in one process | 1 |" in said
    assert "| sqlfluff lint, three rules | 1 |" in said
    assert ("| squawk, each file alone | 1 |" in said) == (program("squawk") is not None)
    assert "| again |" in said
    assert "| CF55 | 100.0 |" in said


def test_detection_is_reported(tmp_path: Path) -> None:
    from tests.benchmarks import detection

    directory = tmp_path / "concourse" / "migrations"
    directory.mkdir(parents=True)
    (directory / "0001_a.up.sql").write_text("CREATE TABLE a (id int, email text, state text);")
    columns = detection.labelled_columns(("concourse",), tmp_path, labels={})
    outcomes = detection.judged(columns, samples=False)
    said = render_markdown(detection.document("a", outcomes, ("concourse",)))

    assert detection.figures(outcomes) == (0, 1, 0)
    assert "| concourse | 3 | 0 | 0 | 1 | 0.00 |" in said
    assert "| IBANs | payment | payment |" in render_markdown(detection.values_alone())


def test_hard_negatives_are_told_apart() -> None:
    from tests.benchmarks.detection import generated_outcomes

    assert [each for each in generated_outcomes() if each[1] != each[2]] == []


def test_figures_of_the_corpora_are_those_that_are_published(corpora: Path) -> None:
    from tests.benchmarks import detection

    page = Path(__file__).parents[2] / "docs" / "explanation" / "detection.md"
    published = page.read_text(encoding="utf-8")
    aside = detection.report_schemas(detection.SET_ASIDE, "Written by hand, set aside")
    for each in (*detection.reports(corpora, rows=False), *aside):
        assert render_markdown(each).partition("\n")[2].strip() in published


def test_cost_of_isolation_is_reported() -> None:
    said = render_markdown(cost_of_isolation(rounds=1))
    assert "| 1,000 |" in said
    assert "| values in a batch |" in said
