"""Migrations in order -> LintReport: each operation against each rule, and the history replayed.

Pure but for reading the files. A table that is made in the same set of migrations is empty, so
its locks are nobody's; a migration outside the set is history and has no findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeGuard

from confiture_flows.errors import MigrationFileError
from confiture_flows.lint.cache import chained_links, packed
from confiture_flows.lint.noqa import Silence, read_noqa, silenced_by, unused_words
from confiture_flows.lint.registry import all_rules, own_rules
from confiture_flows.lint.report import Coverage, LintFinding, LintReport
from confiture_flows.lint.rule import Problem, Rule, Scene, severity_of
from confiture_flows.lint.script import (
    End,
    HistoryEnd,
    LintedScript,
    SilencingComment,
    UnusedNoqa,
    read_text,
    transaction_mode,
)
from confiture_flows.lint.settings import LintSettings
from confiture_flows.lint.state import KnownState
from confiture_flows.lint.undo import undone_state
from confiture_flows.migrations.migration import Migration, Script
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_flows.lint.cache import LintCache
    from confiture_flows.migrations.migration import Runnable
    from confiture_flows.sql.operations import ReadStatement


Judge = dict[type[op.Operation], tuple[Rule, ...]]


def lint_migrations(
    migrations: Iterable[Migration],
    *,
    only: frozenset[str] | None = None,
    together: bool = False,
    settings: LintSettings | None = None,
    rules: tuple[Rule, ...] | None = None,
    known: KnownState | None = None,
    cache: LintCache | None = None,
) -> LintReport:
    """Judge migrations by the rules.

    Args:
        migrations: All of the directory, in order.
        only: The versions to judge; None is all. The others are history.
        together: Whether they run as one set: what one makes is empty for the next.
        settings: What the project says.
        rules: The rules; those that the project wants by default.
        known: What a live database says of tables, for sizes.
        cache: Where the last states are; for the rules of this package and unknown sizes only.

    Raises:
        ConfigError: A rule of another package cannot be used.
    """
    settings = settings or LintSettings()
    chosen = rules or tuple(each for each in all_rules() if settings.wants(each))
    run = _Run(chosen, settings, known)
    migrations = tuple(migrations)
    said, links, done = "", (), 0
    if cache and rules is None and known is None and all_rules() == own_rules():
        said = repr((settings, sorted(only) if only is not None else None, together))
        links = chained_links(migrations, said)
        done, progress = cache.recall(links)
        if isinstance(progress, _Progress):
            run.now = progress
    kept: dict[str, bytes] = {}
    for number, migration in enumerate(migrations[done:], done + 1):
        judged = only is None or migration.version in only
        pending = (only or frozenset()) if together else frozenset((migration.version,))
        run.take(migration, pending, judged=judged)
        # The last, and the one before it: the last is what people work on.
        if len(links) - 2 < number <= len(links):
            kept[links[number - 1]] = packed(run.now)
    if cache and kept and chained_links(migrations, said) == links:
        for link, state in kept.items():
            cache.keep(link, state)
    run.end()
    return LintReport(tuple(run.now.findings), run.coverage())


def lint_text(
    before: Iterable[Migration],
    migration: Migration,
    text: str,
    *,
    settings: LintSettings | None = None,
    alone: bool = False,
) -> tuple[LintFinding, ...]:
    """Judge one migration whose text need not be on disk yet.

    Args:
        before: Its history.
        migration: The migration.
        text: What stands in its file.
        settings: What the project says.
        alone: Whether nobody knows what came before it.
    """
    settings = settings or LintSettings()
    run = _Run(tuple(each for each in all_rules() if settings.wants(each)), settings, None)
    run.now.state.complete = not alone
    for each in before:
        run.take(each, frozenset((each.version,)), judged=False)
    run.now.state.begin(migration.version)
    script = migration.up
    if isinstance(script, Script) and not settings.excludes(script.path):
        first, last = script.lines or (1, text.count("\n") + 1)
        part = "\n".join(text.split("\n")[first - 1 : last])
        read = read_text(script.path, part, transaction_mode(script, part), first)
        pending = frozenset((migration.version,))
        run.now.findings += run.judge(read, migration, pending, judged=True)
    return tuple(run.now.findings)


def replayed_state(migrations: Iterable[Migration]) -> KnownState:
    """What a history makes, as far as its operations tell."""
    run = _Run((), LintSettings(), None)
    for each in migrations:
        run.take(each, frozenset(), judged=False)
    return run.now.state


@dataclass(frozen=True, slots=True)
class _Added:
    """A constraint that is NOT VALID, and where it was added."""

    said: op.AddConstraint
    scene: Scene
    silences: tuple[Silence, ...]
    version: str


@dataclass(slots=True)
class _Progress:
    """What is known after some migrations; `cache` keeps it."""

    state: KnownState = field(default_factory=KnownState)
    findings: list[LintFinding] = field(default_factory=list)
    added: list[_Added] = field(default_factory=list)
    files: int = 0
    statements: int = 0
    unread: int = 0
    dynamic: int = 0
    python: int = 0


@dataclass(slots=True)
class _Run:
    rules: tuple[Rule, ...]
    settings: LintSettings
    known: KnownState | None
    now: _Progress = field(default_factory=_Progress)
    _used: set[tuple[Silence, str]] = field(default_factory=set)
    _judge: Judge = field(default_factory=dict)

    def coverage(self) -> Coverage:
        return Coverage(
            self.now.files, self.now.statements, self.now.unread, self.now.dynamic, self.now.python
        )

    def take(self, migration: Migration, pending: frozenset[str], *, judged: bool) -> None:
        """Judge a migration and let it be history."""
        self.now.state.begin(migration.version)
        judged = judged and not self.settings.excludes(migration.up.path)
        for script in self._scripts(migration.up, migration.version, told=judged):
            found = self.judge(script, migration, pending, judged=judged)
            if judged:
                self.now.findings += found

    def _scripts(self, script: Runnable, version: str, *, told: bool) -> Iterator[LintedScript]:
        """The texts of a script and of what it includes."""
        if not isinstance(script, Script):
            self.now.python += told
            self.now.state.complete = False
            return
        try:
            for piece in script.pieces():
                if piece.source is not None and piece.source.data is not None:
                    continue  # rows of a large file: nothing but INSERTs
                mode = transaction_mode(script, piece.text)
                text, filled = piece.text, False
                if script.placeholders:
                    text, places = script.placeholders.fill(text, piece.path, piece.first_line)
                    filled = bool(places)
                yield replace(read_text(piece.path, text, mode, piece.first_line), filled=filled)
        except MigrationFileError as error:
            self.now.state.complete = False
            if told:
                self.now.findings.append(LintFinding.unreadable(error, script.path, version))

    def judge(
        self, script: LintedScript, migration: Migration, pending: frozenset[str], *, judged: bool
    ) -> list[LintFinding]:
        """The findings of one script, which is then history."""
        silences = read_noqa(script.text) if judged else ()
        found: list[LintFinding] = []
        self.now.files += judged
        before = self.now.state.snapshot() if judged else None
        scene: Scene | None = None
        self._used.clear()
        for number, statement in enumerate(script.statements):
            self.now.statements += judged
            scene = Scene(
                self.now.state,
                script,
                statement,
                number,
                pending,
                self.settings.names,
                self.settings.masked,
            )
            for each in statement.operations:
                if judged:
                    self._count(each)
                    found += self._told(each, scene, silences, migration.version)
                    if _waits_for_validation(each):
                        self.now.added.append(_Added(each, scene, silences, migration.version))
                self.now.state.apply(each)
        if before and scene:
            last = scene.statement.operations[0]
            undone = undone_state(before, self.now.state, script, migration.down)
            end = End(before=before, undone=undone, offset=last.offset, line=last.line)
            found += self._told(end, scene, silences, migration.version)
            if silences:
                found += self._about_noqa(scene, silences, migration.version)
        return found

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
    ) -> Iterator[LintFinding]:
        """The findings about one operation that no comment silences."""
        for rule, problem in self._problems(said, scene):
            finding = self._finding(rule, problem, problem.at or said, scene, version)
            silence = silenced_by(silences, finding.text_line, rule.code, rule.name)
            if silence is None:
                yield finding
            else:
                self._used.add((silence, rule.code))

    def _count(self, operation: op.Operation) -> None:
        if isinstance(operation, op.Unread):
            if operation.reason == "dynamic":
                self.now.dynamic += 1
            else:
                self.now.unread += 1

    def _problems(self, said: op.Operation, scene: Scene) -> Iterator[tuple[Rule, Problem]]:
        kind = type(said)
        rules = self._judge.get(kind)
        if rules is None:
            rules = tuple(each for each in self.rules if issubclass(kind, each.on))
            self._judge[kind] = rules
        for rule in rules:
            # What a function does is judged where it is about the function, not when it is made.
            if said.inside is Inside.FUNCTION and not rule.in_functions:
                continue
            for problem in rule.check(said, scene):
                yield rule, problem

    def _finding(
        self, rule: Rule, problem: Problem, said: op.Operation, scene: Scene, version: str
    ) -> LintFinding:
        table = self.known.table(problem.table) if self.known else None
        severity = self.settings.severities.get(rule.code) or severity_of(rule, problem, table)
        script = scene.script
        edits = () if script.filled else problem.edits
        return LintFinding(
            rule=rule.code,
            name=rule.name,
            title=rule.title,
            severity=severity,
            message=problem.message,
            next_step=problem.next_step,
            version=version,
            path=script.path,
            line=script.first_line + said.line - 1,
            text_line=said.line,
            offset=said.offset,
            statement=_statement_of(said, scene).sql,
            subject=str(problem.table or ""),
            edits=edits,
        )


def _waits_for_validation(said: op.Operation) -> TypeGuard[op.AddConstraint]:
    return (
        isinstance(said, op.AddConstraint)
        and not said.constraint.valid
        and bool(said.constraint.name)
        and said.inside is not Inside.FUNCTION
    )


def _statement_of(said: op.Operation, scene: Scene) -> ReadStatement:
    """The statement that an operation is a part of; the end of a script is of its last one."""
    if any(each is said for each in scene.statement.operations):
        return scene.statement
    for statement in scene.script.statements:
        if any(each is said for each in statement.operations):
            return statement
    return scene.statement
