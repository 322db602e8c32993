"""SQL text -> the operations of its statements, by PostgreSQL's own parser. Pure: no database.

Bodies of DO blocks and functions are read too: what they carry out follows as operations of
its own. What cannot be read becomes an `Unread` operation, never silence.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from functools import lru_cache
from itertools import dropwhile
from typing import TYPE_CHECKING, Any

from confiture_flows.sql import _read_data, _read_functions, _read_objects, _read_tables
from confiture_flows.sql._read_tables import Stand
from confiture_flows.sql.operation import (
    CreateFunction,
    Operation,
    OtherStatement,
    RunBlock,
    Unread,
)
from confiture_flows.sql.parts import Inside
from confiture_flows.sql.statements import gap_length, lift_copy_data
from confiture_flows.sql.value import value
from confiture_flows.sql.words import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LINE_END = re.compile("\n")


@value()
class ReadStatement:
    """A statement and what it does.

    Attributes:
        number: 1-based place in the text.
        start: Its first character in the text, after comments.
        end: The character after its last, where its semicolon may stand.
        line: 1-based line of its first character.
        sql: Its text.
        kind: The parser's name for it; "unread" when the parser refuses it.
        operations: What it does, in order, with what its body does.
    """

    number: int
    start: int
    end: int
    line: int
    sql: str
    kind: str
    operations: tuple[Operation, ...]


def operations_of(sql: str) -> tuple[Operation, ...]:
    """What one statement does.

    Args:
        sql: The statement, or several; offsets and lines are counted from its start.
    """
    return tuple(each for read in read_once(sql) for each in read.operations)


def read_operations(text: str) -> tuple[ReadStatement, ...]:
    """Read each statement of a text.

    A text that the parser refuses is read statement by statement, so that one mistake hides
    nothing but itself.
    """
    text, _ = lift_copy_data(text)
    return tuple(_Text(text).statements())


# A script is linted, mended and told of in a dry run by one process. The values of a long one take
# twenty times the memory of its text: they are not kept.
_LONGEST_KEPT = 1 << 16  # characters
short_texts = lru_cache(maxsize=4096)(read_operations)


def read_once(text: str) -> tuple[ReadStatement, ...]:
    """As `read_operations`, which reads a text of usual length no second time."""
    return short_texts(text) if len(text) <= _LONGEST_KEPT else read_operations(text)


class _Text:
    """A text with its places: the parser counts bytes, people count characters and lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ascii = text.isascii()
        self.encoded = text.encode()
        self._ends: list[int] | None = None
        self._wide: list[int] = []
        if not self.ascii:
            # The bytes that continue a character.
            self._wide = [at for at, byte in enumerate(self.encoded) if byte & 0xC0 == 0x80]

    def character(self, byte: int) -> int:
        return byte if self.ascii else byte - bisect_left(self._wide, byte)

    def line_of(self, character: int) -> int:
        if self._ends is None:
            self._ends = [match.start() for match in _LINE_END.finditer(self.text)]
        return bisect_left(self._ends, character) + 1

    def line_start(self, line: int) -> int:
        self.line_of(0)
        ends = self._ends or []
        return ends[min(line - 2, len(ends) - 1)] + 1 if line > 1 and ends else 0

    def statements(self) -> Iterator[ReadStatement]:
        import postgast

        try:
            tree = postgast.parse(self.text)
        except postgast.PgQueryError as error:
            yield from self._one_by_one(error.message)
            return
        for number, raw in enumerate(tree.stmts, 1):
            end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(self.encoded)
            yield self._statement(number, raw.stmt, raw.stmt_location, end, 0)

    def _one_by_one(self, message: str) -> Iterator[ReadStatement]:
        """The statements as the scanner splits them, since the grammar refuses one of them."""
        at = number = 0
        while at < len(self.text):
            for piece in _pieces(self.text[at:]):
                number += 1
                start = self.text.index(piece, at)
                at = start + len(piece)
                yield from self._piece(number, piece, start)
            # A parenthesis that nobody closes keeps the scanner from seeing another end.
            words = list(dropwhile(lambda each: each[0] == ";", words_of(self.text[at:])))
            if not words:
                break
            ends = (end for word, _, end in words if word == ";")
            number, start = number + 1, at + words[0][1]
            at += next(ends, len(self.text) - at)
            yield self._unread(number, start, at, message)
        if not number:
            yield self._unread(1, 0, len(self.text), message)

    def _piece(self, number: int, piece: str, start: int) -> Iterator[ReadStatement]:
        """What the scanner takes for a statement."""
        import postgast

        first = len(self.text[:start].encode())
        try:
            tree = postgast.parse(piece)
        except postgast.PgQueryError as error:
            yield self._unread(number, start, start + len(piece), error.message)
            return
        for raw in tree.stmts:
            begin = first + raw.stmt_location
            end = begin + raw.stmt_len if raw.stmt_len else first + len(piece.encode())
            yield self._statement(number, raw.stmt, begin, end, first)

    def _unread(self, number: int, start: int, end: int, message: str) -> ReadStatement:
        start += gap_length(self.text[start:end])
        line = self.line_of(start)
        unread = Unread(reason="syntax", message=_without_text(message), offset=start, line=line)
        sql = self.text[start:end].rstrip()
        return ReadStatement(number, start, start + len(sql), line, sql, "unread", (unread,))

    def _statement(
        self, number: int, node: Any, first: int, last: int, shift: int
    ) -> ReadStatement:
        begin, end = self.character(first), self.character(last)
        piece = self.text[begin:end]
        start = begin + gap_length(piece)
        sql = self.text[start:end].rstrip()
        line = self.line_of(start)
        stand = Stand(
            start, line, Inside.SCRIPT, lambda at: self.character(at + shift), self.line_of
        )
        kind = node.WhichOneof("node")
        operations = tuple(self._with_bodies(read_node(node, stand), node, sql, line))
        return ReadStatement(number, start, start + len(sql), line, sql, kind, operations)

    def _with_bodies(
        self, operations: Iterator[Operation], node: Any, sql: str, line: int
    ) -> Iterator[Operation]:
        for each in operations:
            yield each
            if isinstance(each, CreateFunction) and each.body:
                yield from self._body(sql, each.language, each.body, line, Inside.FUNCTION)
            elif isinstance(each, RunBlock) and each.name is None:
                body = _read_functions.block(node.do_stmt)[1]
                yield from self._body(sql, each.language, body, line, Inside.DO)

    def _body(
        self, sql: str, language: str, body: str, line: int, inside: Inside
    ) -> Iterator[Operation]:
        first = line + sql.count("\n", 0, max(sql.find(body), 0))
        for own_line, each in _carried_out(sql, language, body, inside):
            at = first + own_line - 1
            yield replace(each, inside=inside, line=at, offset=self.line_start(at))


