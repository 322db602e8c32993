"""`confiture-flows strategies`: list, show, new, test, bench."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from confiture_flows.anonymization.registry import built_in_names, registered
from confiture_flows.postgres import Server

from .conftest import Runner

BROKEN = '''
from confiture_flows.plugins import register_strategy


@register_strategy("half")
def half(value: str) -> str:
    """Only what it knows."""
    return "x" if "@" in value else value


@register_strategy("fails")
def fails(value: str) -> str:
    """Fails on
    everything."""
    raise RuntimeError(value)
'''


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """The program also runs in this process; what it registers is gone after the test."""
    names = set(registered)
    yield
    for name in set(registered) - names:
        registered.remove(name)
    for name in [each for each in sys.modules if each.split(".")[0] in ("strategies", "own_masks")]:
        del sys.modules[name]


@pytest.fixture
def own(tmp_path: Path, configure: Callable[[str], Path]) -> None:
    (tmp_path / "own_masks.py").write_text(BROKEN)
    configure('[anonymization]\nstrategies = ["own_masks"]\n')


@pytest.mark.usefixtures("own")
def test_list_names_the_built_in_ones_and_ones_own(run: Runner) -> None:
    person, program = run.both("strategies", "list")
    assert (person.code, program.code) == (0, 0)
    listed = {each["name"]: each for each in program.json()["result"]["strategies"]}
    assert set(built_in_names()) < set(listed)
    assert listed["half"]["summary"] == "Only what it knows."
    assert listed["hash"]["keyed"]
    assert "Only what it knows." in person.out


def test_broken_module_of_the_configuration_is_told(
    run: Runner, tmp_path: Path, configure: Callable[[str], Path]
) -> None:
    (tmp_path / "own_masks.py").write_text("raise RuntimeError('no licence')")
    configure('[anonymization]\nstrategies = ["own_masks"]\n')
    result = run.program("strategies", "list")
    assert result.code == 2
    assert "RuntimeError: no licence" in result.json()["error"]["message"]
    assert result.json()["error"]["file"].endswith("confiture.toml")


def test_show_has_options_an_example_line_and_values(run: Runner) -> None:
    person, program = run.both("strategies", "show", "hash", "--option", "length=12")
    result = program.json()["result"]
    (option,) = result["options"]
    assert (option["name"], option["default"], option["type"]) == ("length", "64", "int")
    assert result["example"].endswith('"public.people.value" = "hash"')
    assert all(len(each["after"]) == 12 for each in result["values"])
    assert "Hexadecimal digits." in person.out
    assert "before" in person.out


@pytest.mark.usefixtures("own")
def test_a_strategy_that_fails_is_shown_and_told(run: Runner, dsn: str) -> None:
    shown = run("strategies", "show", "fails")
    assert shown.code == 0
    assert "Fails on everything." in shown.out
    assert "No example: The strategy 'fails' raises RuntimeError on a made-up value" in shown.out
    measured = run("strategies", "bench", "fails", "--dsn", dsn)
    assert measured.code == 1
    assert "raises RuntimeError on a made-up value" in measured.err


def test_show_without_a_needed_option_still_shows_the_page(run: Runner) -> None:
    result = run("strategies", "show", "constant")
    assert result.code == 0
    assert "config = { value = ... }" in result.out
    assert "Give --option NAME=VALUE" in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "hush"), "There is no strategy 'hush'"),
        (("show", "hash", "--option", "length"), "not written as NAME=VALUE"),
        (("show", "hash", "--option", "lenght=8"), "has no option lenght"),
        (("show", "hash", "--column", "geometry"), "no examples of geometry"),
        (("test", "hash", "--column", "geometry"), "No values are known here"),
        (("bench", "hash", "--rows", "10"), "too small"),
        (("new", "hash"), "There is a strategy 'hash' already"),
        (("new", "Two Words"), "cannot be the name"),
    ],
)
def test_wrong_use_is_refused(run: Runner, arguments: tuple[str, ...], said: str) -> None:
    result = run.program("strategies", *arguments)
    assert result.code == 2
    assert said in result.json()["error"]["message"]


def test_new_writes_a_strategy_whose_test_passes(
    run: Runner, tmp_path: Path, configure: Callable[[str], Path], server: Server
) -> None:
    # The configuration may name what is yet to be written.
    configure('[anonymization]\nstrategies = ["strategies.badge_number"]\n')
    result = run("strategies", "new", "badge-number")
    assert result.code == 0, result.said
    assert "strategies test badge-number" in result.out
    tested = run.program("strategies", "test", "badge-number", "--dsn", server.dsn)
    assert tested.code == 0, tested.out
    pytest_of_theirs = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if "PYTEST" not in name},
        capture_output=True,
        text=True,
    )
    assert "2 passed" in pytest_of_theirs.stdout, pytest_of_theirs.stdout

    written = (tmp_path / "strategies" / "badge_number.py").read_text()
    again = run("strategies", "new", "badge-number")
    assert again.code == 2
    assert "nothing was written" in again.said
    assert (tmp_path / "strategies" / "badge_number.py").read_text() == written


@pytest.mark.usefixtures("own")
def test_broken_promise_is_exit_code_1_with_its_example(run: Runner, server: Server) -> None:
    person, program = run.both("strategies", "test", "half", "--dsn", server.dsn)
    assert (person.code, program.code) == (1, 1)
    shown = program.json()
    assert shown["error"]["code"] == "strategy"
    broken = [each for each in shown["result"]["results"] if each["outcome"] == "broken"]
    assert {each["property"] for each in broken} == {"changes"}
    assert "does not keep what it promises: changes" in person.out
    allowed = run.program("strategies", "test", "half", "--without", "changes", "--column", "text")
    assert allowed.code == 0


def test_bench_measures_python_and_sql(run: Runner, server: Server) -> None:
    person, program = run.both("strategies", "bench", "hash", "--rows", "2000", "--dsn", server.dsn)
    assert (person.code, program.code) == (0, 0)
    result = program.json()["result"]
    assert all(result[name] > 0 for name in ("scalar_ns", "batch_ns", "raw_rows"))
    assert 0 < result["sql_share"] <= 1
    assert 0 < result["python_share"] <= 1
    assert "left of it by Python" in person.out


def test_bench_of_sql_alone_has_no_python(run: Runner, server: Server) -> None:
    result = run.program(
        "strategies", "bench", "sql", "--option", "expression=md5({column})",
        "--rows", "1000", "--dsn", server.dsn,
    ).json()["result"]  # fmt: skip
    assert result["scalar_ns"] is result["python_share"] is None
    assert result["sql_share"] > 0
