"""The cache of states: it changes no finding, whatever becomes of its files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from confiture_flows.lint.cache import LintCache, chained_links, packed, user_cache
from confiture_flows.lint.report import LintReport
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.settings import LintSettings
from confiture_flows.lint.statistics import TableFacts, TableStatistics
from confiture_flows.migrations.discovery import discover
from confiture_flows.sql.parts import ObjectName

FILES = {
    "1_table.up.sql": "CREATE TABLE t (id bigint PRIMARY KEY, a int);",
    "2_check.up.sql": "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
    "3_index.up.sql": "CREATE INDEX t_a ON t (a);",
    "3_index.down.sql": "DROP INDEX t_a;",
}
Judge = Callable[..., LintReport]


@pytest.fixture
def cache(tmp_path: Path) -> LintCache:
    return LintCache(tmp_path / "cache" / "lint")


@pytest.fixture
def judge(write: Callable[..., Path], cache: LintCache) -> Judge:
    """Lint with the cache; what is found without it must be the same."""

    def run(files: dict[str, str], settings: LintSettings | None = None) -> LintReport:
        migrations = discover(write(files), as_written=True).migrations
        cached = lint_migrations(migrations, settings=settings, cache=cache)
        assert cached == lint_migrations(migrations, settings=settings)
        return cached

    return run


def rules(report: LintReport) -> set[str]:
    return {each.rule for each in report.findings}


def test_unchanged_files_are_taken_from_the_cache(judge: Judge, cache: LintCache) -> None:
    assert {"CF71", "CF01"} <= rules(judge(FILES))
    stamps = {each.name: each.stat().st_ino for each in cache.folder.iterdir()}
    assert len(stamps) == 3  # two states, and what was found
    assert judge(FILES) == judge(FILES)
    # Nothing was written again, since nothing was judged again.
    assert {each.name: each.stat().st_ino for each in cache.folder.iterdir()} == stamps


def test_what_was_judged_by_other_sizes_is_judged_again(judge: Judge) -> None:
    name = ObjectName("public", "t")
    found: list[str] = []
    for rows in (100, 10**8):
        statistics = TableStatistics(date(2026, 11, 25), {name: TableFacts(rows, rows * 100)})
        report = judge(FILES, LintSettings(statistics=statistics))
        found += [each.severity.label for each in report.findings if each.rule == "CF01"]
    assert found == ["info", "error"]


@pytest.mark.parametrize(
    ("change", "found", "gone"),
    [
        ({"4_more.up.sql": "ALTER TABLE t VALIDATE CONSTRAINT c;"}, "CF01", "CF71"),
        ({"3_index.up.sql": "DROP TABLE t;"}, "CF28", "CF01"),
        ({"3_index.down.sql": "SELECT 1;"}, "CF84", "CF28"),
        ({"1_table.up.sql": "CREATE TABLE t (id bigint, a int);"}, "CF55", "CF28"),
    ],
)
def test_what_changes_is_judged_again(
    judge: Judge, change: dict[str, str], found: str, gone: str
) -> None:
    judge(FILES)
    report = judge(FILES | change)
    assert found in rules(report)
    assert gone not in rules(report)


def test_other_settings_are_another_question(judge: Judge) -> None:
    assert "CF01" in rules(judge(FILES))
    assert "CF01" not in rules(judge(FILES, LintSettings({"CF01": None})))


def test_included_files_are_read_each_time(judge: Judge, write: Callable[..., Path]) -> None:
    files = FILES | {"4_more.up.sql": "-- confiture: include more.inc"}
    write({"more.inc": "SELECT 1;"})
    assert "CF28" not in rules(judge(files))
    write({"more.inc": "DROP TABLE t;"})
    assert "CF28" in rules(judge(files))


@pytest.mark.parametrize("damage", [b"", b"\0" * 200, b"cut"])
def test_damaged_files_are_as_if_they_were_not_there(
    judge: Judge, cache: LintCache, damage: bytes
) -> None:
    judge(FILES)
    for each in cache.folder.iterdir():
        each.write_bytes(each.read_bytes()[:-7] if damage == b"cut" else damage)
    assert "CF01" in rules(judge(FILES))


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_file_of_somebody_else_runs_nothing(cache: LintCache, tmp_path: Path) -> None:
    cache.keep("a", packed(Evil(tmp_path / "made")))
    assert cache.recall(["a"]) == (0, None)
    assert not (tmp_path / "made").exists()


def test_folder_that_cannot_be_made_is_no_error(judge: Judge, cache: LintCache) -> None:
    cache.folder.parent.write_text("a file")
    assert "CF01" in rules(judge(FILES))


def test_writers_do_not_disturb_one_another(cache: LintCache) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: cache.keep("a", packed((number, "x" * 9999))), range(60)))
    number, found = cache.recall(["a", "b"])
    assert number == 1
    assert isinstance(found, tuple)
    assert [each.name for each in cache.folder.iterdir()] == ["a"]


def test_old_states_go(cache: LintCache) -> None:
    for number in range(70):
        cache.keep(f"{number}", packed(number))
    assert len(list(cache.folder.iterdir())) == 60
    assert cache.recall(["69"]) == (1, 69)


def test_chain_says_all_that_came_before(write: Callable[..., Path]) -> None:
    links = chained_links(discover(write(FILES)).migrations, "")
    other = write({"1_table.up.sql": "CREATE TABLE t (a int);"})
    assert not set(links) & set(chained_links(discover(other).migrations, ""))
    assert len(set(links)) == 3


def test_cache_lies_where_the_user_wants_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == LintCache(tmp_path / "confiture-flows" / "lint")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = user_cache()
    assert found
    assert found.folder.is_relative_to(tmp_path / "home")


def test_what_was_found_needs_neither_state_nor_rules(
    judge: Judge, cache: LintCache, write: Callable[..., Path]
) -> None:
    found = judge(FILES)
    directory = write(FILES)
    program = f"""
import sys
from pathlib import Path
from confiture_flows.lint.cache import LintCache
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.migrations.discovery import discover
migrations = discover(Path({str(directory)!r}), as_written=True).migrations
report = lint_migrations(migrations, cache=LintCache(Path({str(cache.folder)!r})))
print(*(each.rule for each in report.findings))
needless = {{"confiture_flows.lint.walk", "confiture_flows.lint.rule", "postgast"}}
print(sorted(needless & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    told, imported = done.stdout.splitlines()
    assert told.split() == [each.rule for each in found.findings]
    assert imported == "[]"
