"""Columns of the loaded database -> the hashes of the tokens within their values."""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import errors, sql
from psycopg.pq import ExecStatus, Format

from confiture_flows.anonymization.copying.masking import NULL, unescape
from confiture_flows.anonymization.copying.pipe import CopyReader
from confiture_flows.anonymization.proof.tokens import count_emails, count_phones, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.anonymization.proof.search import SearchedColumn
    from confiture_flows.anonymization.proof.sessions import ProofSessions
    from confiture_flows.anonymization.proof.spool import Spools

_BATCH = 1 << 20
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

    def said(self) -> Iterator[tuple[str, str]]:
        """The code of a check, and its words."""
        for code, count, what in (
            ("column.emails", self.emails, "e-mail addresses"),
            ("column.phones", self.phones, "telephone numbers"),
        ):
            if count:
                yield code, f"about {count:,} {what} stand in it, and it has no rule"


def scan(
    sessions: ProofSessions, spools: Spools, places: list[SearchedColumn], *, hashed: bool
) -> None:
    """Read columns of one table; their places get what is found.

    Args:
        sessions: Of which `reading` and `asking` are used.
        spools: For the hashes.
        places: The columns.
        hashed: Whether tokens are hashed, or counted only.
    """
    table = places[0].table.table
    statement = sql.SQL("COPY {} ({}) TO STDOUT").format(
        sql.Identifier(table.schema, table.name),
        sql.SQL(", ").join(sql.Identifier(each.name) for each in places),
    )
    found = [spools.new() for _ in places]
    reading = sessions.reading
    for batch in CopyReader(reading, statement.as_bytes(reading), _BATCH):
        text = b"".join(batch).decode("utf-8", "surrogateescape")
        for place, spool, values in zip(places, found, _joined(text, len(places)), strict=True):
            tokens = _tokens(values, place)
            place.seen.emails += count_emails(tokens)
            place.seen.phones += count_phones(tokens)
            if tokens and hashed:
                spool.add(_hashes(sessions, tokens))
        if sessions.stop.is_set():
            return
    for place, spool in zip(places, found, strict=True):
        place.tokens = spool


def _joined(text: str, count: int) -> list[str]:
    """The values of each column, a line each, without NULL; they are still escaped."""
    if count == 1 and NULL not in text:
        return [text]
    lines = text.split("\n")
    lines.pop()
    columns = zip(*[line.split("\t") for line in lines], strict=True) if count > 1 else [lines]
    return ["\n".join([each for each in values if each != NULL]) for values in columns]


def _tokens(values: str, place: SearchedColumn) -> set[str]:
    if place.type.removesuffix("[]") == "bytea":  # \x6a6b as text
        return tokens_of(values.replace("\\\\x", ""), json=False)
    return tokens_of(unescape(values), json=place.document)


def _hashes(sessions: ProofSessions, tokens: set[str]) -> array[int]:
    """Ask the server. Bytes as they came: a database in SQL_ASCII holds what is no UTF-8."""
    asking = sessions.asking
    query = sql.SQL(
        "SELECT pg_catalog.string_agg(pg_catalog.int8send({}), '') FROM "
        "pg_catalog.unnest(pg_catalog.string_to_array($1, pg_catalog.chr(10))) AS t (token)"
    ).format(sessions.hashing.of_text(sql.Identifier("t", "token")))
    result = asking.pgconn.exec_params(
        query.as_bytes(asking),
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
