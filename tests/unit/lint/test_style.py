"""sqlfluff's own rules beside ours: those that the project has, on what is judged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.config import LintConfig, Project
from confiture_flows.errors import ConfigError
from confiture_flows.lint.cache import LintCache
from confiture_flows.lint.judging import judge_migrations
from confiture_flows.lint.report import LintReport
from confiture_flows.lint.settings import settings_of
from confiture_flows.migrations.discovery import discover
from confiture_flows.report.finding import Severity

FILES = {
    "1_table.up.sql": "CREATE TABLE t (id bigint PRIMARY KEY,  a int);\n",
    "2_view.up.sql": "CREATE VIEW v AS select a FROM t;\nCREATE INDEX t_a ON t (a);\n",
}
SQLFLUFF = "[sqlfluff]\nrules = LT01,CP01,CF01,PG01\n"
# (file, line, rule)
Found = list[tuple[str, int, str]]
Judge = Callable[..., LintReport]


@pytest.fixture
def judge(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Lint files with style, in a project that says something to sqlfluff."""
    monkeypatch.chdir(tmp_path)

    def run(
        files: dict[str, str],
        sqlfluff: str = SQLFLUFF,
        *,
        rules: dict[str, str] | None = None,
        only: frozenset[str] | None = None,
        cache: LintCache | None = None,
    ) -> LintReport:
        (tmp_path / ".sqlfluff").write_text(sqlfluff)
        settings = settings_of(Project(lint=LintConfig(rules or {}, style=True)))
        migrations = discover(write(files)).migrations
        return judge_migrations(migrations, settings=settings, only=only, cache=cache)

    return run


def style(report: LintReport) -> Found:
    found = [each for each in report.findings if not each.rule.startswith("CF")]
    return [(each.path.name, each.line, each.rule) for each in found]


def test_rules_are_those_of_the_project_and_ours_run_once(judge: Judge) -> None:
    report = judge(FILES)
    assert style(report) == [("1_table.up.sql", 1, "LT01"), ("2_view.up.sql", 1, "CP01")]
    assert [each.rule for each in report.findings].count("CF01") == 1
    assert {each.severity for each in report.findings if each.rule == "LT01"} == {Severity.WARNING}
    assert style(judge(FILES, "[sqlfluff]\nrules = CP01\n")) == [("2_view.up.sql", 1, "CP01")]


def test_history_has_no_style(judge: Judge) -> None:
    assert style(judge(FILES, only=frozenset(("2",)))) == [("2_view.up.sql", 1, "CP01")]


def test_comments_and_ignored_files_are_heeded(judge: Judge, tmp_path: Path) -> None:
    silenced = FILES | {"2_view.up.sql": "CREATE VIEW v AS select a FROM t; -- noqa: CP01\n"}
    assert style(judge(silenced)) == [("1_table.up.sql", 1, "LT01")]
    (tmp_path / ".sqlfluffignore").write_text("**/1_table.up.sql\n")
    assert style(judge(silenced)) == []


def test_configuration_has_the_last_word(judge: Judge) -> None:
    report = judge(FILES, rules={"layout.spacing": "error", "CP01": "off"})
    assert style(report) == [("1_table.up.sql", 1, "LT01")]
    assert report.findings[-1].severity is Severity.ERROR
    # Rules about the database itself are ours, and no business of sqlfluff's.
    assert style(judge(FILES, rules={"CFD9": "off"}))[0] == ("1_table.up.sql", 1, "LT01")


def test_what_neither_knows_is_refused(judge: Judge) -> None:
    with pytest.raises(ConfigError, match="no rule XX99, neither here nor in sqlfluff"):
        judge(FILES, rules={"XX99": "off"})
    with pytest.raises(ConfigError, match=r"sqlfluff refuses its configuration: .*nowhere"):
        judge(FILES, "[sqlfluff]\ndialect = nowhere\n")


def test_what_sqlfluff_does_not_read_is_told_once_a_file(judge: Judge) -> None:
    odd = "CREATE INDEX a ON ONLY t USING x (y = 1 NULLS);\n"
    files = FILES | {"3_odd.up.sql": "SELECT 1;\n" + 3 * odd, "4_{{ x }}.up.sql": "SELECT {{ x }};"}
    told = [each for each in style(judge(files)) if each[2] == "PRS"]
    assert told == [("3_odd.up.sql", 2, "PRS"), ("4_{{ x }}.up.sql", 1, "PRS")]
    large = FILES | {"3_odd.up.sql": f"SELECT '{'x' * 30_000}';\n", "4_{{ x }}.up.sql": "SELECT 1;"}
    report = judge(large)
    assert ("3_odd.up.sql", 1, "PRS") in style(report)
    assert "30011 bytes, more than 20000" in report.findings[-1].message


def test_unchanged_files_are_not_judged_again(judge: Judge, tmp_path: Path) -> None:
    cache = LintCache(tmp_path / "cache")

    def written() -> set[int]:
        return {each.stat().st_ino for each in cache.folder.iterdir()}

    first = judge(FILES, cache=cache)
    before = written()
    assert judge(FILES, cache=cache) == first
    assert written() == before  # nothing was judged again
    changed = FILES | {"2_view.up.sql": "CREATE VIEW v  AS SELECT a FROM t;\n"}
    assert style(judge(changed, cache=cache))[-1] == ("2_view.up.sql", 1, "LT01")
    assert written() != before
    other = judge(changed, "[sqlfluff]\nrules = CP01\n", cache=cache)
    assert style(other) == []


def test_sqlfluff_is_imported_where_style_is_wanted_only(write: Callable[..., Path]) -> None:
    write(FILES)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from confiture_flows.lint.judging import judge_migrations\n"
        "from confiture_flows.lint.settings import LintSettings\n"
        "from confiture_flows.migrations.discovery import discover\n"
        "judge_migrations(discover(Path(sys.argv[1])).migrations, settings=LintSettings())\n"
        "assert 'sqlfluff' not in sys.modules"
    )
    folder = write(FILES)
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
