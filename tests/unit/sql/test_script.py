"""Markers, and which statements commit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.script import Batch, TransactionMode, read_marker, split_batches
from confiture_flows.sql.statements import split_statements

PATH = Path("0001_users.up.sql")
AUTO, NONE, AS_WRITTEN = TransactionMode.AUTO, TransactionMode.NONE, TransactionMode.AS_WRITTEN


def batches(text: str, mode: TransactionMode = AUTO) -> tuple[Batch, ...]:
    return split_batches(split_statements(text, PATH), mode, PATH)


def shape(text: str, mode: TransactionMode = AUTO) -> list[str]:
    """Each batch as one line: `a; b` in a transaction, `! a` alone, `? a` rolled back."""
    return [
        ("" if batch.transactional else "! ")
        + ("" if batch.keep else "? ")
        + "; ".join(statement.sql for statement in batch.statements)
        for batch in batches(text, mode)
    ]


def refused(text: str, mode: TransactionMode = AUTO) -> MigrationFileError:
    with pytest.raises(MigrationFileError) as caught:
        batches(text, mode)
    assert caught.value.file == PATH
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("-- confiture: transaction=none\nSELECT 1;", NONE),
        ("-- confiture: transaction=as-written", AS_WRITTEN),
        ("-- confiture: transaction=auto\r\nSELECT 1;", AUTO),
        ("--confiture:transaction = none", NONE),
        ("/* about\nusers */\n\n-- by me\n-- confiture: transaction=none\n", NONE),
        ("-- confiture: transaction=none\n-- confiture: transaction=as-written\n", AS_WRITTEN),
        ("SELECT 1;\n-- confiture: transaction=none\n", None),
        ("-- This file is about a transaction=none\n", None),
        # fraiseql-confiture's own directives
        ("-- confiture:tier additive\nSELECT 1;", None),
        ("", None),
    ],
)
def test_marker_is_read_from_the_leading_comments(text: str, mode: TransactionMode | None) -> None:
    assert read_marker(text, PATH) is mode


@pytest.mark.parametrize(
    "marker",
    [
        "confiture: transaction=non",
        "confiture: transaction=None",
        "confiture: transaction=",
        "confiture: transaction=none, it builds an index",
        "confiture: transactions=none",
        "confiture: transaction none",
        "confiture: transaction: none",
        "confiture transaction=none",
        "Confiture: transaction=none",
        "confiture: no-transaction",
        "confiture: timeout=5s",
    ],
)
def test_misspelt_marker_is_refused_with_its_line(marker: str) -> None:
    with pytest.raises(MigrationFileError, match="Unknown marker") as caught:
        read_marker(f"-- about users\n\n-- {marker}\nSELECT 1;", PATH, first_line=5)

    assert (caught.value.file, caught.value.line) == (PATH, 7)
    assert marker in caught.value.message


def test_script_is_one_transaction() -> None:
    assert shape("SELECT 1; SAVEPOINT a; SELECT 2;") == ["SELECT 1; SAVEPOINT a; SELECT 2"]
    assert batches("SELECT 1;")[0].opening == "BEGIN"


def test_empty_script_has_no_transaction() -> None:
    assert shape("-- nothing\n") == []
    assert shape("BEGIN; COMMIT;") == []


def test_statement_that_refuses_transactions_stands_alone_between_two() -> None:
    assert shape("SELECT 1; CREATE INDEX CONCURRENTLY i ON t (a); SELECT 2; SELECT 3;") == [
        "SELECT 1",
        "! CREATE INDEX CONCURRENTLY i ON t (a)",
        "SELECT 2; SELECT 3",
    ]


@pytest.mark.parametrize(
    "opening", ["BEGIN", "START TRANSACTION", "BEGIN ISOLATION LEVEL SERIALIZABLE"]
)
@pytest.mark.parametrize("closing", ["COMMIT", "END"])
def test_wrapper_around_the_whole_file_is_honoured(opening: str, closing: str) -> None:
    (batch,) = batches(f"-- about\n{opening};\nSELECT 1;\nSELECT 2;\n{closing};\n")

    assert [statement.sql for statement in batch.statements] == ["SELECT 1", "SELECT 2"]
    assert (batch.opening, batch.transactional) == (opening, True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("SELECT 1;\nCOMMIT;\nSELECT 2;", 2, id="in_the_middle"),
        pytest.param("BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;", 3, id="after_the_first_half"),
        pytest.param("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;", 3, id="two_halves"),
        pytest.param("SELECT 1;\nSELECT 2;\nCOMMIT;\n", 3, id="at_the_end"),
        pytest.param("SELECT 1;\nROLLBACK;\n", 2, id="rollback"),
        pytest.param("BEGIN;\nSELECT 1;\nROLLBACK;\n", 3, id="left_from_a_try"),
        pytest.param("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 2;\nCOMMIT;", 3, id="chain"),
        pytest.param("SELECT 1;\nPREPARE TRANSACTION 'x';", 2, id="two_phase"),
    ],
)
@pytest.mark.parametrize("mode", [AUTO, NONE])
def test_stray_commit_is_refused_with_file_and_line(
    text: str, line: int, mode: TransactionMode
) -> None:
    error = refused(text, mode)

    assert error.line == line
    assert "would end the migration's transaction" in error.message
    assert "as-written" in (error.next_step or "")


def test_begin_without_an_end_is_refused() -> None:
    error = refused("SELECT 1;\nBEGIN;\nSELECT 2;")

    assert error.message == "BEGIN begins a transaction that is never ended."
    assert (error.line, error.statement) == (2, 2)


def test_concurrent_index_inside_a_wrapper_is_refused() -> None:
    error = refused("BEGIN;\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;")

    assert "CREATE INDEX CONCURRENTLY cannot run inside" in error.message
    assert (error.line, error.statement) == (3, 3)


def test_mode_none_makes_every_statement_stand_alone() -> None:
    assert shape("SELECT 1; SELECT 2;", NONE) == ["! SELECT 1", "! SELECT 2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "SELECT 1; BEGIN; SELECT 2; COMMIT; SELECT 3;",
            ["SELECT 1", "SELECT 2", "SELECT 3"],
            id="middle",
        ),
        pytest.param("SELECT 1; COMMIT; SELECT 2;", ["SELECT 1", "SELECT 2"], id="stray_commit"),
        pytest.param(
            "BEGIN; SELECT 1; ROLLBACK; SELECT 2;", ["? SELECT 1", "SELECT 2"], id="rolled_back"
        ),
        pytest.param(
            "SELECT 1; ROLLBACK; SELECT 2;", ["SELECT 1", "SELECT 2"], id="stray_rollback"
        ),
        pytest.param("BEGIN; BEGIN; SELECT 1; COMMIT;", ["SELECT 1"], id="begin_twice"),
        pytest.param("BEGIN; COMMIT; SELECT 1;", ["SELECT 1"], id="empty_transaction"),
        pytest.param(
            "SELECT 1; VACUUM t; SELECT 2;",
            ["SELECT 1", "! VACUUM t", "SELECT 2"],
            id="forbids_transaction",
        ),
        pytest.param(
            "SELECT 1; CALL p(); SELECT 2;", ["SELECT 1", "! CALL p()", "SELECT 2"], id="call"
        ),
        pytest.param(
            "DO $$ BEGIN COMMIT; END $$; SELECT 1;",
            ["! DO $$ BEGIN COMMIT; END $$", "SELECT 1"],
            id="do_that_commits",
        ),
        pytest.param(
            "SELECT 1; DO $$ BEGIN END $$;", ["SELECT 1; DO $$ BEGIN END $$"], id="do_that_does_not"
        ),
        pytest.param("BEGIN; CALL p(); COMMIT;", ["CALL p()"], id="call_in_a_transaction"),
    ],
)
def test_as_written_obeys_the_files_own_transactions(text: str, expected: list[str]) -> None:
    assert shape(text, AS_WRITTEN) == expected


def test_as_written_keeps_the_isolation_level_of_each_transaction() -> None:
    first, second = batches(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; COMMIT; SELECT 2;", AS_WRITTEN
    )
    assert (first.opening, second.opening) == ("BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN")


def test_call_runs_inside_the_transaction_unless_as_written() -> None:
    assert shape("SELECT 1; CALL p();") == ["SELECT 1; CALL p()"]


def test_transaction_that_is_never_closed_is_refused_as_written() -> None:
    error = refused("SELECT 1;\nBEGIN;\nSELECT 2;", AS_WRITTEN)

    assert "never closed" in error.message
    assert (error.line, error.statement) == (2, 2)


@pytest.mark.parametrize("ending", ["PREPARE TRANSACTION 'x'", "COMMIT AND CHAIN"])
def test_transaction_that_ends_in_a_way_nobody_can_follow_is_refused(ending: str) -> None:
    error = refused(f"BEGIN;\nSELECT 1;\n{ending};", AS_WRITTEN)

    assert "cannot be followed" in error.message
    assert error.line == 3


ADD_GLAD = "ALTER TYPE mood ADD VALUE 'glad'"


@pytest.mark.parametrize("mode", [AUTO, AS_WRITTEN])
def test_enum_value_that_is_used_later_commits_first(mode: TransactionMode) -> None:
    use = "UPDATE users SET mood = 'glad'"

    assert shape(f"SELECT 1; {ADD_GLAD}; {use};", mode) == ["SELECT 1", f"! {ADD_GLAD}", use]


def test_enum_value_with_a_quote_is_recognised_where_it_is_used() -> None:
    add = "ALTER TYPE mood ADD VALUE 'it''s'"

    assert shape(f"{add}; SELECT 'it''s'::mood;")[0] == f"! {add}"


@pytest.mark.parametrize("other", ["SELECT 'gladly'::mood", "SELECT 1"])
def test_enum_value_that_is_not_used_stays_in_the_transaction(other: str) -> None:
    assert shape(f"{ADD_GLAD}; {other};") == [f"{ADD_GLAD}; {other}"]
