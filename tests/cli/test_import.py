"""Writing a directory out as pairs, as a person and as a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.foreign_ledgers import SHOPS

from .conftest import Runner


def test_imported_directory_migrates(
    run: Runner,
    dsn: str,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
) -> None:
    write(SHOPS["goose"].files, "sql")

    result = run("import", "sql", "--into", "db/migrations")

    assert (result.code, result.err) == (0, "")
    assert "3 migrations written to db/migrations (pairs)" in result.out
    assert "3 up scripts had to be rewritten" in result.out
    assert run("migrate", "--plain", dsn=dsn).code == 0
    assert tables() == ["items", "orders", "users"]


def test_layout_that_is_not_detected_is_said(
    run: Runner, write: Callable[..., Path], configure: Callable[[str], Path], dsn: str
) -> None:
    write(SHOPS["prisma"].files, "sql")

    result = run("import", "sql", "--into", "db/migrations")
    assert 'layout = "pairs-by-name"' in result.out

    configure("\n".join(line.strip() for line in result.out.splitlines()[2:4]))
    value = run.program("status", dsn=dsn).json()["result"]["migrations"]
    assert [each["version"] for each in value] == list(SHOPS["prisma"].versions)


def test_program_is_told(run: Runner, write: Callable[..., Path], tmp_path: Path) -> None:
    write(SHOPS["diesel"].files, "sql")

    result = run("import", "sql", "--into", "out", "--layout", "diesel", "--json").json()

    assert (result["ok"], result["command"], result["target"]) == (True, "import", None)
    value = result["result"]
    assert (value["layout"], value["migrations"], value["changed"]) == ("pairs", 3, [])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        Path(file).name for file in value["files"]
    )


def test_as_written_of_the_configuration_becomes_a_marker(
    run: Runner, write: Callable[..., Path], configure: Callable[[str], Path], tmp_path: Path
) -> None:
    write({"1_a/migration.sql": "SELECT 1;\nCOMMIT;\nSELECT 2;\n"}, "sql")
    plain = run("import", "sql", "--into", "plain")
    assert plain.code == 0
    assert "COMMIT would end the migration's transaction" in plain.err

    configure('[migrations]\ntransaction = "as-written"\n')
    assert run("import", "sql", "--into", "marked").code == 0

    marked = (tmp_path / "marked" / "1_a.up.sql").read_text()
    assert marked.startswith("-- confiture: transaction=as-written\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere", "--into", "out"], 2, "There is no directory nowhere"),
        (["sql", "--into", "sql"], 2, "There are migrations in sql already"),
        (["sql", "--into", "out", "--layout", "yaml"], 2, "There is no layout 'yaml'"),
        (["sql"], 2, "into"),
        (["sql", "--into", "out", "--dir", "other"], 2, "--dir"),
    ],
)
def test_wrong_usage_writes_nothing(
    arguments: list[str],
    code: int,
    said: str,
    run: Runner,
    write: Callable[..., Path],
    tmp_path: Path,
) -> None:
    write(SHOPS["diesel"].files, "sql")

    result = run("import", *arguments)

    assert result.code == code
    assert said in result.said
    assert not (tmp_path / "out").exists()


def test_repeated_version_exits_5(run: Runner, write: Callable[..., Path]) -> None:
    write({"1_a.up.sql": "SELECT 1;", "1_b.up.sql": "SELECT 1;"}, "sql")

    result = run("import", "sql", "--into", "out", "--json")

    assert (result.code, result.json()["error"]["code"]) == (5, "history")
    assert "pairs-by-name" in result.json()["error"]["next_step"]
