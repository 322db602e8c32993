"""A large file is read as a small one would be, whatever stands where it is cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.migration import Script
from confiture_flows.sql import large
from confiture_flows.sql.large import Stretch, cuts
from confiture_flows.sql.placeholders import Placeholders
from confiture_flows.sql.source import read_source
from confiture_flows.sql.statements import Statement, split_statements

ODD_DIRECTORIES = Path(__file__).parents[2] / "migrations"


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE_FILE", 0)


def as_in_a_small_file(statement: Statement) -> Statement:
    """The statement with its rows read."""
    if not isinstance(statement.copy_data, Stretch):
        return statement
    return replace(statement, copy_data=b"".join(statement.copy_blocks()), row_values=None)


def streamed(path: Path, size: int, block: int) -> tuple[Statement, ...]:
    """Every statement of a file, each cut parsed by itself."""
    found: list[Statement] = []
    for cut in cuts(path, size=size, block=block):
        statements = split_statements(cut.text, path, cut.place.first_line)
        if cut.data is not None:
            assert len(statements) == cut.data
        if cut.rows:
            (copy,) = statements
            statements = (as_in_a_small_file(replace(copy, copy_data=cut.rows)),)
        first = len(found) + 1
        found += (replace(each, number=number) for number, each in enumerate(statements, first))
    return tuple(found)


def check_every_cut(path: Path, sizes: tuple[tuple[int, int], ...]) -> None:
    whole = split_statements(read_source(path), path)
    for size, block in sizes:
        assert streamed(path, size, block) == whole, (path, size, block)


def outcome(
    read: Callable[[], tuple[Statement, ...]],
) -> tuple[Statement, ...] | tuple[str, int | None]:
    """The statements, or why and where they are refused."""
    try:
        return read()
    except MigrationFileError as refusal:
        return refusal.message, refusal.line


TINY = ((1, 1), (1, 2), (7, 3), (64, 5), (10**6, 1), (10**6, 64))

TEXTS = {
    "plain": "SELECT 1;\nSELECT 2;\n",
    "no_semicolon_at_the_end": "SELECT 1;\n\n-- b\nSELECT 2 -- c",
    "ends_in_a_comment": "INSERT INTO t VALUES (1);\n-- the end",
    "empty": "",
    "comments": "-- a;\n/* ; /* ; */ ; */",
    "empty_statements": ";;\nSELECT 1;;\n;SELECT 2",
    "strings": (
        "SELECT 'a;''b;', E'\\';', E'\\\\', date'2020-01-01', U&'\\0041;', \"a;\"\"b\";SELECT 1;"
    ),
    "strings_that_go_on": "SELECT 'a'\n  'b;', E'a' \n\n '\\';';\nSELECT 2;",
    "escape_after_a_name_that_ends_in_e": "SELECT type'a\\' FROM t; SELECT 1;",
    "dollar_quotes": "DO $a$ BEGIN; $$ ; $b$ $a$;SELECT a$b$c, $1 + 1;DO $$ ; $$;",
    "nested_dollars": "SELECT $a$ $b$;$b$ ; $a$; SELECT $é$;$é$;",
    "comments_between": "SELECT 1 -- ;'\n, 2 /* ' ; /* $$ */ */, 3;SELECT 4 - -5 / 2;",
    "comment_before_data": "/* a /* b */ */ INSERT INTO t VALUES (1);-- c\n/**/UPDATE t SET a = 1;",
    "carriage_returns": "-- a\r\nSELECT 1;\r\n\r\nINSERT INTO t VALUES ('a\r\nb');\r\n",
    "lone_carriage_return": "-- a\rSELECT 1;-- b\rSELECT 2;",
    "not_ascii": "SELECT 'é;🐘';\n-- ß;\nINSERT INTO tä VALUES ('€');SELECT 1 AS ö;",
    "rules": "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v;);SELECT 1;",
    "sql_body": (
        "CREATE OR REPLACE FUNCTION f(a int DEFAULT (1)) RETURNS int\nBEGIN ATOMIC\n"
        "  SELECT CASE WHEN a > 1 THEN 'END;' ELSE ')' END;\n  SELECT /* END */ 2;\nEND;\nSELECT 3;"
    ),
    "function": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;SELECT 1;",
    "copy": (
        'CREATE TABLE t (a text, b text);\nCOPY t (a, "b;") FROM stdin; -- rows\n'
        "a'b\t;\n$$\t/*\n\\N\t\\\\.\n\\.\nSELECT 'after';\nINSERT INTO t VALUES (1);"
    ),
    "copies": (
        "COPY t FROM stdin;\n\\.\ncopy t from STDIN with (format csv);\r\nx;\r\n\\.\r\nSELECT 1;"
    ),
    "copy_that_ends_the_file": "COPY t FROM stdin;\n1\n2\n\\.",
    "copy_after_a_comment": "/* ; */ -- x\nCOPY t FROM stdin;\n1\n\\.\n",
    "copy_in_a_string": "SELECT 'COPY t FROM stdin;\n1\n\\.\n';SELECT 2;",
    "copy_out": "COPY t TO stdout;SELECT 1;",
    "restrict": "--\n-- dump\n--\n\n\\restrict aB3\n\nSET a = 1;\nSELECT 1;\n\\unrestrict aB3\n\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte_order_mark"])
def test_every_cut_gives_the_statements_of_the_whole(
    tmp_path: Path, text: str, mark: bytes
) -> None:
    path = tmp_path / "large.sql"
    path.write_bytes(mark + text.encode())

    check_every_cut(path, TINY)


def test_odd_files_are_read_as_a_whole_would_be() -> None:
    files = [path for path in sorted(ODD_DIRECTORIES.rglob("*.sql")) if path.is_file()]
    assert files
    for path in files:
        whole = outcome(partial(split_statements, read_source(path), path))
        assert outcome(partial(streamed, path, 1, 1)) == whole, path


def test_real_files_are_read_as_a_whole_would_be(corpora: Path) -> None:
    files = [path for path in sorted(corpora.rglob("*.sql")) if path.is_file()]
    assert files
    refused = 0
    for number, path in enumerate(files):
        try:
            whole = split_statements(read_source(path), path)
        except MigrationFileError:
            refused += 1
            continue
        block = 1 + number % 97
        assert streamed(path, 1 + number % 1000, block) == whole, path
    assert refused < len(files) / 50


@pytest.mark.usefixtures("small_is_large")
class TestScript:
    """A script whose file is large."""

    def test_batches_hold_passages_in_place_of_data(self, write: Callable[..., Path]) -> None:
        text = "CREATE TABLE t (a int);\n\nINSERT INTO t\nVALUES (1);\nDELETE FROM t;\nSELECT 1;"
        directory = write({"a.sql": text})
        (batch,) = Script(directory / "a.sql").batches()

        assert [part.kind for part in batch.parts] == [
            "create_stmt",
            "passage",
        ]
        assert batch.count == 4
        flat = batch.statements
        assert [(each.number, each.line) for each in flat] == [(1, 1), (2, 3), (3, 5), (4, 6)]

    @pytest.mark.parametrize(
        ("text", "message", "line"),
        [
            ("INSERT INTO t VALUES (1);\nCOMMIT;\n", "would end the migration's transaction", 2),
            ("INSERT INTO t VALUES (1);\n\nINSERT INTO t VALUE (2);\n", "parser refuses", 3),
            ("SELECT 1;\n\\i other.sql\n", "command of psql", 2),
            ("SELECT 1;\nSET client_encoding = 'LATIN1';\n", "switches client_encoding", 2),
            ("SELECT 1;\nSELECT 'unended;\n\n", "unterminated", 2),
            ("-- confiture: transaction=noone\nSELECT 1;\n", "Unknown marker", 1),
            ("SELECT 1;\nCOPY t FROM stdin;\n1\n", "have no end", 2),
            (b"SELECT 1;\nSELECT '\0';\n", "NUL byte \\(offset 18\\)", 2),
            (b"SELECT 1;\nSELECT '\xe9';\n", "byte 0xe9 at offset 18", 2),
            (b"COPY t FROM stdin;\nok\n\xe9\n\\.\n", "byte 0xe9 at offset 22", 3),
            ("\ufeff".encode("utf-16-le") + b"S\0", "UTF-16", 1),
        ],
    )
    def test_every_check_is_made(
        self, write: Callable[..., Path], text: str | bytes, message: str, line: int
    ) -> None:
        path = write({"a.sql": text}) / "a.sql"

        with pytest.raises(MigrationFileError, match=message) as refused:
            Script(path).batches()
        assert (refused.value.file, refused.value.line) == (path, line)

    def test_what_cannot_run_in_a_transaction_stands_alone(
        self, write: Callable[..., Path]
    ) -> None:
        path = write({"a.sql": "SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\nSELECT 2;\n"})

        batches = Script(path / "a.sql").batches()

        assert [(batch.count, batch.transactional) for batch in batches] == [
            (1, True),
            (1, False),
            (1, True),
        ]

    def test_statements_run_alone_where_the_file_says_so(self, write: Callable[..., Path]) -> None:
        text = "-- confiture: transaction=none\nSELECT 1;\nSELECT 2;\n"
        batches = Script(write({"a.sql": text}) / "a.sql").batches()

        assert [(batch.first.line, batch.transactional) for batch in batches] == [
            (2, False),
            (3, False),
        ]

    def test_own_begin_and_commit_around_the_file_are_honoured(
        self, write: Callable[..., Path]
    ) -> None:
        text = "BEGIN ISOLATION LEVEL SERIALIZABLE;\nINSERT INTO t VALUES (1);\nCOMMIT;\n"
        (batch,) = Script(write({"a.sql": text}) / "a.sql").batches()

        assert batch.opening == "BEGIN ISOLATION LEVEL SERIALIZABLE"
        assert batch.count == 1

    def test_an_enum_value_that_a_passage_uses_stands_alone(
        self, write: Callable[..., Path]
    ) -> None:
        text = "ALTER TYPE mood ADD VALUE 'it''s';\nINSERT INTO t VALUES ('it''s');\n"
        batches = Script(write({"a.sql": text}) / "a.sql").batches()

        assert [batch.transactional for batch in batches] == [False, True]

    def test_placeholders_are_filled_in_data_and_rows(self, write: Callable[..., Path]) -> None:
        text = "INSERT INTO t VALUES ('${who}');\nCOPY t FROM stdin;\n${who}\n\\.\n"
        path = write({"a.sql": text}) / "a.sql"

        (batch,) = Script(path, placeholders=Placeholders({"who": "Ada"})).batches()

        passage, copy = batch.parts
        assert passage.statements()[0].sql == "INSERT INTO t VALUES ('Ada')"
        assert b"".join(copy.copy_blocks()) == b"Ada\n"
        with pytest.raises(MigrationFileError, match="no value"):
            Script(path, placeholders=Placeholders({})).batches()

    def test_includes_are_followed(self, write: Callable[..., Path]) -> None:
        directory = write(
            {
                "a.sql": "SELECT 1;\n-- confiture: include b.sql\nCOPY t FROM stdin;\n1\n\\.\n",
                "b.sql": "SELECT 2;\nSELECT 3;",
            }
        )
        (batch,) = Script(directory / "a.sql").batches()

        flat = batch.statements
        assert [(each.file and each.file.name, each.line, each.number) for each in flat] == [
            ("a.sql", 1, 1),
            ("b.sql", 1, 2),
            ("b.sql", 2, 3),
            ("a.sql", 3, 4),
        ]
        assert [each.copy_data is not None for each in flat] == [False, False, False, True]

    def test_only_the_lines_of_a_section_are_read(self, write: Callable[..., Path]) -> None:
        path = write({"a.sql": "SELECT 0;\nSELECT 1;\nSELECT 2;\nSELECT 3;\n"}) / "a.sql"

        (batch,) = Script(path, lines=(2, 3)).batches()

        flat = batch.statements
        assert [(each.line, each.sql) for each in flat] == [(2, "SELECT 1"), (3, "SELECT 2")]

    def test_a_file_that_is_written_to_meanwhile_is_refused(
        self, write: Callable[..., Path]
    ) -> None:
        path = write({"a.sql": "INSERT INTO t VALUES (1);\n"}) / "a.sql"
        (batch,) = Script(path).batches()

        path.write_text("INSERT INTO t VALUES (1);\nDROP TABLE t;\n")

        with pytest.raises(MigrationFileError, match="was edited while"):
            batch.parts[0].statements()
