"""One statement becomes several, as edits of the script's text. Shared by the rules about locks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from confiture_flows.lint._edits import altered_table, last_place
from confiture_flows.lint._names import constraint_name, free_name
from confiture_flows.lint.rule import TextEdit
from confiture_flows.sql import operation as op
from confiture_flows.sql.names import quoted_name
from confiture_flows.sql.parts import Inside
from confiture_flows.sql.words import words_of

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql.operation import Operation
    from confiture_flows.sql.operations import ReadStatement
    from confiture_flows.sql.parts import ConstraintSpec, ObjectName

_MARKER = "-- confiture: transaction=none\n"
_REST_OF_LINE = re.compile(r"[ \t]*;?[ \t]*(?:\r?\n)?")
# What may follow the columns of a constraint that takes an index over.
_DEFERRING = {"deferrable", "not", "initially", "deferred", "immediate"}
# A BEGIN or COMMIT of these words alone has no options.
_PLAIN_CONTROL = {"begin", "start", "commit", "end", "work", "transaction"}

_Word = tuple[str, int, int]


class AlterText(NamedTuple):
    """An ALTER TABLE that does one thing: how it begins, its table, the words of what it does."""

    head: str
    table: str
    words: list[_Word]


def alter_text(statement: ReadStatement) -> AlterText | None:
    """How an ALTER TABLE is written that does one thing."""
    if len(statement.operations) != 1 or statement.operations[0].inside is not Inside.SCRIPT:
        return None
    sql, words = statement.sql, list(words_of(statement.sql))
    place = altered_table(words)
    if place is None:
        return None
    table = sql[words[place.first][1] : words[place.last][2]]
    return AlterText(sql[: words[place.part][1]], table, words[place.part :])


def apart(scene: Scene) -> tuple[TextEdit, ...] | None:
    """What lets several statements in the place of one commit one by one; None where nothing can.

    They do where the statement stands outside of a transaction, or is alone in its script, which
    then says that it runs outside.
    """
    if scene.own_begin:
        return None
    if scene.transaction is None:
        return ()
    if not scene.script.alone or "confiture:" in scene.script.text:
        return None
    return (TextEdit(0, 0, _MARKER),)


def commit_one_by_one(scene: Scene) -> tuple[TextEdit, ...]:
    """Let a script run outside of a transaction that does nothing but add and prove constraints.

    What it has done when a statement fails is no harm: a constraint that is NOT VALID yet.
    """
    script = scene.script
    whole = script.first and not script.more
    if not whole or scene.transaction is None or scene.own_begin or "confiture:" in script.text:
        return ()
    each_step = (each for statement in script.statements for each in statement.operations)
    gentle = all(
        (isinstance(each, op.AddConstraint) and not each.constraint.valid)
        or (isinstance(each, op.AlterConstraint) and each.change == "validate")
        for each in each_step
    )
    return (TextEdit(0, 0, _MARKER),) if gentle else ()


def prove_not_null(scene: Scene, said: op.AlterColumn) -> tuple[TextEdit, ...]:
    """SET NOT NULL in four steps: a CHECK without proof, its proof, SET NOT NULL, no CHECK.

    In one transaction the first step would lock the table until the last.
    """
    table, found, marker = scene.table(said.table), alter_text(scene.statement), apart(scene)
    if table is None or found is None or marker is None:
        return ()
    statement, end = scene.statement, last_place(scene.statement)
    column = found.words[-4][0]
    name = free_name(table.name.name, said.column, "is_set", table.constraints)
    check, head = quoted_name(name), found.head
    before = (
        f"{head}ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"{head}VALIDATE CONSTRAINT {check};\n"
    )
    return (
        *marker,
        TextEdit(statement.start, statement.start, before),
        TextEdit(end, end, f";\n{head}DROP CONSTRAINT {check}"),
    )


def take_index_over(
    scene: Scene, said: Operation, spec: ConstraintSpec, table: ObjectName
) -> tuple[TextEdit, ...]:
    """A unique constraint or primary key in two steps: its index first, built concurrently."""
    known, found = scene.table(table), alter_text(scene.statement)
    if known is None or found is None or known.partitioned or scene.own_begin:
        return ()
    plain = [word.lower() for word, _, _ in found.words]
    kind = 3 if plain[1] == "constraint" else 1
    width = 2 if plain[kind] == "primary" else 1
    if plain[kind + width] != "(" or ")" not in plain or "exists" in found.head.lower():
        return ()
    close = plain.index(")")
    if not set(plain[close + 1 :]) <= _DEFERRING:
        return ()
    name = quoted_name(spec.name or constraint_name(known, spec))
    start, sql = scene.statement.start, scene.statement.sql
    columns = sql[found.words[kind + width][1] : found.words[close][2]]
    rest = found.words[kind + width - 1][2]
    return (
        TextEdit(
            start,
            start,
            f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {found.table} {columns};\n",
        ),
        TextEdit(start + rest, start + found.words[close][2], f" USING INDEX {name}"),
    )


def leave_out(scene: Scene, said: Operation) -> tuple[TextEdit, ...]:
    """Take a statement that does one thing out of a script that has others."""
    if said.inside is not Inside.SCRIPT or len(scene.statement.operations) != 1:
        return ()
    if len(scene.script.statements) < 2:
        return ()
    return (_taken_out(scene, scene.statement),)


def leave_out_control(scene: Scene, said: Operation) -> tuple[TextEdit, ...]:
    """Take a BEGIN or COMMIT out that has no options."""
    words = {word.lower() for word, _, _ in words_of(scene.statement.sql)}
    return leave_out(scene, said) if words <= _PLAIN_CONTROL else ()


def leave_to_the_runner(scene: Scene) -> tuple[TextEdit, ...]:
    """Take the BEGIN and COMMIT out that stand around a whole script and say nothing else."""
    script = scene.script
    control = [
        statement
        for statement in script.statements
        if isinstance(statement.operations[0], op.TransactionControl)
    ]
    around = [script.statements[0], script.statements[-1]]
    words = [{word.lower() for word, _, _ in words_of(each.sql)} for each in control]
    if control != around or not all(each <= _PLAIN_CONTROL for each in words):
        return ()
    if script.more or not script.first or "confiture:" in script.text:
        return ()
    return tuple(_taken_out(scene, each) for each in control)


def _taken_out(scene: Scene, statement: ReadStatement) -> TextEdit:
    rest = _REST_OF_LINE.match(scene.script.text, statement.end)
    return TextEdit(statement.start, rest.end() if rest else statement.end, "")
