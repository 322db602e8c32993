"""Where statements begin and end, on which line, and what an excerpt may show."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.statements import Statement, split_statements

PATH = Path("0001_users.up.sql")


def split(text: str, first_line: int = 1) -> tuple[Statement, ...]:
    return split_statements(text, PATH, first_line)


def refused(text: str, first_line: int = 1) -> MigrationFileError:
    with pytest.raises(MigrationFileError) as caught:
        split(text, first_line)
    assert caught.value.file == PATH
    return caught.value


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("SELECT 1;\nSELECT 2;\n", [1, 2], id="plain"),
        pytest.param("SELECT 1; SELECT 2;", [1, 1], id="one_line"),
        pytest.param("\n\n  SELECT\n1\n;\n\nSELECT 2", [3, 7], id="blank_lines"),
        pytest.param("-- a\n-- b\nSELECT 1;\n-- c\n\nSELECT 2; -- d", [3, 6], id="comments"),
        pytest.param("/* a\n b */ SELECT 1;", [2], id="block_comment"),
        pytest.param("/* a /* b\n */ -- ;\n c */\nSELECT 1;", [4], id="nested_block_comment"),
        pytest.param("-- a\r\nSELECT 1;\r\n\r\nSELECT 2;\r\n", [2, 4], id="windows_line_ends"),
        pytest.param("-- é 🐘\nSELECT 'üü';\n\n-- ß\nSELECT 2;", [2, 5], id="non_ascii_before"),
        pytest.param(";;\nSELECT 1;;\n;SELECT 2", [2, 3], id="empty_statements"),
        pytest.param("-- only\n/* comments */\n", [], id="comments_only"),
        pytest.param("", [], id="empty"),
        pytest.param("-- a\rSELECT 1;", [1], id="comment_ended_by_carriage_return"),
    ],
)
def test_statement_stands_on_the_line_of_its_first_word(text: str, lines: list[int]) -> None:
    statements = split(text)

    assert [statement.line for statement in statements] == lines
    assert [statement.number for statement in statements] == list(range(1, len(lines) + 1))
    assert all(statement.sql.startswith("SELECT") for statement in statements)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ';'",
        "SELECT 'it''s;'",
        r"SELECT E'\';'",
        "SELECT $$;$$",
        "SELECT $a$ $b$;$b$ ; $a$",
        'SELECT 1 AS ";"',
        "SELECT 1 -- ;\n, 2",
        "SELECT /* ; */ 1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$\nBEGIN\n  RETURN 1;\nEND;\n$f$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    ],
)
def test_semicolon_inside_a_statement_does_not_end_it(sql: str) -> None:
    first, second = split(f"{sql};\nSELECT 2;")

    assert first.sql == sql
    assert (second.sql, second.line) == ("SELECT 2", sql.count("\n") + 2)


def test_section_keeps_the_lines_of_its_file() -> None:
    statements = split("-- +goose Up\nSELECT 1;\n\nSELECT 2;", first_line=10)

    assert [statement.line for statement in statements] == [11, 13]
    assert refused("-- +goose Up\n\nSELEC 1;", first_line=10).line == 12


@pytest.mark.parametrize(
    ("text", "line", "excerpt"),
    [
        pytest.param("SELECT 1;\nSELEC 2;\nSELECT 3;", 2, "SELEC 2;", id="misspelt"),
        pytest.param("-- é\nSELECT 'éé';\nSELEC 3;", 3, "SELEC 3;", id="non_ascii_before"),
        pytest.param("SELECT 1;\r\nSELEC 2;\r\n", 2, "SELEC 2;", id="windows_line_ends"),
        pytest.param("CREATE TABLE t (\n  a int\n\n\n", 2, "a int", id="unfinished"),
        pytest.param("SELECT 1;\nSELECT 'abc\ndef\n", 2, "SELECT 'abc", id="unterminated_string"),
        pytest.param("SELECT 1;\n\nDO $$\nBEGIN", 3, "DO $$", id="unterminated_dollar_quote"),
    ],
)
def test_text_the_parser_refuses_is_named_by_line(text: str, line: int, excerpt: str) -> None:
    error = refused(text)

    assert (error.line, error.excerpt, error.sqlstate) == (line, excerpt, "42601")
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("text", "command", "line"),
    [
        (r"\connect shop", r"\connect", 1),
        ("SELECT 1;\n\\set owner 'app'\nSELECT 2;", r"\set", 2),
        ("--\n-- dump\n--\n\n\\echo x7Qz\n", r"\echo", 5),
        ("SELECT 1 \\gset\n", r"\gset", 1),
        ("SELECT 1;\n  \\i other.sql\n", r"\i", 2),
        ("SELECT 'é';\n\\.\n", r"\.", 2),
    ],
)
def test_psql_command_is_named_with_its_line(text: str, command: str, line: int) -> None:
    error = refused(text)

    assert error.message == f"{command} is a command of psql, not SQL."
    assert error.line == line


def test_rows_of_a_copy_block_are_kept_and_later_lines_stay_true() -> None:
    statements = split(
        "-- é\n"
        "CREATE TABLE t (a int, b text);\n"
        "COPY t (a, b) FROM stdin;\n"
        "1\tit's; é\n"
        "2\t\\N\n"
        "\\.\n"
        "\n"
        "SELECT 1;\n"
    )

    assert [(each.line, each.kind) for each in statements] == [
        (2, "create_stmt"),
        (3, "copy_stmt"),
        (8, "select_stmt"),
    ]
    assert [each.copy_data for each in statements] == [
        None,
        "1\tit's; é\n2\t\\N\n".encode(),
        None,
    ]


def test_each_copy_block_keeps_its_own_rows() -> None:
    statements = split(
        "COPY t FROM stdin;\nü\n\\.\n"
        "COPY u FROM STDIN WITH (FORMAT csv, DELIMITER ';');\n1;2\n\\.\n"
        "COPY nothing FROM stdin;\n\\.\n"
        "SELECT 1;"
    )

    assert [(each.line, each.copy_data) for each in statements] == [
        (1, "ü\n".encode()),
        (4, b"1;2\n"),
        (7, b""),
        (9, None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("COPY t FROM stdin;\r\n1\r\n\\.\r\nSELECT 9;\r\n", id="windows_line_ends"),
        pytest.param("COPY t FROM stdin; -- rows\n1\n\\.\nSELECT 9;", id="comment_after_it"),
        pytest.param("  copy t\nfrom stdin\n;\n1\n\\.\nSELECT 9;", id="several_lines"),
        pytest.param('COPY "a;b" FROM stdin;\n1\n\\.\nSELECT 9;', id="semicolon_in_name"),
        pytest.param("COPY t FROM stdin;\n1\n\\.", id="end_of_file"),
    ],
)
def test_copy_block_is_recognised(text: str) -> None:
    copy, *rest = split(text)

    assert isinstance(copy.copy_data, bytes)
    assert copy.copy_data.strip() == b"1"
    assert [statement.sql for statement in rest] == ["SELECT 9"][: text.count("SELECT")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '\n\\.\n'",
        "SELECT '\nCOPY t FROM stdin;\n1\n\\.\n'",
        "SELECT E'\\'\nCOPY t FROM stdin;\n1\n\\.\n'",
        'SELECT 1 AS "\nCOPY t FROM stdin;\n1\n\\.\n"',
        "DO $do$\nCOPY t FROM stdin;\n1\n\\.\n$do$",
        "SELECT /*\nCOPY t FROM stdin;\n1\n\\.\n*/ 1",
        "SELECT -- COPY t FROM stdin;\n1",
    ],
)
def test_what_looks_like_a_copy_block_inside_a_statement_is_left_alone(sql: str) -> None:
    first, copy, last = split(f"{sql};\nCOPY u FROM stdin;\nit's\n\\.\nSELECT 9;")

    assert (first.sql, first.copy_data) == (sql, None)
    assert copy.copy_data == b"it's\n"
    assert last.line == sql.count("\n") + 5


def test_statement_before_a_copy_block_gets_no_rows() -> None:
    short, to_file, copy = split("SELECT 1;\nCOPY t TO stdout;\nCOPY t FROM stdin;\n1\n\\.\n")

    assert (short.copy_data, to_file.copy_data, copy.copy_data) == (None, None, b"1\n")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE ROLE app LOGIN PASSWORD 'hunter2'",
        "CREATE ROLE app ENCRYPTED PASSWORD E'it\\'s hunter2'",
        "ALTER ROLE app PASSWORD U&'hunter2'",
        "ALTER USER app WITH PASSWORD $$hunter2$$",
        "ALTER USER app WITH PASSWORD $p$hunter2$p$",
        "CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'u', password 'hunter2')",
        "UPDATE users SET password = 'hunter2', b = ''",
        "CREATE SUBSCRIPTION s CONNECTION 'host=db password=hunter2 user=u' PUBLICATION p",
        "SELECT dblink_connect('host=db password=''it is hunter2''')",
        "SELECT dblink_connect('host=db sslpassword=hunter2 oauth_client_secret=hunter2')",
        "SELECT dblink_connect('postgresql://app:hunter2@db/shop')",
    ],
)
def test_password_is_masked_in_excerpts(sql: str) -> None:
    (statement,) = split(sql)

    assert "hunter2" not in statement.excerpt
    assert "***" in statement.excerpt
    assert "hunter2" in statement.sql

    error = refused(sql + " ,;")
    assert "hunter2" not in f"{error} {error.excerpt}"


def test_string_at_the_error_is_not_repeated() -> None:
    assert "hunter2" not in str(refused("CREATE ROLE app PASWORD 'hunter2';"))


@pytest.mark.parametrize(
    ("sql", "excerpt"),
    [
        ("SELECT 1", "SELECT 1"),
        ("CREATE TABLE t (\n  a int)", "CREATE TABLE t ( …"),
        ("SELECT " + "x" * 93, "SELECT " + "x" * 93),
        ("SELECT " + "x" * 94, "SELECT " + "x" * 92 + "…"),
    ],
)
def test_excerpt_is_the_first_line_at_most_100_characters(sql: str, excerpt: str) -> None:
    (statement,) = split(sql)
    assert statement.excerpt == excerpt
    assert len(excerpt) <= 100


@pytest.mark.parametrize(("position", "line"), [(None, 3), (1, 3), (12, 3), (13, 4), (17, 5)])
def test_line_of_a_position_that_the_server_reports(position: int | None, line: int) -> None:
    # The server counts characters from 1; é is one of them.
    (statement,) = split("-- a\n\nSELECT 'é',\n 2,\n three")

    assert statement.line_at(position) == line


def test_same_text_in_another_file_is_parsed_for_that_file() -> None:
    refused("SELEC 1;")
    other = Path("0002.sql")
    with pytest.raises(MigrationFileError) as caught:
        split_statements("SELEC 1;", other)
    assert caught.value.file == other


def test_what_pg_dump_tells_psql_not_to_obey_is_passed_over() -> None:
    text = "--\n\\restrict x7Qz\n\nSELECT '\n\\restrict a\n';\r\n\\unrestrict x7Qz\r\n\n"

    (statement,) = split(text)

    assert (statement.line, statement.sql) == (4, "SELECT '\n\\restrict a\n'")
    assert refused("\\restrict a b\nSELECT 1;").line == 1
