"""What stands for ${name}, on which line things still are, and what messages show of values."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.placeholders import Placeholders, hide_values
from confiture_flows.sql.statements import Statement, split_statements

PATH = Path("0001_users.up.sql")


def split(text: str, first_line: int = 1, **values: str) -> tuple[Statement, ...]:
    filled = Placeholders(values).fill(text, PATH, first_line)
    return split_statements(filled[0], PATH, first_line, filled[1])


def refused(text: str, **values: str) -> MigrationFileError:
    with pytest.raises(MigrationFileError) as caught:
        split(text, 1, **values)
    assert caught.value.file == PATH
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT '${name}'", "SELECT 'value'"),
        ("SELECT '${NAME}', '${Name}'", "SELECT 'value', 'value'"),
        ("SELECT ${name}.${name}", "SELECT value.value"),
        ("SELECT $$${name}$$", "SELECT $$value$$"),
        ("SELECT $esc$${name}$esc$", "SELECT $esc$value$esc$"),
        (r"SELECT '\${name}'", "SELECT '${name}'"),
        (r"SELECT '\${unknown}'", "SELECT '${unknown}'"),
        ("SELECT '${}', '${a b}', '$name', '${1}'", "SELECT '${}', '${a b}', '$name', '${1}'"),
        ("SELECT '${empty}'", "SELECT ''"),
        ("SELECT '${other}'", "SELECT '${name}'"),  # a value is not looked into
        ("SELECT '${tool:name}'", "SELECT 'tools'"),
    ],
)
def test_placeholder_is_replaced_as_text(text: str, expected: str) -> None:
    values = {"name": "value", "empty": "", "other": "${name}", "tool_name": "tools"}
    assert [each.sql for each in split(text, 1, **values)] == [expected]


def test_value_may_be_a_statement_or_several() -> None:
    first, second = split("${both};", both="SELECT 1; SELECT 2")
    assert (first.sql, second.sql) == ("SELECT 1", "SELECT 2")
    assert (first.excerpt, second.excerpt) == ("${both}", "${both}")


def test_name_without_value_is_refused_with_its_line_and_the_ways_to_give_one() -> None:
    error = refused("SELECT 1;\n-- a\nSELECT '${app-schema}';", name="value")

    assert error.message == "There is no value for ${app-schema}."
    assert error.line == 3
    for way in (
        "CONFITURE_PLACEHOLDER_APP_SCHEMA",
        'app-schema = "..."',
        "[placeholders]",
        "[targets.NAME.placeholders]",
        r"\${app-schema}",
    ):
        assert way in (error.next_step or "")


@pytest.mark.parametrize("value", ["a\0b", "caf\udce9"])
def test_value_that_is_no_text_is_refused_without_showing_it(value: str) -> None:
    error = refused("SELECT '${name}'", name=value)
    assert "not UTF-8 text" in error.message


LINES = "one\ntwo\nthree"


def test_lines_stay_those_of_the_file_when_a_value_has_several() -> None:
    text = "SELECT '${a}';\nSELECT\n '${a}',\n 1;\n\nSELECT 3;"
    statements = split(text, 11, a=LINES)

    assert [each.line for each in statements] == [11, 12, 16]


@pytest.mark.parametrize(
    ("word", "line"), [("first", 11), ("third", 12), ("last", 13)], ids=["before", "same", "after"]
)
def test_line_of_a_position_is_that_of_the_file(word: str, line: int) -> None:
    (statement,) = split("SELECT first,\n'${a}', third,\n last", 11, a=LINES)
    assert statement.line_at(statement.sql.index(word) + 1) == line


def test_line_within_a_value_is_the_placeholders() -> None:
    (statement,) = split("SELECT 1,\n${a};", a="\n\nnope")
    assert statement.line_at(statement.sql.index("nope") + 1) == 2


def test_line_of_a_copied_row_is_that_of_the_file() -> None:
    text = "SELECT '${a}';\nCOPY t FROM stdin;\né${b}\nx\n\\.\nSELECT '${a}';"
    _, copy, after = split(text, a=LINES, b="1\n2")

    assert copy.copy_data == "é1\n2\nx\n".encode()
    assert copy.line_at(len(copy.sql), 3) == 4  # the row x is the third one
    assert (copy.line, after.line) == (2, 6)
    assert after.excerpt == "SELECT '${a}'"


def test_excerpt_shows_the_name() -> None:
    (statement,) = split("ALTER ROLE ${role} SET x = '${secret}'", role="ada", secret="hunter2")
    assert statement.excerpt == "ALTER ROLE ${role} SET x = '${secret}'"
    assert "hunter2" in statement.sql
    assert "hunter2" in repr(statement)  # which nothing prints


@pytest.mark.parametrize(
    ("text", "secret", "shown"),
    [
        ("SELECT 1;\nSELECT ${s} x;", "hunter2)secret", "SELECT ${s} x;"),
        ("SELECT 1;\nSELECT 'a' ${s} x;", "two words", "SELECT 'a' ${s} x;"),
        ("SELECT 1;\nPASSWORD '${s}';", "it's hidden", "PASSWORD ***;"),
        ("SELECT 1;\nSELECT 'a${s}' y z;", "hid\nden", "SELECT 'a${s}' y z;"),
    ],
)
def test_parsers_message_shows_no_part_of_a_value(text: str, secret: str, shown: str) -> None:
    error = refused(text, s=secret)

    assert error.line == 2
    assert error.excerpt == shown
    for part in (secret, *secret.split()):
        assert f'"{part}' not in str(error)
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('relation "hunter2" does not exist', 'relation "${s}" does not exist'),
        ("it said prehunter2post.", "it said pre${s}post."),
        ('type "a" does not exist', 'type "${short}" does not exist'),
        ("there is a row", "there is a row"),
        ('column "quiet" does not exist', 'column "${words}" does not exist'),
        ('column "quietly" does not exist', 'column "quietly" does not exist'),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_servers_message_shows_the_name(message: str, expected: str) -> None:
    values = {"${s}": "hunter2", "${short}": "a", "${words}": "be quiet now", "${empty}": ""}
    assert hide_values(message, values) == expected


def test_values_do_not_leave_the_process() -> None:
    placeholders = Placeholders({"s": "hunter2"})

    assert "hunter2" not in repr(placeholders)
    assert b"hunter2" not in pickle.dumps(placeholders)
    with pytest.raises(MigrationFileError, match="no value"):
        pickle.loads(pickle.dumps(placeholders)).fill("${s}", PATH)


def test_many_placeholders_keep_their_lines() -> None:
    text = "INSERT INTO ${schema}.t VALUES ('${note}');\n" * 4000
    statements = split(text, 1, schema="app", note="a\nb")
    assert (len(statements), statements[-1].line) == (4000, 4000)
