"""Rule, Problem and Scene: what a rule is, says and sees. Pure values."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from confiture_flows.lint.text_edit import TextEdit  # noqa: TC001 - rules take it from here
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside
from confiture_flows.sql.value import value

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from confiture_flows.anonymization.rules import Pattern
    from confiture_flows.lint.catalog import KnownTable
    from confiture_flows.lint.script import LintedScript, Lock
    from confiture_flows.lint.severity import Duration
    from confiture_flows.lint.state import KnownState
    from confiture_flows.lint.statistics import TableFacts
    from confiture_flows.report.finding import Severity
    from confiture_flows.sql.operation import Operation
    from confiture_flows.sql.operations import ReadStatement
    from confiture_flows.sql.parts import LockMode, ObjectName


_Kind = TypeVar("_Kind")


@value()
class Problem:
    """What a rule found about an operation.

    Attributes:
        message: What is true.
        next_step: What to do about it.
        table: The table whose size decides how bad it is.
        severity: Instead of the rule's.
        edits: What mends it, if a program can.
        at: Where it is told, if not at the operation that is judged.
        lock: What is held, if not what the operation takes.
        duration: How long, if not as long as the operation takes.
        replaced: The name that the edits take away, and the one that serves instead: nothing is
            mended where later statements, or the way back, rely on either.
        adds: The statement of a new migration that mends it.
        elsewhere: The edits that mend it in another file, and that file.
    """

    message: str
    next_step: str
    table: ObjectName | None = None
    severity: Severity | None = None
    edits: tuple[TextEdit, ...] = ()
    at: Operation | None = None
    lock: LockMode | None = None
    duration: Duration | None = None
    replaced: tuple[str, str] | None = None
    adds: str = ""
    elsewhere: tuple[Path, tuple[TextEdit, ...]] | None = None


@dataclass(slots=True)
class Scene:
    """What a rule may look at, apart from the operation.

    Attributes:
        state: Before the operation.
        script: The script in which it stands.
        statement: The statement that it is a part of.
        number: The statement's 0-based place in the script.
        pending: The versions that are linted together; their tables are empty.
        names: What the project demands of names, by the kind of object.
        sizes: What is known of the rows of tables, by full name.
        masked: The columns that have a column rule, or need none; None where nobody is asked for
            any.
        start: What there was before the script's file; None for what is kept after it.
    """

    state: KnownState
    script: LintedScript
    statement: ReadStatement
    number: int
    pending: frozenset[str]
    names: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    sizes: Mapping[ObjectName, TableFacts] = field(default_factory=dict)
    masked: tuple[Pattern, ...] | None = None
    start: KnownState | None = None

    def facts(self, name: ObjectName | None) -> TableFacts | None:
        """How many rows a table has and the like, if somebody counted."""
        return self.sizes.get(self.state.full(name)) if name else None

    def table(self, name: ObjectName | None) -> KnownTable | None:
        """A table, if the history knows it."""
        return self.state.table(name)

    def new(self, name: ObjectName | None) -> bool:
        """Whether a table is empty, since it is made in the same set, or temporary.

        Of a view: whether it is made in the same set, so that nobody uses it yet.
        """
        table = self.state.table(name)
        if table is None:
            view = self.state.views.get(self.state.full(name)) if name else None
            return view is not None and view.made_in in self.pending
        return table.made_in in self.pending or table.persistence == "temporary"

    def empty(self, name: ObjectName) -> bool:
        """Whether nobody can wait for what is done to a table's rows: there are none.

        It is new, or the transaction has truncated it and put nothing in.
        """
        if self.new(name):
            return True
        numbers, found = self.script.on_table(name)
        before = bisect_left(numbers, self.number)
        for number, each in zip(reversed(numbers[:before]), reversed(found[:before]), strict=True):
            together = self.script.transactions[number] == self.transaction
            if self.transaction is None or not together:
                return False
            if each.inside is Inside.FUNCTION:
                continue
            if isinstance(each, op.Truncate | op.ModifyData):
                return isinstance(each, op.Truncate)
        return False

    @property
    def transaction(self) -> int | None:
        """The number of the statement's transaction; None when it stands alone."""
        return self.script.transactions[self.number]

    @property
    def own_begin(self) -> bool:
        """Whether it stands inside the file's own BEGIN and COMMIT."""
        return self.script.own_begin[self.number]

    def before(self) -> Iterator[Operation]:
        """The operations before this statement in its transaction, the last first."""
        for number in self._numbers_before():
            yield from reversed(self.script.statements[number].operations)

    def locks_before(self) -> Iterator[Lock]:
        """What the transaction has locked before this statement, the last operation first."""
        locks = self.script.locks
        for number in self._numbers_before():
            yield from locks[number]

    def _numbers_before(self) -> Iterator[int]:
        """The statements before this one in its transaction, the last first."""
        transaction, all_of = self.transaction, self.script.transactions
        if transaction is None:
            return
        for number in range(self.number - 1, -1, -1):
            if all_of[number] == transaction:
                yield number
            elif all_of[number] is not None:
                return  # transactions follow one another

    def earlier(self) -> Iterator[Operation]:
        """The operations before this statement in its script."""
        for statement in self.script.statements[: self.number]:
            yield from statement.operations

    def operations(self, kind: type[_Kind]) -> Iterator[_Kind]:
        """The operations of one kind in the script."""
        for statement in self.script.statements:
            for each in statement.operations:
                if isinstance(each, kind):
                    yield each

    def later_on(self, table: ObjectName) -> Iterator[Operation]:
        """The operations on a table, by that name, after this statement in its script."""
        numbers, found = self.script.on_table(table)
        yield from found[bisect_right(numbers, self.number) :]

    def later(self) -> Iterator[Operation]:
        """The operations after this statement in its script."""
        for statement in self.script.statements[self.number + 1 :]:
            yield from statement.operations


@dataclass(frozen=True, slots=True)
class Rule:
    """A demand on migrations.

    Attributes:
        code: Such as "CF01"; never given again to another demand.
        name: Such as "safety.require_concurrent_index".
        category: "locks", "breaking", "design", ...
        severity: At its worst: of a large table, or of one whose size nobody knows.
        on: The kinds of operations that it judges.
        check: Gives the problems of one operation.
        modes: What it needs: S the text, H the history.
        doc: The module's docstring, which is its page.
        fixable: Whether a program can mend what it finds.
        in_functions: Whether it also judges what the bodies of functions do.
        on_by_default: Whether it runs where the configuration does not name it.
    """

    code: str
    name: str
    category: str
    severity: Severity
    on: tuple[type[Operation], ...]
    check: Callable[..., Iterator[Problem]]
    modes: str = "S"
    doc: str | None = ""
    fixable: bool = False
    in_functions: bool = False
    on_by_default: bool = True

    @property
    def page(self) -> str:
        """Its page, in Markdown."""
        return (self.doc or "").strip() + "\n"

    @property
    def title(self) -> str:
        """The first line of its page, without the full stop."""
        return self.page.partition("\n")[0].rstrip(".")
