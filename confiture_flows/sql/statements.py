"""SQL text -> statements, by PostgreSQL's own parser. Pure: no database.

Splitting on semicolons is wrong in 7 % of real migration files, so nothing here
looks for semicolons. Refuses text the parser refuses, naming file and line, and
psql's backslash commands, which only psql understands.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.placeholders import (
    Filled,
    as_written,
    continued_lines,
    hide_values,
    values_in,
)
from confiture_flows.sql.secrets import masked
from confiture_flows.sql.transactions import (
    added_enum_value,
    forbids_transaction,
    transaction_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from confiture_flows.sql.large import Stretch
    from confiture_flows.sql.placeholders import Placeholders
    from confiture_flows.sql.transactions import TransactionCommand

# A `COPY ... FROM stdin` block, as pg_dump writes it, up to the line `\.`; or, before it in
# the search, what may hold such lines without being one: comments, strings, names. With
# \restrict, pg_dump asks psql to obey no other command of its kind: nothing is obeyed here.
_COPY_BLOCK = re.compile(
    r"""
    /\*
    | --[^\r\n]*
    | \bE'(?:[^'\\]|''|\\.)*'
    | '[^']*'
    | "[^"]*"
    | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
    | (?P<restrict>^\\(?:un)?restrict[ ]\w+)[ \t]*\r?$
    | \bCOPY\s (?:'[^']*' | "[^"]*" | [^;'"])*? \bFROM\s+STDIN\b (?:'[^']*' | "[^"]*" | [^;'"])*
      (?P<end>;) [ \t]*(?:--[^\r\n]*)?\r?\n
      (?P<rows>.*?) ^\\\.[ \t]*\r?(?:\n|\Z)
    """,
    re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE,
)
# The lexer's own white space, and a comment's end at a lone carriage return too.
_GAP = re.compile(r"[ \t\n\r\f\v]+|--[^\r\n]*")
_LOCAL = re.compile(r"SET\s+(LOCAL|TRANSACTION)\b", re.IGNORECASE)
# As pg_dump empties search_path.
_SET_CONFIG = re.compile(r"SELECT\s+(pg_catalog\.)?set_config\s*\(", re.IGNORECASE)
# The parser repeats the culprit; a string may be the rest of the file, or a password.
_NEAR = re.compile(r" at or near \".*", re.DOTALL)
_NEAR_STRING = re.compile(r" at or near \"(?:\w*&?['$]|/\*).*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement of a script.

    Attributes:
        number: 1-based place in its script.
        line: 1-based line of its first word, in the file.
        sql: The statement without the comments before it and the semicolon after it.
        kind: The parser's name for it, such as "create_stmt".
        command: Set when it begins or ends a transaction.
        forbids_transaction: What it is, when PostgreSQL refuses it inside a transaction.
        may_commit: Whether it stands alone since it may end transactions itself: a procedure, or
            a DO block with a COMMIT in it. What it has committed cannot be known.
        enum_value: The value that `ALTER TYPE ... ADD VALUE` adds.
        copy_data: The rows of a `COPY ... FROM stdin` block; those of a large file stay there.
        copies_out: Whether it is a `COPY ... TO stdout`, which sends rows to us.
        file: Where it stands: the script's file, or one that it includes.
        filled: The values of placeholders in `sql`.
        row_values: The values for those in rows that stay in a large file.
        continued: The lines of `sql` and `copy_data`, counted from 0, that the file does not have.
    """

    number: int
    line: int
    sql: str
    kind: str
    command: TransactionCommand | None = None
    forbids_transaction: str | None = None
    may_commit: bool = False
    enum_value: str | None = None
    copy_data: bytes | Stretch | None = None
    copies_out: bool = False
    file: Path | None = None
    filled: tuple[Filled, ...] = ()
    row_values: Placeholders | None = None
    continued: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """One; a passage of a large file is more."""
        return 1

    def copy_blocks(self) -> Iterable[bytes]:
        """The rows of a `COPY ... FROM stdin` block, a part at a time.

        Raises:
            MigrationFileError: A large file has changed since it was read.
        """
        rows = self.copy_data
        if rows is None or isinstance(rows, bytes):
            return (rows,) if rows else ()
        return rows.blocks(self.row_values)

    def mentions(self, literal: str) -> bool:
        """Whether a literal stands in the SQL."""
        return literal in self.sql

    def statements(self) -> tuple[Statement, ...]:
        """Itself; a passage has more."""
        return (self,)

    @property
    def sql_as_written(self) -> str:
        """The SQL with its placeholders in place of their values."""
        return as_written(self.sql, self.filled)

    @property
    def masked_sql(self) -> str:
        """The SQL as the file has it, passwords masked."""
        return masked(self.sql_as_written)

    @property
    def excerpt(self) -> str:
        """The first line of the SQL, at most 100 characters, without passwords and values."""
        first, _, rest = self.masked_sql.partition("\n")
        first = first.rstrip()
        return first[:99] + "…" if len(first) > 100 else first + (" …" if rest.strip() else "")

    @property
    def sets_session(self) -> bool:
        """Whether it changes a setting of the session, for what follows it."""
        if self.kind == "variable_set_stmt":
            return not _LOCAL.match(self.sql)
        return self.kind == "select_stmt" and _SET_CONFIG.match(self.sql) is not None

    @property
    def values(self) -> dict[str, str]:
        """The values of placeholders by what the file has in their place."""
        return values_in(self.sql, self.filled)

    def line_at(self, position: int | None, rows: int = 0) -> int:
        """The file's line of a place in `sql`, or in the rows that follow it.

        Args:
            position: 1-based, in characters, as the server reports it.
            rows: How many lines of `copy_data` after that.
        """
        lines = (self.sql.count("\n", 0, position - 1) if position else 0) + rows
        return self.line + lines - bisect_right(self.continued, lines)


def split_statements(
    text: str, path: Path, first_line: int = 1, filled: tuple[Filled, ...] = ()
) -> tuple[Statement, ...]:
    """Split the text of a script into statements.

    Args:
        text: The script, or one section of a file.
        path: The file, for messages.
        first_line: The file's line on which `text` starts.
        filled: The values of placeholders in `text`.

    Raises:
        MigrationFileError: The parser refuses the text.
    """
    text, copies = lift_copy_data(text)
    tree = _parse(text, path, first_line, filled)
    encoded = text.encode()
    continued = continued_lines(text, filled)
    statements: list[Statement] = []
    lines = characters = counted = 0
    for raw in tree.stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(encoded)
        # What stands before the first word of a statement are comments and space.
        piece = encoded[raw.stmt_location : end].decode()
        sql = piece[gap_length(piece) :]
        start = end - len(sql.encode())
        lines += encoded.count(b"\n", counted, start)
        characters += len(encoded[counted:start].decode()) if filled else 0
        counted = start
        sql = sql.rstrip()
        rows = copies.get(end)
        height = sql.count("\n") + (rows.count(b"\n") + 1 if rows else 0)
        own_lines = slice(bisect_right(continued, lines), bisect_right(continued, lines + height))
        statement = Statement(
            number=len(statements) + 1,
            line=first_line + lines - bisect_right(continued, lines),
            sql=sql,
            kind=raw.stmt.WhichOneof("node"),
            command=transaction_command(raw.stmt),
            forbids_transaction=forbids_transaction(raw.stmt),
            enum_value=added_enum_value(raw.stmt),
            copy_data=rows,
            copies_out=_copies_out(raw.stmt),
            file=path,
            filled=_within(filled, characters, len(sql)),
            continued=tuple(each - lines for each in continued[own_lines]),
        )
        if problem := _misreads_text(raw.stmt):
            raise MigrationFileError(
                problem,
                file=path,
                line=statement.line,
                excerpt=statement.excerpt,
                next_step="Take the line out; scripts are sent as UTF-8 with standard strings.",
            )
        statements.append(statement)
    return tuple(statements)


# Content is the key, so an edited file is never served from here; validation and
# application of one run parse each file once between them.
split_once = lru_cache(maxsize=1024)(split_statements)


def unparsed_statement(
    text: str, path: Path, first_line: int, filled: tuple[Filled, ...]
) -> tuple[Statement, ...]:
    """The one statement of a text that is too long to be parsed."""
    start = gap_length(text)
    sql = text[start:].rstrip().removesuffix(";")
    line = first_line + text.count("\n", 0, start)
    parts = _within(filled, start, len(sql))
    return (Statement(1, line, sql, "", file=path, filled=parts),)


def count_statements(text: str) -> int | None:
    """How many statements a text has, by PostgreSQL's parser; None when it refuses the text.

    Says no more than that, in a tenth of the time and memory of `split_statements`.
    """
    import postgast

    try:
        return len(postgast.split(text))
    except postgast.PgQueryError:
        return None


def _within(filled: tuple[Filled, ...], start: int, length: int) -> tuple[Filled, ...]:
    """The values in a part of the text, counted from its start; one may reach over its ends."""
    first = bisect_right(filled, start, key=lambda each: each.end)
    last = bisect_left(filled, start + length, key=lambda each: each.start)
    return tuple(
        Filled(max(each.start - start, 0), min(each.end - start, length), each.written)
        for each in filled[first:last]
    )


def _misreads_text(node: Any) -> str | None:
    """Say so, if the statement makes the server read what follows otherwise than our parser."""
    change = node.variable_set_stmt
    if not node.HasField("variable_set_stmt") or not change.args:
        return None
    value = change.args[0].a_const
    text = (value.sval.sval if value.HasField("sval") else str(value.boolval.boolval)).lower()
    if change.name == "client_encoding" and text not in ("utf8", "utf-8", "unicode", "default"):
        return f"The file is UTF-8, and switches client_encoding to {text.upper()}."
    if change.name == "standard_conforming_strings" and text in ("off", "false", "0", "no"):
        return "The file switches standard_conforming_strings off."
    return None


def _copies_out(node: Any) -> bool:
    copy = node.copy_stmt
    return node.HasField("copy_stmt") and not copy.is_from and not copy.filename


def _parse(text: str, path: Path, first_line: int, filled: tuple[Filled, ...]) -> Any:
    # Costs 0.2 s to import, and a run with nothing pending never parses.
    import postgast

    try:
        return postgast.parse(text)
    except postgast.PgQueryError as error:
        # A count of characters from 1; past the last line when something is missing there.
        at = min(max(error.cursorpos - 1, 0), len(text.rstrip()))
        lines = text.count("\n", 0, at)
        lines -= bisect_right(continued_lines(text, filled), lines)
        line = first_line + lines
        culprit = masked(as_written(text, filled).split("\n")[lines].strip())
        if text.startswith("\\", at):
            raise _psql_command(text[at:].partition("\n")[0], path, line, culprit) from None
        said = hide_values(_NEAR_STRING.sub("", error.message), values_in(text, filled))
        if any(each.start <= at < each.end for each in filled):
            said = _NEAR.sub("", said)  # a part of a value, which may be as short as a dash
        raise MigrationFileError(
            f"PostgreSQL's parser refuses the file: {said}.",
            file=path,
            line=line,
            excerpt=culprit,
            sqlstate="42601",
            next_step="Mend the statement on that line.",
        ) from (None if filled else error)


def _psql_command(text: str, path: Path, line: int, culprit: str) -> MigrationFileError:
    command, _, argument = text.partition(" ")
    next_step = "Take the line out; only psql can run it."
    if command in ("\\i", "\\ir", "\\include", "\\include_relative"):
        file = argument.strip().strip("'") or "FILE"
        next_step = f"Write it as: -- confiture: include {file} (relative to this file)"
    return MigrationFileError(
        f"{command.strip()} is a command of psql, not SQL.",
        file=path,
        line=line,
        excerpt=culprit,
        next_step=next_step,
    )


def line_comments(text: str) -> Iterator[tuple[int, str]]:
    """The `--` comments of a text outside of strings, bodies and other comments.

    Returns:
        The 0-based line of each, and its text up to the line's end.
    """
    line = counted = 0
    for match, _end in _scan(text):
        if match[0].startswith("--"):
            line += text.count("\n", counted, match.start())
            counted = match.start()
            yield line, match[0]


def lift_copy_data(text: str) -> tuple[str, dict[int, bytes]]:
    """Blank the rows of COPY blocks out; return them by the byte offset of their semicolon.

    Character for character and with their line ends, so that what follows stays where it was.
    """
    if "\n\\." not in text and "restrict " not in text:
        return text, {}
    copies: dict[int, bytes] = {}
    pieces: list[str] = []
    done = size = 0
    for match, end in _scan(text):
        if match["restrict"]:
            before = text[done : match.start()]
            size += len(before.encode()) + len(match["restrict"])
            pieces += (before, " " * len(match["restrict"]))
            done = match.end("restrict")
            continue
        if match["rows"] is None:
            continue
        blank = re.sub(r"[^\n]", " ", text[match.start("rows") : end])
        before = text[done : match.start("end")]
        between = text[match.start("end") : match.start("rows")]
        size += len(before.encode())
        copies[size] = match["rows"].encode()
        size += len(between.encode()) + len(blank)
        pieces += (before, between, blank)
        done = end
    return "".join((*pieces, text[done:])), copies


def _scan(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """What `_COPY_BLOCK` finds, from the start, each with its end."""
    at = 0
    while match := _COPY_BLOCK.search(text, at):
        at = _block_comment_end(text, match.start()) if match[0] == "/*" else match.end()
        yield match, at


def gap_length(piece: str) -> int:
    """The length of the comments and white space that `piece` starts with."""
    at = 0
    while at < len(piece):
        if match := _GAP.match(piece, at):
            at = match.end()
        elif piece.startswith("/*", at):
            at = _block_comment_end(piece, at)
        else:
            break
    return at


def _block_comment_end(piece: str, at: int) -> int:
    depth = 0
    for mark in re.finditer(r"/\*|\*/", piece[at:]):
        depth += 1 if mark[0] == "/*" else -1  # PostgreSQL's block comments nest
        if depth == 0:
            return at + mark.end()
    return len(piece)
