"""What is said of a session in the way, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from confiture_flows.migrations.blockers import Blocker, first_words, named

SINCE = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM users", "SELECT * FROM users"),
        ("UPDATE users\n  SET email = 'ada@shop.example'", "UPDATE users SET email …"),
        ("SELECT * FROM t1 WHERE id = 42", "SELECT * FROM t1 WHERE id …"),
        ("SELECT * FROM t WHERE n > -1.5e3", "SELECT * FROM t WHERE n > …"),
        ("ALTER ROLE deploy PASSWORD E'hidden'", "ALTER ROLE deploy PASSWORD …"),
        ("ALTER ROLE deploy PASSWORD U&'hidden'", "ALTER ROLE deploy PASSWORD …"),
        ("DO $$ BEGIN hidden; END $$", "DO …"),
        ("SELECT $1", "SELECT …"),
        ("/* user='hidden' */ SELECT now()", "SELECT now()"),
        ("SELECT now() -- hidden", "SELECT now()"),
        ("/* cut off by track_activity_query_size: hidden", ""),
        ("INSERT INTO t VALUES (1, 'x')", "INSERT INTO t VALUES …"),
        ("'hidden'", ""),
        ("", ""),
        ("SELECT " + "a, " * 100, "SELECT " + "a, " * 24 + "a …"),
    ],
)
def test_query_ends_before_its_first_value(query: str, words: str) -> None:
    assert first_words(query) == words
    assert "hidden" not in first_words(query)


def test_session_is_described() -> None:
    blocker = Blocker(
        7, "psql", "ada", "10.0.0.5", SINCE, "idle in transaction", "UPDATE users SET email …"
    )
    assert str(blocker) == (
        "backend 7 (psql, user ada, from 10.0.0.5), idle in transaction since 2026-11-23 12:30:00, "
        "its last query: UPDATE users SET email …"
    )
    assert blocker.ending == "SELECT pg_terminate_backend(7);"


def test_what_is_hidden_is_said_to_be() -> None:
    assert str(Blocker(7, "psql", "ada")) == (
        "backend 7 (psql, user ada), whose doings only pg_read_all_stats shows"
    )


def test_prepared_transaction_has_no_backend_to_end() -> None:
    prepared = Blocker(0, user="ada", since=SINCE, prepared="it's")
    assert str(prepared) == ("a prepared transaction it's of user ada since 2026-11-23 12:30:00")
    assert prepared.ending == "ROLLBACK PREPARED 'it''s';"
    assert "gid" in Blocker(0).ending


def test_of_many_two_are_named() -> None:
    many = [Blocker(number, state="active") for number in (1, 2, 3, 4)]
    assert named(many) == "backend 1, active; backend 2, active; and 2 more"
