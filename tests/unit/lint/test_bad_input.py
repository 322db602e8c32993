"""Files that are too large, no SQL, or templates: told with file and line; the rest is judged."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from confiture_flows.lint.fixes import mend_files
from confiture_flows.sql import large
from tests.unit.lint.conftest import LintFiles

MEGABYTES = 1 << 20
TABLE = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);"
INDEX = "CREATE INDEX t_a ON t (a);"


def lint_in_little_memory(folder: Path, megabytes: int) -> str:
    """Lint in a process that gets no more memory; a line for each finding, and the coverage."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from confiture_flows.lint.runner import lint_migrations\n"
        "from confiture_flows.migrations.discovery import discover\n"
        "report = lint_migrations(discover(Path(sys.argv[1])).migrations)\n"
        "for each in report.findings: print(each.path.name, each.line, each.rule)\n"
        "print(report.coverage.sentence)"
    )
    limit = megabytes * MEGABYTES
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def rows() -> Iterator[str]:
    yield "SELECT 1;\n"
    for number in range(200_000):
        yield f"INSERT INTO t (id, a, b) VALUES ({number}, {number}, 0); -- {'x' * 50}\n"
    yield "CREATE INDEX t_b ON t (b);\n"


def definitions() -> Iterator[str]:
    """Views, whose text is long, and a table that gets its key many parts of the file later."""
    yield "CREATE TABLE late (id bigint);\nCREATE INDEX t_b ON t (b);\n"
    words = ", ".join(f"'a value that is number {number}'" for number in range(700))
    for number in range(960):
        yield f"CREATE VIEW v{number} AS SELECT id FROM t WHERE a::text IN ({words});\n"
    yield "ALTER TABLE late ADD CONSTRAINT late_pkey PRIMARY KEY (id);\n"


@pytest.mark.parametrize(("text", "line"), [(rows, 200_002), (definitions, 2)])
def test_twenty_megabytes_are_read_in_bounded_memory(
    text: Callable[[], Iterator[str]], line: int, write: Callable[..., Path]
) -> None:
    whole = "".join(text())
    assert len(whole) > 20 * 1000 * 1000
    files = {"1_table.up.sql": TABLE, "2_large.up.sql": whole, "3_index.up.sql": INDEX}
    *found, coverage = lint_in_little_memory(write(files), 400).splitlines()
    assert found == [f"2_large.up.sql {line} CF01", "3_index.up.sql 1 CF01"]
    assert coverage.endswith(" of 3 files, all of them.")


def test_large_file_is_mended_as_a_small_one(
    lint_files: LintFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\ufeffBEGIN; SELECT 1;\n" + "".join(
        f"INSERT INTO t VALUES ({number}, 'äü;'); CREATE TABLE u{number} (\n"
        "id bigint PRIMARY KEY, at timestamp); SELECT 2;\n"
        for number in range(9)
    )
    files = {"1_table.up.sql": TABLE, "2_large.up.sql": f"{text}COMMIT;"}
    small = lint_files(files)
    monkeypatch.setattr(large, "LARGE_FILE", 300)
    cut = lint_files(files)
    assert any(each.text_byte for each in cut.findings)
    # In pieces a transaction that begins in one and ends in another is still one.
    said = [[(each.rule, each.line) for each in report.findings] for report in (small, cut)]
    assert said[0] == said[1]
    (mended,) = mend_files(cut.findings).values()
    assert mended == text[1:].replace("at timestamp", "at timestamptz") + "COMMIT;"


def test_script_in_pieces_is_one_script(lint_files: LintFiles) -> None:
    files = {
        "1_table.up.sql": TABLE,
        "2_own.up.sql": "BEGIN;\n-- confiture: include part.txt\nCOMMIT;\nBEGIN;",
        "3_none.up.sql": "-- confiture: transaction=none\n-- confiture: include check.txt\n"
        "ALTER TABLE t ALTER a SET NOT NULL;",
        "part.txt": "ALTER TABLE t ADD c int; CREATE INDEX CONCURRENTLY t_c ON t (c);",
        "check.txt": "ALTER TABLE t ADD CONSTRAINT d CHECK (a > 0) NOT VALID;\n"
        "ALTER TABLE t VALIDATE CONSTRAINT d;",
    }
    found = [(each.rule, each.path.name, each.line) for each in lint_files(files).findings]
    assert found == [
        ("CF04", "part.txt", 1),
        ("CF2A", "2_own.up.sql", 4),
        ("CF12", "3_none.up.sql", 3),
    ]
    mended = {path.name for path in mend_files(lint_files(files).findings)}
    assert mended == {"3_none.up.sql"}


@pytest.mark.parametrize(
    "broken",
    [
        "ALTER TABLE {{ table }} ADD COLUMN x int;",
        "CREATE TABLE ${schema}.x (id bigint PRIMARY KEY);",
        "{% if new %} DROP TABLE t; {% endif %};",
        "ALTER TABEL t ADD x int;",
    ],
)
def test_statement_that_is_none_hides_no_other(lint_files: LintFiles, broken: str) -> None:
    files = {"1_table.up.sql": TABLE, "2_broken.up.sql": f"{INDEX}\n{broken}\n{INDEX}"}
    report = lint_files(files, only=frozenset(("2",)))
    said = [(each.rule, each.line, each.next_step) for each in report.findings]
    steps = {step for rule, _, step in said if rule == "CF90"}
    assert {(rule, line) for rule, line, _ in said} >= {("CF01", 1), ("CF90", 2), ("CF01", 3)}
    assert any("template" in step for step in steps) is ("TABEL" not in broken)
    assert "not understood" in report.coverage.sentence


def test_parenthesis_that_nobody_closes_hides_one_statement(lint_files: LintFiles) -> None:
    sql = (
        "CREATE TABLE t (id bigint PRIMARY KEY);\nCREATE TABLE u (a int;\n-- é\nDROP TABLE t;\n((;"
    )
    report = lint_files({"1_t.up.sql": sql})
    assert [(each.rule, each.line) for each in report.findings if each.rule == "CF90"] == [
        ("CF90", 2),
        ("CF90", 5),
    ]
    assert (report.coverage.statements, report.coverage.unread) == (4, 2)
