"""Which files a text includes, where each statement then stands, and which includes are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.migration import Script

Files = dict[str, str]
Write = Callable[..., Script]


@pytest.fixture
def script(tmp_path: Path) -> Write:
    """Write files below a project; the script is `db/main.sql`."""

    def write(files: Files, **options: object) -> Script:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Script(tmp_path / "db" / "main.sql", root=tmp_path, **options)  # pyright: ignore[reportArgumentType]

    return write


def places(script: Script) -> list[tuple[str, str, int, int]]:
    return [
        (each.sql, each.file.name if each.file else "", each.line, each.number)
        for batch in script.batches()
        for each in batch.statements
    ]


def refused(script: Script) -> MigrationFileError:
    with pytest.raises(MigrationFileError) as caught:
        script.batches()
    return caught.value


def test_included_statements_stand_in_their_own_file(script: Write) -> None:
    main = script(
        {
            "db/main.sql": "SELECT 1;\n-- confiture: include ../views/a.sql\n\nSELECT 4;\n",
            "views/a.sql": "-- a view\nSELECT 2;\n  -- confiture: include b.sql\r\n",
            "views/b.sql": "\nSELECT 3;",
        }
    )

    assert places(main) == [
        ("SELECT 1", "main.sql", 1, 1),
        ("SELECT 2", "a.sql", 2, 2),
        ("SELECT 3", "b.sql", 2, 3),
        ("SELECT 4", "main.sql", 4, 4),
    ]


def test_section_of_a_file_includes_too(script: Write) -> None:
    main = script(
        {"db/main.sql": "-- up\n-- confiture: include a.sql\n-- down\n", "db/a.sql": "SELECT 1;"},
        lines=(1, 2),
    )
    assert places(main) == [("SELECT 1", "a.sql", 1, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '\n-- confiture: include a.sql\n';",
        "/*\n-- confiture: include a.sql\n*/ SELECT 1;",
        "DO $$ BEGIN\n-- confiture: include a.sql\nEND $$;",
        "COPY t FROM stdin;\n-- confiture: include a.sql\n\\.\n",
        "-- confiture:tier additive, to include later\nSELECT 1;",
    ],
    ids=["string", "comment", "body", "copy", "words"],
)
def test_what_only_looks_like_an_include_is_text(script: Write, text: str) -> None:
    assert [name for _, name, _, _ in places(script({"db/main.sql": text}))] == ["main.sql"]


def test_a_file_may_be_included_twice(script: Write) -> None:
    line = "-- confiture: include a.sql\n"
    main = script({"db/main.sql": line + line, "db/a.sql": "SELECT 1;"})
    assert [number for *_, number in places(main)] == [1, 2]


def test_placeholders_of_included_files_are_replaced(script: Write) -> None:
    from confiture_flows.sql.placeholders import Placeholders

    main = script(
        {"db/main.sql": "-- confiture: include a.sql\n", "db/a.sql": "\nSELECT ${x}, ${y};"},
        placeholders=Placeholders({"x": "1"}),
    )
    error = refused(main)
    assert (error.file, error.line) == (main.path.parent / "a.sql", 2)


@pytest.mark.parametrize(
    ("files", "place", "message"),
    [
        ({"db/main.sql": "\n-- confiture: include no.sql"}, ("main.sql", 2), "no file no.sql"),
        (
            {"db/main.sql": "-- confiture: include ../../../../etc/passwd"},
            ("main.sql", 1),
            "outside",
        ),
        ({"db/main.sql": "-- confiture: include /etc/passwd"}, ("main.sql", 1), "outside"),
        (
            {"db/main.sql": "-- confiture: include main.sql"},
            ("main.sql", 1),
            "main.sql -> main.sql",
        ),
        (
            {
                "db/main.sql": "-- confiture: include a.sql",
                "db/a.sql": "SELECT 1;\n-- confiture: include ../db/main.sql",
            },
            ("a.sql", 2),
            "main.sql -> a.sql -> main.sql",
        ),
        ({"db/main.sql": "SELECT 1; -- confiture: include a.sql"}, ("main.sql", 1), "nearly one"),
        ({"db/main.sql": "-- confiture include a.sql"}, ("main.sql", 1), "nearly one"),
        ({"db/main.sql": "-- Confiture: Include a.sql"}, ("main.sql", 1), "nearly one"),
        ({"db/main.sql": "SELECT 1;\n-- confiture: include"}, ("main.sql", 2), "nearly one"),
        (
            {"db/main.sql": "-- confiture: include a.sql", "db/a.sql": "\nSELEC 1;"},
            ("a.sql", 2),
            "parser refuses",
        ),
        (
            {"db/main.sql": "-- confiture: include a.sql", "db/a.sql": "SELECT 1;\nCOMMIT;"},
            ("a.sql", 2),
            "COMMIT would end",
        ),
        (
            {
                "db/main.sql": "-- confiture: include a.sql",
                "db/a.sql": "-- confiture: transaction=none\nSELECT 1;",
            },
            ("a.sql", None),
            "marker has no effect",
        ),
        (
            {"db/main.sql": "-- confiture: include a.sql", "db/a.sql": "SELECT 1;\n\0"},
            ("a.sql", 2),
            "NUL byte",
        ),
    ],
)
def test_include_that_cannot_be_followed_names_file_and_line(
    script: Write, files: Files, place: tuple[str, int | None], message: str
) -> None:
    error = refused(script(files))
    assert (error.file.name if error.file else "", error.line) == place
    assert message in error.message


def test_link_out_of_the_project_is_not_followed(script: Write, tmp_path: Path) -> None:
    main = script({"db/main.sql": "-- confiture: include link.sql", "other/a.sql": "SELECT 1;"})
    (tmp_path / "db" / "link.sql").symlink_to("/etc/passwd")
    assert "outside" in refused(main).message


def test_include_within_a_statement_is_refused_with_the_reason(script: Write) -> None:
    text = "SELECT 1;\nCREATE TABLE t (\n-- confiture: include a.sql\n);"
    error = refused(script({"db/main.sql": text, "db/a.sql": "id int"}))
    assert (error.line, error.next_step) == (
        2,
        "The include below cuts it; it has to stand between statements.",
    )


def test_without_a_root_only_the_files_own_folder_counts(tmp_path: Path) -> None:
    path = tmp_path / "db" / "main.sql"
    path.parent.mkdir()
    path.write_text("-- confiture: include ../a.sql")
    (tmp_path / "a.sql").write_text("SELECT 1;")
    assert "outside" in refused(Script(path)).message


@pytest.mark.parametrize(
    ("command", "file"),
    [(r"\i a.sql", "a.sql"), (r"\ir ../a.sql", "../a.sql"), (r"\include 'a b.sql'", "a b.sql")],
)
def test_psqls_own_include_is_refused_with_ours(script: Write, command: str, file: str) -> None:
    error = refused(script({"db/main.sql": f"SELECT 1;\n{command}\nSELECT 2;"}))
    assert error.line == 2
    assert f"-- confiture: include {file} " in (error.next_step or "")


def test_transaction_marker_counts_on_either_side_of_an_include(script: Write) -> None:
    include, marker = "-- confiture: include a.sql", "-- confiture: transaction=none"
    for first, second in ((include, marker), (marker, include)):
        main = script({"db/main.sql": f"{first}\n{second}\n", "db/a.sql": "SELECT 1; SELECT 2;"})
        assert [batch.transactional for batch in main.batches()] == [False, False]