def _pieces(text: str) -> list[str]:
    """The statements as the scanner splits a text; all of it where it cannot."""
    import postgast

    try:
        return postgast.split(text, method="scanner")
    except postgast.PgQueryError:
        return [text]


def _without_text(message: str) -> str:
    """What the parser says, without the text that it repeats, which may be a password."""
    return message.partition(" at or near")[0]


def read_node(node: Any, stand: Stand) -> Iterator[Operation]:
    """The operations of a parsed statement, without those of its body."""
    kind = node.WhichOneof("node")
    reader = _READERS.get(kind)
    if reader is None:
        yield OtherStatement(kind=kind.removesuffix("_stmt").replace("_", " "), **stand.at())
    else:
        yield from reader(getattr(node, kind), stand)


def _carried_out(
    sql: str, language: str, body: str, inside: Inside
) -> Iterator[tuple[int, Operation]]:
    """What a body does, each with its line there; lines are counted from its first."""
    if language == "sql":
        for read in read_once(body):
            yield from ((each.line, each) for each in read.operations)
        return
    if language != "plpgsql":
        if inside is Inside.DO:
            message = f"a DO block in {language}"
            yield 1, Unread(reason="language", message=message)
        return
    try:
        parts = _read_functions.parts_of(sql)
    except ValueError as error:
        # The parser knows no types: it refuses valid loops over the rows of a named one.
        yield 1, Unread(reason="body", message=_without_text(str(error)))
        return
    for part in parts:
        if part.sql is None:
            message = "EXECUTE of text that is put together when it runs"
            yield part.line, Unread(reason="dynamic", message=message)
            continue
        for read in read_once(part.sql):
            yield from ((part.line + each.line - 1, each) for each in read.operations)


def _function(statement: Any, stand: Stand) -> Iterator[Operation]:
    yield _read_functions.function(statement, stand)


