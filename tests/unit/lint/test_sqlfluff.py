"""The rules inside sqlfluff: the same findings, noqa, fixes, and text that is not on disk yet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlfluff.core import FluffConfig, Linter, SQLBaseError

from confiture_flows.lint.cache import user_cache
from confiture_flows.lint.registry import own_rules
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.testing import RuleCase, read_cases
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.migration import Script

# (file, line, rule)
Found = list[tuple[str, int, str]]
# Every file of these; of the larger ones, which take sqlfluff half a minute, every third.
# CONFITURE_TEST_ALL_CORPORA=1 takes all.
CASES = Path(__file__).parents[2] / "rules"
PROJECTS = {"svix": 1, "neosync": 1, "e2b": 3, "crates_io": 3, "langfuse": 6, "concourse": 6}


def linter(rules: str = "confiture", dialect: str = "postgres") -> Linter:
    return Linter(
        FluffConfig(
            overrides={
                "dialect": dialect,
                "rules": rules,
                "templater": "raw",
                "large_file_skip_byte_limit": 0,
            }
        )
    )


def line_of(told: SQLBaseError) -> int:
    """To sqlfluff the body of a DO block is one string; the line itself is in the words."""
    inside = re.search(r"\(Line (\d+)\.\)$", told.desc())
    return int(inside[1]) if inside else told.line_no


def by_sqlfluff(path: Path, text: str | None = None, rules: str = "confiture") -> Found:
    text = path.read_text(encoding="utf-8") if text is None else text
    linted = linter(rules).lint_string(text, fname=str(path))
    found = linted.get_violations(rules=None)
    return sorted(
        (str(path), line_of(each), each.rule_code())
        for each in found
        if each.rule_code().startswith("CF")
    )


@pytest.mark.parametrize(("project", "step"), PROJECTS.items())
def test_both_ways_find_the_same(project: str, step: int, corpora: Path) -> None:
    migrations = discover(corpora / project / "migrations").migrations
    step = 1 if os.environ.get("CONFITURE_TEST_ALL_CORPORA") else step
    scripts = [each.up for each in migrations if isinstance(each.up, Script)]
    # A section of a file has the name of the file: sqlfluff sees all of it.
    paths = [script.path for script in scripts][::step]
    own = lint_migrations(migrations).findings
    assert own
    for path in paths:
        expected = sorted((str(path), each.line, each.rule) for each in own if each.path == path)
        assert by_sqlfluff(path) == expected


@pytest.fixture
def folder(write: Callable[..., Path]) -> Path:
    return write(
        {
            "1_table.up.sql": "CREATE TABLE t (id bigint PRIMARY KEY, a int);\n",
            "2_index.up.sql": "-- é\nCREATE INDEX t_a ON t (a);\n",
        }
    )


def test_history_is_that_of_the_files_beside_it(folder: Path) -> None:
    path = folder / "2_index.up.sql"
    assert by_sqlfluff(path, rules="CF01") == [(str(path), 2, "CF01")]
    assert by_sqlfluff(folder / "1_table.up.sql", rules="CF01") == []


def test_text_of_an_editor_is_judged_before_it_is_saved(folder: Path) -> None:
    path = folder / "2_index.up.sql"
    # How Emacs says that somebody edits the file.
    (folder / ".#2_index.up.sql").symlink_to("somebody@somewhere.1:2")
    saved = by_sqlfluff(path, "CREATE INDEX CONCURRENTLY t_a ON t (a);\n", "CF01")
    assert saved == []
    assert by_sqlfluff(path, "\nDROP INDEX t_a;\n\nCREATE INDEX t_a ON t (a);\n", "CF01") == [
        (str(path), 4, "CF01")
    ]


def test_noqa_silences(folder: Path) -> None:
    path = folder / "2_index.up.sql"
    for word in ("CF01", "locks", "confiture"):
        assert by_sqlfluff(path, f"CREATE INDEX t_a ON t (a); -- noqa: {word}\n", "CF01") == []


def test_fix_is_the_runners_own(folder: Path) -> None:
    path = folder / "2_index.up.sql"
    linted = linter("CF01").lint_string(path.read_text(), fname=str(path), fix=True)
    assert linted.fix_string()[0] == "-- é\nCREATE INDEX CONCURRENTLY t_a ON t (a);\n"


def mended_cases() -> list[Any]:
    found: list[Any] = []
    for rule in own_rules():
        cases = read_cases(CASES / f"{rule.code}.yml") if rule.fixable else ()
        wanted = [each for each in cases if each.fix not in (None, each.sql)]
        # The last two: what is odd comes late in the files.
        found += [
            pytest.param(rule.code, each, id=f"{rule.code}-{number}")
            for number, each in enumerate(wanted[-2:], 1)
        ]
    return found


@pytest.mark.parametrize(("code", "case"), mended_cases())
def test_sqlfluff_mends_what_the_runner_mends(
    code: str, case: RuleCase, write: Callable[..., Path]
) -> None:
    files = {
        "0_before.up.sql": case.before,
        "1_beside.up.sql": case.beside,
        "2_case.up.sql": case.sql,
        "2_case.down.sql": case.down,
        "3_after.up.sql": case.after,
    }
    path = write({name: text for name, text in files.items() if text}) / "2_case.up.sql"
    # Some rules are off until the configuration names them.
    (path.parent / "confiture.toml").write_text(f'[lint.rules]\n{code} = "info"\n')
    using = linter(code)
    using.config.set_value(["fix_even_unparsable"], True)
    for _ in range(2):  # the second time changes nothing
        linted = using.lint_string(path.read_text(encoding="utf-8"), fname=str(path), fix=True)
        path.write_text(linted.fix_string()[0], encoding="utf-8")
        assert path.read_text(encoding="utf-8") == case.fix


def test_other_dialects_are_left_alone(folder: Path) -> None:
    path = folder / "2_index.up.sql"
    linted = linter("CF01", "ansi").lint_string(path.read_text(), fname=str(path))
    assert linted.get_violations(rules="CF01") == []


def test_sql_without_a_folder_of_migrations_is_judged_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes" / "x.sql"
    path.parent.mkdir()
    assert by_sqlfluff(path, "CREATE INDEX t_a ON t (a);\n", "CF01") == [(str(path), 1, "CF01")]


def test_wrong_configuration_is_told_once(folder: Path) -> None:
    (folder / "confiture.toml").write_text('[lint.rules]\nCF1000 = "off"\n')
    path = folder / "2_index.up.sql"
    linted = linter().lint_string(path.read_text(encoding="utf-8"), fname=str(path))
    (told,) = linted.get_violations()
    assert told.desc().startswith("lint.rules: there is no rule CF1000.")


def test_states_of_the_history_are_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = folder / "2_index.up.sql"
    text = "CREATE INDEX other ON t (id, a);\n"
    first = by_sqlfluff(path, text)
    (kept,) = (tmp_path / "cache" / "confiture-flows" / "lint").iterdir()
    stamp = kept.stat().st_ino
    assert by_sqlfluff(path, text) == first
    assert kept.stat().st_ino == stamp
    # Whoever lints the directory goes on from the same state.
    own = lint_migrations(discover(folder).migrations, cache=user_cache()).findings
    assert own == lint_migrations(discover(folder).migrations).findings
    assert len(list(kept.parent.iterdir())) == 3  # that one, the last, and what was found


def test_sqlfluff_starts_without_prefect() -> None:
    code = (
        "import sys; from sqlfluff.core.rules import get_ruleset; get_ruleset();"
        "assert not {'prefect', 'psycopg', 'postgast'} & set(sys.modules);"
        "assert not [each for each in sys.modules if 'confiture_flows.lint.rules' in each]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
