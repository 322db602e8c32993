"""Columns of the loaded database -> the hashes of the tokens within their values."""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import errors, sql
from psycopg.pq import ExecStatus, Format

from confiture_flows.anonymization.proof.streams import read_texts
from confiture_flows.anonymization.proof.tokens import count_emails, count_phones, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from confiture_flows.anonymization.proof.hashing import Hashing
    from confiture_flows.anonymization.proof.sessions import SideSessions
    from confiture_flows.anonymization.proof.spool import SpoolWriter

DOCUMENTS = ("json", "jsonb")
_TEXT_OID = 25


@dataclass
class Sightings:
    """Tokens of a column that are something by their form.

    Attributes:
        emails: About how many are e-mail addresses.
        phones: About how many are telephone numbers.
    """

    emails: int = 0
    phones: int = 0

    def extend(self, other: Sightings) -> None:
        """Count what was seen elsewhere in the column as well."""
        self.emails += other.emails
        self.phones += other.phones

    def said(self) -> Iterator[tuple[str, str]]:
        """The code of a check, and its words."""
        for code, count, what in (
            ("column.emails", self.emails, "e-mail addresses"),
            ("column.phones", self.phones, "telephone numbers"),
        ):
            if count:
                yield code, f"about {count:,} {what} stand in it, and it has no rule"


def scan(
    sessions: SideSessions,
    query: bytes,
    types: Sequence[str],
    asked: bytes | None,
    writers: Sequence[SpoolWriter],
) -> list[Sightings]:
    """Read columns of the loaded database, and keep the hashes of tokens.

    Args:
        sessions: Of which both that lead there are used.
        query: For the columns, as `read_texts` takes it.
        types: The names of their types.
        asked: The query of `hashes_of_tokens`; None if tokens are counted only.
        writers: For the hashes, one a column.

    Returns:
        What was seen, by column.
    """
    seen = [Sightings() for _ in types]
    for columns in read_texts(sessions.place, query, len(types)):
        for kind, values, found, writer in zip(types, columns, seen, writers, strict=True):
            tokens = _tokens(values, kind)
            found.emails += count_emails(tokens)
            found.phones += count_phones(tokens)
            if tokens and asked is not None:
                writer.add(_hashes(sessions, asked, tokens))
    return seen


def hashes_of_tokens(conn: Connection, hashing: Hashing) -> bytes:
    """The query for the hashes of tokens, which are its parameter, a line each."""
    query = sql.SQL(
        "SELECT pg_catalog.string_agg(pg_catalog.int8send({}), '') FROM "
        "pg_catalog.unnest(pg_catalog.string_to_array($1, pg_catalog.chr(10))) AS t (token)"
    )
    return query.format(hashing.of_text(sql.Identifier("t", "token"))).as_bytes(conn)


def _tokens(values: str, kind: str) -> set[str]:
    if kind.removesuffix("[]") == "bytea":  # \x6a6b as text, \\x6a6b within an array
        values = values.replace("\\", "").replace("x", "")
        return tokens_of(values, json=False)
    return tokens_of(values, json=kind in DOCUMENTS)


def _hashes(sessions: SideSessions, asked: bytes, tokens: set[str]) -> array[int]:
    """Ask the server. Bytes as they came: a database in SQL_ASCII holds what is no UTF-8."""
    result = sessions.asking.pgconn.exec_params(
        asked,
        ["\n".join(tokens).encode("utf-8", "surrogateescape")],
        [_TEXT_OID],
        [Format.TEXT],
        Format.BINARY,
    )
    if result.status != ExecStatus.TUPLES_OK:
        raise errors.error_from_result(result)
    found = array("q")
    found.frombytes(result.get_value(0, 0) or b"")
    if sys.byteorder == "little":
        found.byteswap()
    return found
