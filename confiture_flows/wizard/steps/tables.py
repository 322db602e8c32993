"""TableSelection: whose rows are copied; what foreign keys tie to them is offered."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from confiture_flows.dryrun.words import size
from confiture_flows.wizard.prompts import Choice
from confiture_flows.wizard.step import ask_in_turn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_flows.anonymization.source import SourceCatalog
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_SHOWN = 8  # names in one line; more are counted


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of a source, partitioned ones as one."""

    choices: tuple[Choice, ...]
    refers_to: dict[str, frozenset[str]]

    def closure(self, chosen: Iterable[str]) -> tuple[str, ...]:
        """What chosen tables refer to, directly or not, and is not chosen itself."""
        chosen = set(chosen)
        reached, waiting = set(chosen), list(chosen)
        while waiting:
            for parent in self.refers_to.get(waiting.pop(), frozenset()) - reached:
                reached.add(parent)
                waiting.append(parent)
        return tuple(sorted(reached - chosen))


@dataclass
class TableSelection:
    """Whose rows are copied."""

    name: ClassVar[str] = "tables"
    title: ClassVar[str] = "Tables"
    keys: ClassVar[tuple[str, ...]] = ("tables.tables", "tables.closure")
    _read: dict[str, _Tables] = field(default_factory=dict)

    def skipped(self, state: WizardState) -> str | None:
        """Where nothing is copied."""
        return None if state.copies else "nothing is copied, and migrations name their own tables."

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """See `WizardStep`."""
        assert state.source is not None  # noqa: S101 - the first step has chosen it
        if state.source not in self._read:
            self._read[state.source] = _read(screen, state.source)
        tables = self._read[state.source]
        if not tables.choices:
            screen.say("The source has no tables; an empty copy is made.")
            return state.but(tables=None)

        def choose(state: WizardState) -> WizardState:
            return _choose(screen, state, tables)

        def close(state: WizardState) -> WizardState | None:
            return _close(screen, state, tables)

        return ask_in_turn(state, (choose, close))


def _read(screen: Screen, reference: str) -> _Tables:
    from confiture_flows.anonymization.source import read_source
    from confiture_flows.target import connect

    with connect(screen.target(reference), "wizard") as conn:
        conn.execute("SET lock_timeout = '10s'")
        return _tables(read_source(conn))


def _tables(source: SourceCatalog) -> _Tables:
    from confiture_flows.anonymization.proposal import pattern_of

    rows: dict[str, int] = defaultdict(int)
    bytes_of: dict[str, int] = defaultdict(int)
    unread: dict[str, str] = {}
    for each in source.tables:
        name = pattern_of(*each.family)
        rows[name] += each.rows
        bytes_of[name] += each.size
        if not each.readable:
            unread[name] = "its user may not read it"
    refers_to: dict[str, set[str]] = defaultdict(set)
    of_name = {name: each.family for each in source.tables for name in each.names}
    for key in source.foreign_keys:
        child, parent = (pattern_of(*of_name.get(name, name)) for name in (key.table, key.parent))
        refers_to[child].add(parent)
    return _Tables(
        tuple(
            Choice(
                name,
                name,
                f"{size(bytes_of[name]):>8}  about {rows[name]:,} rows",
                unread.get(name),
            )
            for name in sorted(rows)
        ),
        {name: frozenset(each) for name, each in refers_to.items()},
    )


def _choose(screen: Screen, state: WizardState, tables: _Tables) -> WizardState:
    able = [each.value for each in tables.choices if not each.disabled]
    before = able if state.tables is None else [each for each in state.tables if each in able]
    while True:
        chosen = screen.prompter.select_many(
            "tables.tables",
            "Whose rows are copied? The other tables stay empty.",
            tables.choices,
            before,
        )
        if chosen:
            break
        screen.say("Tick at least one table; a copy without rows has nothing to anonymize.", "red")
    return state.but(tables=None if len(chosen) == len(tables.choices) else chosen)


def _close(screen: Screen, state: WizardState, tables: _Tables) -> WizardState | None:
    if state.tables is None:
        return None
    unable = {each.value for each in tables.choices if each.disabled}
    missing = [each for each in tables.closure(state.tables) if each not in unable]
    if not missing:
        return None
    names = ", ".join(missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    screen.say(f"Foreign keys of what you ticked refer to {names}{more}.")
    add = Choice("add", f"Copy {'it' if len(missing) == 1 else f'these {len(missing)}'} too")
    leave = Choice("leave", "Leave out", "and with it the rows that refer to it")
    answer = screen.prompter.select("tables.closure", "What they refer to:", (add, leave), "add")
    if answer == "leave":
        return state
    whole = {*state.tables, *missing}
    return state.but(
        tables=None
        if len(whole) == len(tables.choices)
        else tuple(each.value for each in tables.choices if each.value in whole)
    )
