"""Which migrations are judged, with which history, and how bad their findings are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.config import LintConfig, Project
from confiture_flows.errors import ConfigError
from confiture_flows.lint.baseline import without_known, write_baseline
from confiture_flows.lint.fixes import mend_files, write_mended
from confiture_flows.lint.report import LintReport
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.settings import LintSettings, settings_of
from confiture_flows.lint.state import KnownState
from confiture_flows.migrations.discovery import discover
from confiture_flows.report.finding import Severity
from confiture_flows.sql.operations import operations_of
from tests.unit.lint.conftest import LintFiles

TABLE = "CREATE TABLE public.t (id bigint PRIMARY KEY, a int);"
INDEX = "CREATE INDEX t_a ON t (a);"
FILES = {"1_table.up.sql": TABLE, "2_index.up.sql": INDEX}


def rules(report: LintReport) -> list[str]:
    return [each.rule for each in report.findings if each.rule in ("CF01", "CF12", "CF90")]


def test_table_of_an_earlier_migration_has_rows(lint_files: LintFiles) -> None:
    assert rules(lint_files(FILES)) == ["CF01"]


def test_table_of_the_same_set_is_empty(lint_files: LintFiles) -> None:
    pending = frozenset(("1", "2"))
    assert rules(lint_files(FILES, only=pending, together=True)) == []
    assert rules(lint_files(FILES, only=frozenset(("2",)), together=True)) == ["CF01"]


def test_what_is_not_chosen_is_history_and_has_no_findings(lint_files: LintFiles) -> None:
    report = lint_files(FILES, only=frozenset(("1",)))
    assert rules(report) == []
    assert report.coverage.files == 1


def test_what_a_database_holds_was_made_by_no_version(write: Callable[..., Path]) -> None:
    start = KnownState()
    start.begin("")
    for each in operations_of(TABLE):
        start.apply(each)
    folder = write({"1_again.up.sql": "CREATE TABLE IF NOT EXISTS t (id bigint);"})
    report = lint_migrations(discover(folder).migrations, start=start)
    (said,) = [each.message for each in report.findings if each.rule == "CF85"]
    assert said == "t is there already, so this does nothing."


def test_no_rules_find_nothing(write: Callable[..., Path]) -> None:
    assert lint_migrations(discover(write(FILES)).migrations, rules=()).findings == ()


def test_renamed_table_is_still_known(lint_files: LintFiles) -> None:
    files = {
        **FILES,
        "3_rename.up.sql": "ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME COLUMN a TO b;",
        "4_set.up.sql": "ALTER TABLE u ADD CONSTRAINT c CHECK (b IS NOT NULL) NOT VALID;",
        "5_validate.up.sql": "ALTER TABLE u VALIDATE CONSTRAINT c;",
        "6_not_null.up.sql": "ALTER TABLE u ALTER b SET NOT NULL;",
    }
    assert rules(lint_files(files, only=frozenset(("6",)))) == []


def test_configuration_decides_severities(lint_files: LintFiles) -> None:
    off = settings_of(Project(lint=LintConfig({"safety.require_concurrent_index": "off"})))
    assert rules(lint_files(FILES, settings=off)) == []
    info = settings_of(Project(lint=LintConfig({"cf01": "info"})))
    assert lint_files(FILES, settings=info).findings[-1].severity is Severity.INFO


def test_unknown_rule_in_the_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"there is no rule CF1000"):
        settings_of(Project(lint=LintConfig({"CF1000": "off"})))


def test_rule_that_is_off_by_default_runs_where_it_is_named(lint_files: LintFiles) -> None:
    files = {"1_type.up.sql": "ALTER TYPE mood ADD VALUE 'blue';"}
    assert [each.rule for each in lint_files(files).findings] == []
    named = settings_of(Project(lint=LintConfig({"CF4A": "warning"})))
    (finding,) = lint_files(files, settings=named).findings
    assert (finding.rule, finding.severity) == ("CF4A", Severity.WARNING)


def test_names_are_those_of_the_configuration(lint_files: LintFiles) -> None:
    said = settings_of(Project(lint=LintConfig(names={"column": "[a-z]{3,}"})))
    found = lint_files({"1_table.up.sql": TABLE}, settings=said).findings
    assert [each.message for each in found if each.rule == "CF65"] == [
        "The column id does not match [a-z]{3,}.",
        "The column a does not match [a-z]{3,}.",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"tables": "x"}, "there is no kind of object tables"),
        ({"table": "("}, r"lint.names.table: \( is no regular expression"),
    ],
)
def test_wrong_names_in_the_configuration_are_refused(names: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings_of(Project(lint=LintConfig(names=names)))


def test_dropped_views_are_followed(lint_files: LintFiles) -> None:
    files = {
        "1_table.up.sql": TABLE + "CREATE VIEW v AS SELECT a FROM t;",
        "2_move.up.sql": "ALTER VIEW v RENAME TO w; ALTER TABLE t RENAME TO u;",
        "3_drop.up.sql": "DROP TABLE u;",
    }
    found = lint_files(files, only=frozenset(("3",))).findings
    assert [each.message for each in found if each.rule == "CF43"] == [
        "PostgreSQL refuses to drop u, which is needed by the view public.w."
    ]


def test_python_may_make_any_table(lint_files: LintFiles, write: Callable[..., Path]) -> None:
    alter = {"3_alter.up.sql": "ALTER TABLE oders ADD a int;"}
    assert "CF87" in [each.rule for each in lint_files(FILES | alter).findings]
    write({"2_x.py": "def up(conn): ..."})
    assert "CF87" not in [each.rule for each in lint_files(FILES | alter).findings]


def test_excluded_file_is_history(lint_files: LintFiles) -> None:
    excluded = LintSettings(exclude=("2_*.sql",))
    assert rules(lint_files(FILES, settings=excluded)) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (INDEX + " -- noqa", []),
        (INDEX + " -- noqa: CF01", []),
        (INDEX + " -- noqa: CF02, CF01 small table", []),
        (INDEX + " -- NOQA: safety.*", []),
        (INDEX + " -- noqa: CF02", ["CF01"]),
        (INDEX + " -- noqa: locks", []),
        (INDEX + " -- noqa: types, confiture", []),
        (INDEX + " -- noqa: types", ["CF01"]),
        ("-- noqa: CF01\n" + INDEX, ["CF01"]),
        ("-- noqa: disable=CF01\n" + INDEX, []),
        ("-- noqa: disable=all\n" + INDEX, []),
        ("-- noqa: disable=CF01\n-- noqa: enable=CF01\n" + INDEX, ["CF01"]),
        (INDEX + " SELECT '-- noqa';", ["CF01"]),
    ],
)
def test_comments_silence_findings(lint_files: LintFiles, sql: str, found: list[str]) -> None:
    files = {"1_table.up.sql": TABLE, "2_index.up.sql": sql}
    assert rules(lint_files(files, only=frozenset(("2",)))) == found


def test_file_with_a_mistake_hides_no_other(lint_files: LintFiles) -> None:
    files = {"1_table.up.sql": TABLE, "2_wrong.up.sql": "ALTER {{ x }};", "3_index.up.sql": INDEX}
    report = lint_files(files)
    assert rules(report) == ["CF90", "CF01"]
    assert "template" in report.findings[-2].next_step
    assert report.coverage.unread == 1
    assert "1 statement or body not understood" in report.coverage.sentence


def test_file_that_cannot_be_read_is_a_finding(
    lint_files: LintFiles, write: Callable[..., Path]
) -> None:
    write({"2_latin.up.sql": "-- é".encode("latin-1")})
    report = lint_files({"1_table.up.sql": TABLE, "3_index.up.sql": INDEX})
    assert rules(report) == ["CF90", "CF01"]
    assert report.findings[-2].path.name == "2_latin.up.sql"


def test_line_is_the_files_in_a_section_of_it(lint_files: LintFiles) -> None:
    files = {
        "1_t.sql": f"-- migrate:up\n{TABLE}\n-- migrate:down\nDROP TABLE t;\n",
        "2_i.sql": f"-- migrate:up\n\n{INDEX}\n\n-- migrate:down\nDROP INDEX t_a;\n",
    }
    finding = next(each for each in lint_files(files).findings if each.rule == "CF01")
    assert finding.line == 3


def test_fix_mends_sections_and_keeps_the_rest(
    lint_files: LintFiles, write: Callable[..., Path]
) -> None:
    head = "\ufeff-- migrate:up\r\n-- ü\r\n"
    folder = write({"2_i.sql": f"{head}{INDEX}\r\n-- migrate:down\r\nDROP INDEX t_a;\r\n"})
    files = {"1_t.sql": f"-- migrate:up\n{TABLE}\n"}
    for path, text in mend_files(lint_files(files).findings).items():
        write_mended(path, text)
    mended = (folder / "2_i.sql").read_bytes().decode()
    assert mended == (
        f"{head}CREATE INDEX CONCURRENTLY t_a ON t (a);\r\n-- migrate:down\r\nDROP INDEX t_a;\r\n"
    )
    assert mend_files(lint_files(files).findings) == {}


def test_baseline_leaves_known_findings_out(lint_files: LintFiles, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    write_baseline(lint_files(FILES), path)
    moved = {**FILES, "2_index.up.sql": f"-- a comment\n\n{INDEX}"}
    report = without_known(lint_files(moved), path)
    assert report.findings == ()
    assert report.known
    again = {**FILES, "3_index.up.sql": "CREATE INDEX other ON t (a, id);"}
    assert "CF01" in rules(without_known(lint_files(again), path))


def test_wrong_baseline_is_refused(lint_files: LintFiles, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text("[]")
    with pytest.raises(ConfigError, match="no baseline"):
        without_known(lint_files(FILES), path)


@pytest.mark.parametrize("project", ["concourse", "neosync", "svix"])
def test_fixes_leave_sql_that_can_be_read_and_nothing_to_mend(
    project: str, corpora: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(corpora / project / "migrations", folder)
    passes = 0
    while mended := mend_files(lint_migrations(discover(folder).migrations).findings):
        passes += 1
        assert passes < 5
        for path, text in mended.items():
            write_mended(path, text)
    again = lint_migrations(discover(folder).migrations)
    assert passes
    assert again.coverage.unread == 0
    assert mend_files(again.findings) == {}


@pytest.mark.parametrize(
    ("later", "mended"),
    [
        ("COMMENT ON INDEX T_A2 IS 'ü';", False),
        ("COMMENT ON INDEX t_a2 IS 'u';", False),
        ("COMMENT ON INDEX t_a IS 'u';", False),
        ("COMMENT ON INDEX t_a22 IS 'u';", True),
    ],
)
def test_superfluous_index_stays_where_a_later_migration_names_it(
    lint_files: LintFiles, later: str, mended: bool
) -> None:
    files = {
        "1_t.up.sql": "CREATE TABLE t (id bigint PRIMARY KEY, a int); CREATE INDEX t_a ON t (a);",
        "2_again.up.sql": "CREATE INDEX t_a2 ON t (a); SELECT 1;",
        "3_later.up.sql": later,
    }
    (found,) = (each for each in lint_files(files).findings if each.rule == "CF67")
    assert bool(found.edits) == mended
