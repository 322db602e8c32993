"""Source values of masked columns -> whether they stand anywhere else in the loaded database.

Looked for are the values of columns whose values are long and different, by their 64-bit hashes:
as whole values, and as tokens within longer texts and documents. The text of the copy passes
through this process in batches; the hashes stay in a temporary table of the loaded database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.copying.masking import NULL, escape, unescape
from confiture_flows.anonymization.copying.pipe import CopyReader, CopyWriter
from confiture_flows.anonymization.proof.chance import picks
from confiture_flows.anonymization.proof.report import LeakCheck
from confiture_flows.anonymization.proof.tables import SOURCE
from confiture_flows.anonymization.proof.tokens import count_emails, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.anonymization.proof.selection import ComparedTable, MaskedColumn
    from confiture_flows.anonymization.proof.sessions import ProofSessions

_ORIGINALS, _TOKENS = "confiture_originals", "confiture_tokens"
_TEXTS = ("text", "varchar", "bpchar", "citext", "name", "uuid")
_DOCUMENTS = ("json", "jsonb")
_OTHERS = ("xml", "bytea", "hstore")
_OWN = "confiture_flows.anonymization.strategies."
_CUSTOM = ("sql",)
_BATCH = 1 << 20


@dataclass(frozen=True, slots=True)
class _Place:
    """A column of the copy in which values are looked for."""

    number: int
    table: ComparedTable
    name: str
    type: str
    masked: MaskedColumn | None

    @property
    def whole(self) -> bool:
        """Whether a whole value may be a value of another column."""
        return self.type in _TEXTS and self._makes_something

    @property
    def within(self) -> bool:
        """Whether tokens are looked for: where text is copied, kept in part, or made by others."""
        if self.type == "uuid" or not self._makes_something:
            return False
        if self.masked is None or self.masked.strategy.keeps:
            return True
        strategy = self.masked.strategy
        return not type(strategy).__module__.startswith(_OWN) or strategy.name in _CUSTOM

    @property
    def _makes_something(self) -> bool:
        capacity = self.masked.strategy.capacity() if self.masked else None
        return capacity is None or capacity > 1


@dataclass
class ValueSearch:
    """Gathers values table by table, and then looks for them everywhere."""

    sessions: ProofSessions
    _columns: list[MaskedColumn] = field(default_factory=list)

    def begin(self) -> None:
        """Make the temporary tables."""
        for statement in (
            sql.SQL("CREATE TEMPORARY TABLE {} (h bigint, o int)").format(
                sql.Identifier(_ORIGINALS)
            ),
            sql.SQL("CREATE TEMPORARY TABLE {} (token text, p int)").format(
                sql.Identifier(_TOKENS)
            ),
        ):
            self.sessions.place.execute(statement)

    def gather(self, column: MaskedColumn) -> None:
        """Keep the hashes of a column, whose table's are there."""
        self.sessions.place.execute(
            sql.SQL("INSERT INTO {0} SELECT {1}, {2} FROM {3} WHERE {1} IS NOT NULL").format(
                sql.Identifier(_ORIGINALS),
                sql.Identifier(f"n{column.number}"),
                sql.Literal(len(self._columns)),
                sql.Identifier(SOURCE),
            )
        )
        self._columns.append(column)

    def checks(self, tables: tuple[ComparedTable, ...]) -> Iterator[LeakCheck]:
        """Look for them in all columns that can hold text."""
        places = _places(tables)
        if self._columns:
            self.sessions.place.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(_ORIGINALS)))
        emails: dict[int, int] = {}
        for table in tables:
            within = [each for each in places if each.table is table and each.within]
            if within:
                emails.update(self._scan(table, within))
        found = self._found_tokens()
        for table in tables:
            self._find_whole(table, [e for e in places if e.table is table and e.whole], found)
        for place in places:
            table = place.table
            yield from self._told(place, found.get(place.number, {}))
            if count := emails.get(place.number, 0) if place.masked is None else 0:
                said = f"about {count:,} e-mail addresses stand in it, and it has no rule"
                yield LeakCheck("column.emails", "remark", str(place.table.table), place.name, said)

    def _told(self, place: _Place, found: dict[int, int]) -> Iterator[LeakCheck]:
        table = str(place.table.table)
        failed = False
        for origin, count in sorted(found.items()):
            column = self._columns[origin]
            said = f"{count:,} source values of {column.column} stand in it"
            if _by_chance(column, place.masked):
                said = f"{said}; both are made from lists, and chance cannot be told from a leak"
                yield LeakCheck("column.elsewhere", "remark", table, place.name, said)
            else:
                failed = True
                yield LeakCheck("column.elsewhere", "failed", table, place.name, said)
        if self._columns and not failed and (place.whole or place.within):
            said = f"no value of {len(self._columns)} masked columns stands in it"
            yield LeakCheck("column.elsewhere", "passed", table, place.name, said)

    def _find_whole(
        self, table: ComparedTable, places: list[_Place], found: dict[int, dict[int, int]]
    ) -> None:
        """Add values that are an original as they stand; all columns in one pass and one join."""
        if not self._columns or not places:
            return
        of_spelling = self.sessions.hashing.of_spelling
        fields = [
            sql.SQL("({}, {})").format(
                sql.Literal(each.number), of_spelling(table.reference(each.name))
            )
            for each in places
        ]
        query = sql.SQL(
            "SELECT c.p, o.o, count(DISTINCT o.h) FROM (SELECT v.p, v.h FROM ONLY {} "
            "CROSS JOIN LATERAL (VALUES {}) AS v(p, h)) AS c JOIN {} AS o ON o.h = c.h "
            "GROUP BY c.p, o.o"
        ).format(
            sql.Identifier(table.table.schema, table.table.name),
            sql.SQL(", ").join(fields),
            sql.Identifier(_ORIGINALS),
        )
        by_number = {each.number: each for each in places}
        for number, origin, count in self.sessions.place.execute(query).fetchall():
            masked = by_number[number].masked
            # In its own column it was looked for already, with what chance allows.
            if masked is None or masked.column != self._columns[origin].column:
                columns = found.setdefault(number, {})
                columns[origin] = columns.get(origin, 0) + count

    def _found_tokens(self) -> dict[int, dict[int, int]]:
        found: dict[int, dict[int, int]] = {}
        for place, origin, count in self.sessions.place.execute(
            sql.SQL(
                "SELECT t.p, o.o, count(DISTINCT o.h) FROM {} AS t JOIN {} AS o ON o.h = {} "
                "GROUP BY t.p, o.o"
            ).format(
                sql.Identifier(_TOKENS),
                sql.Identifier(_ORIGINALS),
                self.sessions.hashing.of_spelling(sql.Identifier("t", "token")),
            )
        ):
            found.setdefault(place, {})[origin] = count
        return found

    def _scan(self, table: ComparedTable, places: list[_Place]) -> dict[int, int]:
        """Write the tokens of a table's columns down.

        Returns:
            E-mail addresses by the column's number.
        """
        emails = dict.fromkeys([each.number for each in places], 0)
        statement = sql.SQL("COPY {} ({}) TO STDOUT").format(
            sql.Identifier(table.table.schema, table.table.name),
            sql.SQL(", ").join(sql.Identifier(each.name) for each in places),
        )
        into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(_TOKENS))
        writer = CopyWriter(self.sessions.place, into.as_bytes(self.sessions.place))
        reading = self.sessions.reading
        for batch in CopyReader(reading, statement.as_bytes(reading), _BATCH):
            text = b"".join(batch).decode("utf-8", "surrogateescape")
            lines = text.split("\n")
            lines.pop()
            columns = zip(*[line.split("\t") for line in lines], strict=True)
            for place, values in zip(places, columns, strict=True):
                tokens = _tokens(values, place.type)
                emails[place.number] += count_emails(tokens)
                if tokens and self._columns:
                    rows = "".join(f"{escape(each)}\t{place.number}\n" for each in tokens)
                    writer.write(rows.encode("utf-8", "surrogateescape"))
        writer.end()
        return emails


def _tokens(values: tuple[str, ...], kind: str) -> set[str]:
    joined = "\n".join([each for each in values if each != NULL])
    if kind.endswith("bytea"):  # \x6a6b as text
        return tokens_of(joined.replace("\\\\x", ""), json=False)
    return tokens_of(unescape(joined), json=kind in _DOCUMENTS)


def _places(tables: tuple[ComparedTable, ...]) -> tuple[_Place, ...]:
    found: list[_Place] = []
    for table in tables:
        masked = {each.column.name: each for each in table.masked}
        for each in table.table.columns:
            kind = each.column.type
            if kind.removesuffix("[]") in (*_TEXTS, *_DOCUMENTS, *_OTHERS) and each.written:
                name = each.column.name
                found.append(_Place(len(found), table, name, kind, masked.get(name)))
    return tuple(found)


def _by_chance(origin: MaskedColumn, place: MaskedColumn | None) -> bool:
    """Whether a result of the place's strategy may be such a value without a leak."""
    if place is None or not picks(place.strategy):
        return False
    return picks(origin.strategy) or origin.strategy.name == place.strategy.name
