"""Migrations in order -> LintReport: what is judged, what is only history, and what a cache has.

Pure but for reading the files. A table that is made in the same set of migrations is empty, so
its locks are nobody's; a migration outside the set is history and has no findings.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from confiture_flows.lint.cache import chained_links, link_after, packed
from confiture_flows.lint.collecting import collecting_rarely
from confiture_flows.lint.judged import Judged
from confiture_flows.lint.namesakes import without_needed
from confiture_flows.lint.report import Coverage, LintFinding, LintReport
from confiture_flows.lint.rule_index import ENTRY_POINTS
from confiture_flows.lint.settings import LintSettings
from confiture_flows.migrations.migration import Migration, Script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_flows.lint.cache import LintCache
    from confiture_flows.lint.rule import Rule
    from confiture_flows.lint.state import KnownState
    from confiture_flows.lint.walk import Walk


def lint_migrations(
    migrations: Iterable[Migration],
    *,
    only: frozenset[str] | None = None,
    together: bool = False,
    settings: LintSettings | None = None,
    rules: tuple[Rule, ...] | None = None,
    start: KnownState | None = None,
    cache: LintCache | None = None,
) -> LintReport:
    """Judge migrations by the rules.

    Args:
        migrations: All of the directory, in order.
        only: The versions to judge; None is all. The others are history.
        together: Whether they run as one set: what one makes is empty for the next.
        settings: What the project says.
        rules: The rules; those that the project wants by default.
        start: What there is before the first; nothing by default.
        cache: Where the last states are; for the rules of this package only, from the start.

    Raises:
        ConfigError: A rule of another package cannot be used.
    """
    settings = settings or LintSettings()
    every = tuple(migrations)
    if rules is not None or start is not None:
        cache = None
    links = _links(cache, every, settings, only, together)
    found = _recalled(cache, links, every)
    if found is None:
        walk = _walk(settings, rules)
        if start:
            walk.now.state = start.snapshot()
        with collecting_rarely():
            unchanged = _take_all(walk, every, only, together, cache, links)
            walk.end()
        findings = without_needed(walk.now.findings, every)
        found = findings, walk.coverage(), _asked(walk.rules, settings)
        if cache and unchanged and len(links) == len(every):
            cache.keep(link_after(links[-1]), packed(found))
    known = settings.statistics
    findings, coverage, codes = found
    return LintReport(
        findings,
        coverage,
        measured=known.measured if known else None,
        notes=known.notes if known else (),
        judged=_judged(every, only, settings, codes, whole=start is None),
    )


def _asked(rules: tuple[Rule, ...], settings: LintSettings) -> frozenset[str]:
    """The codes of rules; those that need the sizes of tables are asked where these are."""
    return frozenset(each.code for each in rules if "C" not in each.modes or settings.statistics)


def _judged(
    migrations: tuple[Migration, ...],
    only: frozenset[str] | None,
    settings: LintSettings,
    codes: frozenset[str],
    *,
    whole: bool,
) -> Judged:
    """What was asked about what."""
    there = frozenset(each.version for each in migrations)
    left_out = {each.version for each in migrations if settings.excludes(each.up.path)}
    asked = (there if only is None else there & only) - left_out
    return Judged(asked, codes, there if whole else None)


def lint_text(
    before: Iterable[Migration],
    migration: Migration,
    text: str,
    *,
    settings: LintSettings | None = None,
    alone: bool = False,
    cache: LintCache | None = None,
    after: Iterable[Migration] = (),
) -> tuple[LintFinding, ...]:
    """Judge one migration whose text need not be on disk yet.

    Args:
        before: Its history.
        migration: The migration.
        text: What stands in its file.
        settings: What the project says.
        alone: Whether nobody knows what came before it.
        cache: Where the state after its history may be.
        after: What comes after it, which may need what a fix would take away.
    """
    from confiture_flows.lint.script import read_text, transaction_mode

    settings = settings or LintSettings()
    walk, history = _walk(settings), tuple(before)
    walk.now.state.complete = not alone
    # With a cache the history is judged too, once: then its state is also that of whoever
    # lints the whole directory.
    only = None if cache else frozenset[str]()
    _take_all(walk, history, only, False, cache, _links(cache, history, settings, only, False))
    walk.now.findings.clear()
    walk.now.state.begin(migration.version)
    script = migration.up
    if isinstance(script, Script) and not settings.excludes(script.path):
        first, last = script.lines or (1, text.count("\n") + 1)
        part = "\n".join(text.split("\n")[first - 1 : last])
        read = read_text(script.path, part, transaction_mode(script, part), first)
        pending = frozenset((migration.version,))
        walk.now.findings += walk.judge(read, migration, pending, judged=True)
    return without_needed(walk.now.findings, (migration, *after), text=text)


def replayed_state(migrations: Iterable[Migration], home: str = "public") -> KnownState:
    """What a history makes, as far as its operations tell.

    Args:
        migrations: In order.
        home: The schema in which a name without one lies.
    """
    walk = _walk(LintSettings(), ())
    walk.now.state.home = home
    for each in migrations:
        walk.take(each, frozenset(), judged=False)
    return walk.now.state


def _walk(settings: LintSettings, rules: tuple[Rule, ...] | None = None) -> Walk:
    # Where nothing has changed nothing is judged: what judges is a third of the program's start.
    from confiture_flows.lint.registry import all_rules
    from confiture_flows.lint.walk import Walk

    if rules is None:
        rules = tuple(each for each in all_rules() if settings.wants(each))
    return Walk(rules, settings)


def _links(
    cache: LintCache | None,
    migrations: tuple[Migration, ...],
    settings: LintSettings,
    only: frozenset[str] | None,
    together: bool,
) -> tuple[str, ...]:
    """The keys after each migration; none where nothing is kept."""
    if cache is None or entry_points(group=ENTRY_POINTS):
        return ()
    chosen = sorted(only) if only is not None else None
    return chained_links(migrations, repr((settings.key, chosen, together)))


def _recalled(
    cache: LintCache | None, links: tuple[str, ...], migrations: tuple[Migration, ...]
) -> tuple[tuple[LintFinding, ...], Coverage, frozenset[str]] | None:
    """What was found when all migrations were as they are, and which codes were asked."""
    if cache is None or not links or len(links) < len(migrations):
        return None
    match cache.recall((link_after(links[-1]),)):
        case 1, (tuple() as findings, Coverage() as coverage, frozenset() as codes):
            return findings, coverage, codes
        case _:
            return None


def _take_all(
    walk: Walk,
    migrations: tuple[Migration, ...],
    only: frozenset[str] | None,
    together: bool,
    cache: LintCache | None,
    links: tuple[str, ...],
) -> bool:
    """Judge migrations in order, from the last state that a cache has, and keep the new ones.

    Returns:
        Whether the files are still those that the links are of.
    """
    from confiture_flows.lint.walk import WalkProgress

    done = 0
    if cache and links:
        number, progress = cache.recall(links)
        if isinstance(progress, WalkProgress):
            done, walk.now = number, progress
    kept: dict[str, bytes] = {}
    for number, migration in enumerate(migrations[done:], done + 1):
        judged = only is None or migration.version in only
        pending = (only or frozenset()) if together else frozenset((migration.version,))
        walk.take(migration, pending, judged=judged)
        # The last, and the one before it: the last is what people work on.
        if len(links) - 2 < number <= len(links):
            kept[links[number - 1]] = packed(walk.now)
    if cache is None or not links:
        return False
    unchanged = _links(cache, migrations, walk.settings, only, together) == links
    for link, state in kept.items() if unchanged else ():
        cache.keep(link, state)
    return unchanged
