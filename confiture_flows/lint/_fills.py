"""New columns and what old rows have in them, as edits of the script's text. Shared by the rules.

A fix here ends where the original ends, or would end if it did not fail. It is made only on tables
of which the history knows that no trigger, rule or row security looks at an UPDATE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import last_place
from confiture_flows.lint._steps import AlterText, alter_text, apart
from confiture_flows.lint.rule import TextEdit
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside
from confiture_flows.sql.volatility import is_volatile
from confiture_flows.sql.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.lint.rule import Scene
    from confiture_flows.lint.script import LintedScript
    from confiture_flows.sql.operations import ReadStatement

_CONSTANTS = ("'", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
# What may stand behind a default and is no part of it.
_OF_A_COLUMN = {"collate", "null", "storage", "compression"}
_BOOLEANS = {"true", "false"}

_Word = tuple[str, int, int]


def fill_afterwards(scene: Scene, said: op.AddColumn) -> tuple[TextEdit, ...]:
    """A volatile default in steps: the column, its default for new rows, and an UPDATE of the old.

    The table is locked for each step alone, and nobody waits while the rows are written.
    """
    found, marker = alter_text(scene.statement), apart(scene)
    if found is None or marker is None or not _plain(said) or not _untold(scene, said):
        return ()
    column, rest = _column_words(found)
    plain = [word.lower() for word, _, _ in rest]
    if plain.count("default") != 1:
        return ()
    at = plain.index("default")
    last = len(rest)
    gone = []
    if said.column.not_null:
        null = _not_null(rest)
        if null is None or at < null < last - 2:
            return ()
        last = null if null > at else last
        gone.append((rest[null][1], rest[null + 1][2]))
    if not _OF_A_COLUMN.isdisjoint(plain[at + 1 : last]):
        return ()
    statement, sql = scene.statement, scene.statement.sql
    expression = sql[rest[at + 1][1] : rest[last - 1][2]]
    gone.append((rest[at][1], rest[last - 1][2]))
    steps = (
        f";\n{found.head}ALTER COLUMN {column} SET DEFAULT {expression}"
        f";\nUPDATE {found.table} SET {column} = DEFAULT WHERE {column} IS NULL"
    )
    if said.column.not_null:
        steps += f";\n{found.head}ALTER COLUMN {column} SET NOT NULL"
    end = last_place(statement)
    return (*marker, *_without(statement, gone), TextEdit(end, end, steps))


def fill_by_default(scene: Scene, said: op.ModifyData) -> tuple[TextEdit, ...]:
    """A column that an UPDATE fills with a constant right away has it from the start.

    PostgreSQL keeps the constant once, and writes no row.
    """
    if said.inside is not Inside.SCRIPT or not scene.number:
        return ()
    return _constant_fill(scene, scene.number - 1)


def _constant_fill(scene: Scene, number: int) -> tuple[TextEdit, ...]:
    """The edits of a statement and the one after it; none if they are anything else."""
    add, fill = scene.script.statements[number : number + 2]
    added, found = add.operations[:1], alter_text(add)
    if found is None or not isinstance(added[0], op.AddColumn) or len(fill.operations) != 1:
        return ()
    column, update = added[0].column, fill.operations[0]
    constant = _constant(fill)
    if (
        not isinstance(update, op.ModifyData)
        or update.command != "update"
        or update.columns != (column.name,)
        or scene.state.full(update.table) != scene.state.full(added[0].table)
        or update.only
        or column.default
        or constant is None
    ):
        return ()
    both = scene.script.transactions[number : number + 2]
    if both[0] != both[1] or not _plain(added[0]) or not _untold(scene, added[0]):
        return ()
    name, _ = _column_words(found)
    end = last_place(add)
    return (
        TextEdit(end, end, f" DEFAULT {constant}"),
        TextEdit(fill.start, last_place(fill), f"{found.head}ALTER COLUMN {name} DROP DEFAULT"),
    )


def let_rows_be_filled(scene: Scene, said: op.AddColumn) -> tuple[TextEdit, ...]:
    """A column that is NOT NULL without a default, where the script itself says what it holds.

    With a default that it gets later it is added with it. What an UPDATE fills may be null until
    then.
    """
    found = alter_text(scene.statement)
    if found is None or not _plain(said) or said.column.default:
        return ()
    followed = scene.number + 1 < len(scene.script.statements)
    if followed and (edits := _constant_fill(scene, scene.number)):
        return edits
    for statement, each in _later_in_transaction(scene, said):
        if isinstance(each, op.CreateType | op.CreateFunction):
            return ()
        if isinstance(each, op.AlterColumn) and each.change == "set default":
            if each.default is None or is_volatile(each.default) is not False:
                return ()
            end = last_place(scene.statement)
            return (TextEdit(end, end, f" DEFAULT {each.default.sql}"),)
        if isinstance(each, op.ModifyData) and _fills(each, said):
            column, rest = _column_words(found)
            null = _not_null(rest)
            if null is None:
                return ()
            step = f";\n{found.head}ALTER COLUMN {column} SET NOT NULL"
            gone = [(rest[null][1], rest[null + 1][2])]
            return (
                *_without(scene.statement, gone),
                TextEdit(last_place(statement), last_place(statement), step),
            )
    return ()


def _later_in_transaction(
    scene: Scene, said: op.AddColumn
) -> Iterator[tuple[ReadStatement, op.Operation]]:
    """What is done to the column after it is added, and what makes types and functions."""
    script: LintedScript = scene.script
    for number in range(scene.number + 1, len(script.statements)):
        if script.transactions[number] != scene.transaction or scene.transaction is None:
            return
        for each in script.statements[number].operations:
            if each.inside is not Inside.SCRIPT or len(script.statements[number].operations) > 1:
                continue
            same = getattr(each, "table", None) == said.table
            if isinstance(each, op.CreateType | op.CreateFunction) or (
                same and said.column.name in _columns(each)
            ):
                yield script.statements[number], each


def _columns(each: op.Operation) -> tuple[str, ...]:
    match each:
        case op.AlterColumn(column=column):
            return (column,)
        case op.ModifyData(columns=columns):
            return columns
        case _:
            return ()


def _fills(each: op.ModifyData, said: op.AddColumn) -> bool:
    return each.command == "update" and not each.filtered and not each.only and not said.only


def _plain(said: op.AddColumn) -> bool:
    """Whether the column, if it can be added at all, has nothing but a type and a default."""
    column = said.column
    made = column.generated or column.identity or column.type.serial or column.constraints
    return not (made or said.if_not_exists or said.if_exists or said.only)


def _untold(scene: Scene, said: op.AddColumn) -> bool:
    """Whether nothing is known to happen when rows of the table are updated."""
    table = scene.table(said.table)
    if table is None or table.triggers or table.row_security:
        return False
    if table.partitioned or table.partition_of:
        return False
    return all(kind != "rule" for kind, _ in scene.state.objects)


def _column_words(found: AlterText) -> tuple[str, list[_Word]]:
    """The new column's name as it is written, and the words behind it."""
    at = 2 if found.words[1][0].lower() == "column" else 1
    return found.words[at][0], found.words[at + 1 :]


