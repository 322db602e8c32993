"""Walk: a script -> its findings, each operation against each rule; then the script is history."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeGuard

from confiture_flows.errors import MigrationFileError
from confiture_flows.lint._lock_orders import TablePair, lock_orders
from confiture_flows.lint.noqa import Silence, read_noqa, silenced_by, unused_words
from confiture_flows.lint.report import Coverage, LintFinding
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import (
    End,
    HistoryEnd,
    LintedScript,
    SilencingComment,
    UnusedNoqa,
    read_text,
    transaction_mode,
)
from confiture_flows.lint.severity import burden_of, reason_of, severity_of
from confiture_flows.lint.state import KnownState
from confiture_flows.lint.undo import undone_state
from confiture_flows.migrations.migration import Migration, Script
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import IN_FUNCTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confiture_flows.lint.settings import LintSettings
    from confiture_flows.migrations.migration import Runnable
    from confiture_flows.sql.operations import ReadStatement


# Where others wait for what a statement does; elsewhere a table's size alone counts.
OF_LOCKS = {"locks", "rewrite", "data"}


@dataclass(frozen=True, slots=True)
class _Added:
    """A constraint that is NOT VALID, and where it was added."""

    said: op.AddConstraint
    scene: Scene
    silences: tuple[Silence, ...]
    version: str


@dataclass(slots=True)
class WalkProgress:
    """What is known after some migrations; `cache` keeps it."""

    state: KnownState = field(default_factory=KnownState)
    findings: list[LintFinding] = field(default_factory=list)
    added: list[_Added] = field(default_factory=list)
    orders: dict[TablePair, str] = field(default_factory=dict)
    files: int = 0
    statements: int = 0
    unread: int = 0
    dynamic: int = 0
    python: int = 0


@dataclass(slots=True)
class Walk:
    """Goes through migrations in order.

    Attributes:
        rules: What judges.
        settings: What the project says.
        now: What is known after the last migration.
    """

    rules: tuple[Rule, ...]
    settings: LintSettings
    now: WalkProgress = field(default_factory=WalkProgress)
    _used: set[tuple[Silence, str]] = field(default_factory=set)
    _judge: dict[tuple[type[op.Operation], bool], tuple[Rule, ...]] = field(default_factory=dict)

    def coverage(self) -> Coverage:
        """How much was read."""
        return Coverage(
            self.now.files, self.now.statements, self.now.unread, self.now.dynamic, self.now.python
        )

    def take(self, migration: Migration, pending: frozenset[str], *, judged: bool) -> None:
        """Judge a migration and let it be history."""
        self.now.state.begin(migration.version)
        judged = judged and not self.settings.excludes(migration.up.path)
        scripts = self._scripts(migration.up, migration.version, told=judged)
        script, before = next(scripts, None), None
        first = True
        while script is not None:
            # A large file comes in parts: what it leaves behind is asked at the end of the last.
            following = next(scripts, None)
            goes_on = following is not None and following.path == script.path
            if following is not None or not first:
                script = replace(script, more=following is not None, first=first)
            first = False
            if judged:
                before = before or self.now.state.snapshot()
            found = self.judge(
                script, migration, pending, judged=judged, before=before, goes_on=goes_on
            )
            if judged:
                self.now.findings += found
            script, before = following, before if goes_on else None

    def _scripts(self, script: Runnable, version: str, *, told: bool) -> Iterator[LintedScript]:
        """The texts of a script and of what it includes."""
        if not isinstance(script, Script):
            self.now.python += told
            self.now.state.complete = False
            return
        files: set[Path] = set()
        begun, mode = False, None
        try:
            for piece in script.pieces():
                self.now.files += told and piece.path not in files
                files.add(piece.path)
                if piece.source is not None and piece.source.data is not None:
                    continue  # rows of a large file: nothing but INSERTs
                mode = mode or transaction_mode(script, piece.text)
                text, filled = piece.text, False
                if script.placeholders:
                    text, places = script.placeholders.fill(text, piece.path, piece.first_line)
                    filled = bool(places)
                read = read_text(piece.path, text, mode, piece.first_line, begun=begun)
                begun = read.left_open
                if piece.source is not None:
                    # What includes files is parted once more, and its places are not told.
                    filled = filled or piece.text != piece.source.text
                    read = replace(read, byte=piece.source.place.offset)
                yield replace(read, filled=True) if filled else read
        except MigrationFileError as error:
            self.now.state.complete = False
            if told:
                self.now.findings.append(LintFinding.unreadable(error, script.path, version))

    def judge(
        self,
        script: LintedScript,
        migration: Migration,
        pending: frozenset[str],
        *,
        judged: bool,
        before: KnownState | None = None,
        goes_on: bool = False,
    ) -> list[LintFinding]:
        """The findings of one script, which is then history.

        Args:
            script: The script, or a part of a large file.
            migration: Whose it is.
            pending: The versions that are judged with it.
            judged: Whether it has findings.
            before: What there was before its file; what there is now when empty.
            goes_on: Whether the next script is of the same file.
        """
        silences = read_noqa(script.text) if judged else ()
        found: list[LintFinding] = []
        if judged and before is None:
            before = self.now.state.snapshot()
        scene: Scene | None = None
        names, masked = self.settings.names, self.settings.masked
        sizes = self.settings.statistics.tables if self.settings.statistics else {}
        self._used.clear()
        for number, statement in enumerate(script.statements):
            self.now.statements += judged
            scene = Scene(
                self.now.state, script, statement, number, pending, names, sizes, masked, before
            )
            for each in statement.operations:
                if judged:
                    self._count(each)
                    found += self._told(each, scene, silences, migration.version)
                    if _waits_for_validation(each):
                        kept = replace(scene, start=None)
                        self.now.added.append(_Added(each, kept, silences, migration.version))
                self.now.state.apply(each)
        if before and scene and not goes_on:
            last = scene.statement.operations[0]
            undone = undone_state(before, self.now.state, script, migration.down)
            end = End(
                before=before,
                undone=undone,
                down=migration.down,
                orders=self.now.orders,
                offset=last.offset,
                line=last.line,
            )
            found += self._told(end, scene, silences, migration.version)
            if len(pending) > 1:
                self._note_orders(script, before, pending)
        if scene and silences:
            found += self._about_noqa(scene, silences, migration.version)
        return found

    def _note_orders(
        self, script: LintedScript, before: KnownState, pending: frozenset[str]
    ) -> None:
        """Keep the order in which a script locks tables, for the later ones of its set."""
        for pairs in lock_orders(script, before, pending):
            for pair, (each, _) in pairs.items():
                line = script.first_line + each.line - 1
                self.now.orders.setdefault(pair, f"{script.path.name}:{line}")

    def end(self) -> None:
        """Judge what the migrations leave behind; the last one may be gone on with."""
        for each in self.now.added:
            if each.version == self.now.state.migration:
                continue
            said = HistoryEnd(added=each.said, offset=each.said.offset, line=each.said.line)
            self.now.findings += self._told(said, each.scene, each.silences, each.version)

    def _about_noqa(
        self, scene: Scene, silences: tuple[Silence, ...], version: str
    ) -> Iterator[LintFinding]:
        """The findings about comments that silenced nothing, or do not say why."""
        lines = scene.script.text.split("\n")
        for each in silences:
            if each.range != "enable":
                start = sum(len(line) + 1 for line in lines[: each.line - 1])
                comment = SilencingComment(reason=each.reason, line=each.line, offset=start)
                yield from self._told(comment, scene, (), version)
        # What is judged when all has been read cannot have been silenced yet.
        running = {rule.code for rule in self.rules if HistoryEnd not in rule.on}
        for each, word, unknown in unused_words(silences, self._used, running):
            start = sum(len(line) + 1 for line in lines[: each.line - 1])
            said = UnusedNoqa(word=word, unknown=unknown, line=each.line, offset=start)
            yield from self._told(said, scene, (), version)

    def _told(
        self, said: op.Operation, scene: Scene, silences: tuple[Silence, ...], version: str
    ) -> list[LintFinding]:
        """The findings about one operation that no comment silences."""
        found: list[LintFinding] = []
        for rule in self._judges(type(said), in_function=said.inside is IN_FUNCTION):
            for problem in rule.check(said, scene):
                finding = self._finding(rule, problem, problem.at or said, scene, version)
                line = finding.text_line
                silence = silenced_by(silences, line, rule.code, rule.name, rule.category)
                if silence is None:
                    found.append(finding)
                else:
                    self._used.add((silence, rule.code))
        return found

    def _count(self, operation: op.Operation) -> None:
        if isinstance(operation, op.Unread):
            if operation.reason == "dynamic":
                self.now.dynamic += 1
            else:
                self.now.unread += 1

    def _judges(self, kind: type[op.Operation], *, in_function: bool) -> tuple[Rule, ...]:
        """The rules that judge a kind of operation."""
        rules = self._judge.get((kind, in_function))
        if rules is None:
            # What a function does is judged where it is about the function, not when it is made.
            rules = tuple(
                each
                for each in self.rules
                if issubclass(kind, each.on) and (each.in_functions or not in_function)
            )
            self._judge[kind, in_function] = rules
        return rules

    def _finding(
        self, rule: Rule, problem: Problem, said: op.Operation, scene: Scene, version: str
    ) -> LintFinding:
        worst, reason = problem.severity or rule.severity, ""
        if problem.table:
            facts = scene.facts(problem.table)
            burden = burden_of(problem, said) if rule.category in OF_LOCKS else None
            worst, reason = severity_of(worst, burden, facts), reason_of(burden, facts)
        severity = self.settings.severities.get(rule.code) or worst
        script = scene.script
        edits = () if script.filled else problem.edits
        return LintFinding(
            rule=rule.code,
            name=rule.name,
            title=rule.title,
            severity=severity,
            message=problem.message,
            next_step=problem.next_step,
            reason=reason,
            version=version,
            path=script.path,
            line=script.first_line + said.line - 1,
            text_line=said.line,
            text_byte=script.byte,
            offset=said.offset,
            statement=_statement_of(said, scene).sql,
            subject=str(problem.table or ""),
            edits=edits,
            replaced=problem.replaced if edits else None,
            adds=problem.adds,
            elsewhere=None if script.filled else problem.elsewhere,
        )


def _waits_for_validation(said: op.Operation) -> TypeGuard[op.AddConstraint]:
    return (
        isinstance(said, op.AddConstraint)
        and not said.constraint.valid
        and bool(said.constraint.name)
        and said.inside is not IN_FUNCTION
    )


def _statement_of(said: op.Operation, scene: Scene) -> ReadStatement:
    """The statement that an operation is a part of; the end of a script is of its last one."""
    if any(each is said for each in scene.statement.operations):
        return scene.statement
    statements = scene.script.statements
    # Where it should be by its place, and then all: a rule may tell of each of many tables.
    place = bisect_right(statements, said.offset, key=lambda each: each.start) - 1
    for statement in chain(statements[max(place, 0) : place + 1], statements):
        if any(each is said for each in statement.operations):
            return statement
    return scene.statement