def _do(statement: Any, stand: Stand) -> Iterator[Operation]:
    yield RunBlock(language=_read_functions.block(statement)[0], **stand.at())


def _create_table_as(statement: Any, stand: Stand) -> Iterator[Operation]:
    view = _read_tables.object_kind(statement, "objtype") == "materialized view"
    read = _read_objects.materialized_view if view else _read_tables.create_table_as
    return read(statement, stand)


def _foreign_table(statement: Any, stand: Stand) -> Iterator[Operation]:
    return _read_tables.create_table(statement.base_stmt, stand, foreign=True)


def _schema(statement: Any, stand: Stand) -> Iterator[Operation]:
    yield from _read_objects.create("schema", "schemaname")(statement, stand)
    for each in statement.schema_elts:
        yield from read_node(each, stand)


def _select(statement: Any, stand: Stand) -> Iterator[Operation]:
    if statement.HasField("into_clause"):
        yield from _read_tables.select_into(statement, stand)
    else:
        yield from _read_data.select(statement, stand)


_create, _alter, _drop = _read_objects.create, _read_objects.alter, _read_objects.drop_named
_READERS: dict[str, Callable[[Any, Stand], Iterator[Operation]]] = {
    **_read_data.READERS,
    "alter_default_privileges_stmt": _read_objects.default_privileges,
    "alter_domain_stmt": _read_objects.alter_domain,
    "alter_enum_stmt": _read_objects.alter_enum,
    "alter_extension_stmt": _alter("extension", "extname"),
    "alter_function_stmt": _alter("function", "func"),
    "alter_object_schema_stmt": _read_objects.move,
    "alter_owner_stmt": _read_objects.owner,
    "alter_policy_stmt": _read_objects.alter_policy,
    "alter_publication_stmt": _alter("publication", "pubname"),
    "alter_role_stmt": _alter("role", "role"),
    "alter_role_set_stmt": _alter("role", "role", "setting"),
    "alter_seq_stmt": _read_objects.alter_sequence,
    "alter_stats_stmt": _alter("statistics", "defnames"),
    "alter_subscription_stmt": _alter("subscription", "subname"),
    "alter_system_stmt": lambda _, stand: iter(
        (OtherStatement(kind="alter system", **stand.at()),)
    ),
    "alter_table_stmt": _read_tables.alter_table,
    "alter_type_stmt": _alter("type", "type_name"),
    "comment_stmt": _read_objects.comment,
    "composite_type_stmt": _read_objects.composite_type,
    "create_domain_stmt": _read_objects.domain,
    "create_enum_stmt": _read_objects.enum_type,
    "create_event_trig_stmt": _create("event trigger", "trigname"),
    "create_extension_stmt": _create("extension", "extname"),
    "create_fdw_stmt": _create("foreign data wrapper", "fdwname"),
    "create_foreign_server_stmt": _create("server", "servername"),
    "create_foreign_table_stmt": _foreign_table,
    "create_function_stmt": _function,
    "create_plang_stmt": _create("language", "plname"),
    "create_policy_stmt": _read_objects.policy,
    "create_publication_stmt": _create("publication", "pubname"),
    "create_range_stmt": _read_objects.range_type,
    "create_role_stmt": _create("role", "role"),
    "create_schema_stmt": _schema,
    "create_seq_stmt": _read_objects.sequence,
    "create_stats_stmt": _create("statistics", "defnames"),
    "create_stmt": _read_tables.create_table,
    "create_subscription_stmt": _create("subscription", "subname"),
    "create_table_as_stmt": _create_table_as,
    "create_table_space_stmt": _create("tablespace", "tablespacename"),
    "create_trig_stmt": _read_objects.trigger,
    "createdb_stmt": _create("database", "dbname"),
    "do_stmt": _do,
    "drop_role_stmt": _drop("role", "roles"),
    "drop_stmt": _read_objects.drop,
    "drop_subscription_stmt": _drop("subscription", "subname"),
    "drop_table_space_stmt": _drop("tablespace", "tablespacename"),
    "dropdb_stmt": _drop("database", "dbname"),
    "grant_role_stmt": _read_objects.grant_role,
    "grant_stmt": _read_objects.grant,
    "index_stmt": _read_tables.create_index,
    "rename_stmt": _read_objects.rename,
    "rule_stmt": _create("rule", "rulename"),
    "select_stmt": _select,
    "view_stmt": _read_objects.view,
}