def _not_null(words: list[_Word]) -> int | None:
    """Where NOT NULL stands; None where it does so in another form, or more than once."""
    plain = [word.lower() for word, _, _ in words]
    found = [at for at in range(len(plain) - 1) if plain[at : at + 2] == ["not", "null"]]
    return found[0] if len(found) == 1 else None


def _without(statement: ReadStatement, gone: list[tuple[int, int]]) -> Iterator[TextEdit]:
    """Take parts of a statement out, each with the space before it."""
    for start, end in gone:
        first = len(statement.sql[:start].rstrip())
        yield TextEdit(statement.start + first, statement.start + end, "")


def _constant(fill: ReadStatement) -> str | None:
    """The constant that an UPDATE of one column writes, as it is written."""
    words = words_of(fill.sql)
    plain = [word.lower() for word, _, _ in words]
    if "=" not in plain or plain[-1] == "*":
        return None
    at = plain.index("=") + 1
    value = at + 1 if plain[at : at + 1] == ["-"] else at
    if value >= len(plain):
        return None
    if not plain[value].startswith(_CONSTANTS) and plain[value] not in _BOOLEANS:
        return None
    rest = plain[value + 1 :]
    if rest and (len(rest) != 2 or rest[0] != "::"):
        return None
    return fill.sql[words[at][1] : words[-1][2]]
