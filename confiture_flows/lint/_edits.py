"""What rules mend, as edits of the script's text. Shared by the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confiture_flows.lint.rule import TextEdit
from confiture_flows.sql.words import word_end, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql.operation import Operation
    from confiture_flows.sql.operations import ReadStatement


def insert_after(scene: Scene, operation: Operation, words: str, text: str) -> tuple[TextEdit, ...]:
    """Put text behind a row of words of the statement; nothing inside of bodies.

    Args:
        scene: The statement.
        operation: The operation; its first in the statement.
        words: The words, separated by spaces.
        text: What to put there.
    """
    if operation.inside != "script":
        return ()
    at = word_end(scene.statement.sql, *words.split())
    if at is None:
        return ()
    place = scene.statement.start + at
    return (TextEdit(place, place, text),)


def last_place(statement: ReadStatement) -> int:
    """Behind the last word of a statement, before the comments at its end."""
    return statement.start + words_of(statement.sql)[-1][2]


def insert_at_end(scene: Scene, operation: Operation, text: str) -> tuple[TextEdit, ...]:
    """Put text behind the last word of a statement that does one thing."""
    if operation.inside != "script" or len(scene.statement.operations) != 1:
        return ()
    place = last_place(scene.statement)
    return (TextEdit(place, place, text),)


def insert_before_word(
    scene: Scene, operation: Operation, word: str, text: str, *, unless: str
) -> tuple[TextEdit, ...]:
    """Put text before the first time that a word stands in a statement that does one thing.

    Args:
        scene: The statement.
        operation: The operation.
        word: The word.
        text: What to put there.
        unless: A word that must not stand before it.
    """
    sql = scene.statement.sql
    at = word_end(sql, word)
    other = word_end(sql, unless)
    if at is None or (other is not None and other < at):
        return ()
    if operation.inside != "script" or len(scene.statement.operations) != 1:
        return ()
    place = scene.statement.start + at - len(word)
    return (TextEdit(place, place, text),)


def take_out_last_word(scene: Scene, operation: Operation, word: str) -> tuple[TextEdit, ...]:
    """Take a word, and the space before it, from the end of a statement that does one thing."""
    sql = scene.statement.sql
    if operation.inside != "script" or len(scene.statement.operations) != 1:
        return ()
    last, start, end = words_of(sql)[-1]
    if last.lower() != word:
        return ()
    first = len(sql[:start].rstrip())
    return (TextEdit(scene.statement.start + first, scene.statement.start + end, ""),)


class AlteredTable(NamedTuple):
    """Which words are the first and the last of the table's name, and the first of what is done."""

    first: int
    last: int
    part: int


def altered_table(words: Sequence[tuple[str, int, int]]) -> AlteredTable | None:
    """Where an ALTER TABLE names its table; None for any other statement."""
    plain = [word.lower() for word, _, _ in words]
    if plain[:2] != ["alter", "table"]:
        return None
    at = 4 if plain[2:4] == ["if", "exists"] else 2
    at += plain[at : at + 1] == ["only"]
    first = at
    while plain[at + 1 : at + 2] == ["."]:
        at += 2
    part = at + (2 if plain[at + 1 : at + 2] == ["*"] else 1)
    return AlteredTable(first, at, part) if part < len(words) else None
