"""RuleConfigurator: columns that look personal, what becomes of them, and how that looks.

Nothing that the source holds is shown: samples are masked ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from confiture_flows.errors import ConfigError
from confiture_flows.wizard.prompts import Back, Choice
from confiture_flows.wizard.state import ColumnRuleText
from confiture_flows.wizard.step import ask_in_turn

if TYPE_CHECKING:
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.proposal import ProposedRule
    from confiture_flows.wizard.masked_samples import MaskedSamples
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_COPY = "copy"  # as an answer: copied as it is
_WIDE = 110  # columns in which two samples of a value stand beside one another
_ROWS = 100  # samples of each table; half of what `detect` reads, for somebody is waiting


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in a source, for one choice of tables."""

    reference: str
    proposed: tuple[ProposedRule, ...]
    looked_at: int
    covered: int
    unread: tuple[tuple[str, str], ...]
    secret: Secret
    throwaway: bool


@dataclass
class RuleConfigurator:
    """What becomes of columns that look personal."""

    name: ClassVar[str] = "rules"
    title: ClassVar[str] = "Rules"
    keys: ClassVar[tuple[str, ...]] = (
        "rules.proposals",
        "rules.agree",
        "rules.column",
        "rules.columns.*",
        "rules.write",
    )
    _found: dict[tuple[str, tuple[str, ...] | None], _Found] = field(default_factory=dict)

    def skipped(self, state: WizardState) -> str | None:
        """Where nothing is copied."""
        return None if state.copies else "nothing is copied, so nothing is anonymized."

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """See `WizardStep`."""
        assert state.source is not None  # noqa: S101 - the first step has chosen it
        about = (state.source, state.tables)
        if about not in self._found:
            screen.say("Looking at names, types and samples of columns ...", "dim")
            self._found[about] = _detect(screen, state)
        found = self._found[about]
        _tell_found(screen, found)
        if not found.proposed:
            return state.but(rules=(), allow=())

        def choose(state: WizardState) -> WizardState:
            return _choose(screen, state, found)

        def write(state: WizardState) -> WizardState | None:
            return _write(screen, state, found)

        return ask_in_turn(state, (choose, write))


def _detect(screen: Screen, state: WizardState) -> _Found:
    from confiture_flows.anonymization.detection import detect_personal
    from confiture_flows.anonymization.prepare import import_strategies
    from confiture_flows.anonymization.proposal import is_covered, pattern_of, proposed_rules
    from confiture_flows.anonymization.rules import rules_of
    from confiture_flows.anonymization.sampling import SampleLimits, sample_source
    from confiture_flows.anonymization.source import read_source
    from confiture_flows.target import connect
    from confiture_flows.wizard.masked_samples import preview_secret

    import_strategies(screen.project)
    rules = rules_of(screen.project)
    with connect(screen.target(str(state.source)), "wizard") as conn:
        # Even the size of a table waits for who has locked it.
        conn.execute("SET lock_timeout = '10s'")
        source = read_source(conn)
        if state.tables is not None:
            wanted = set(state.tables)
            kept = tuple(each for each in source.tables if pattern_of(*each.family) in wanted)
            source = replace(source, tables=kept)
        sampled = sample_source(conn, source, SampleLimits(rows=_ROWS))
    personal = detect_personal(sampled.columns)
    bare = tuple(each for each in personal if not is_covered(rules, each.column))
    covered = {each.column for each in personal} - {each.column for each in bare}
    return _Found(
        str(state.source),
        proposed_rules(bare),
        len(sampled.columns),
        len(covered),
        sampled.unread,
        *preview_secret(screen.project),
    )


def _tell_found(screen: Screen, found: _Found) -> None:
    count = len(found.proposed)
    looks = "none looks personal without a rule"
    if count:
        looks = (
            "1 looks personal and has no rule"
            if count == 1
            else f"{count} look personal and have no rule"
        )
    covered = f"; {found.covered} that do have one" if found.covered else ""
    screen.say(f"{found.looked_at} columns looked at: {looks}{covered}.")
    for table, reason in found.unread:
        screen.say(f"Rows of {table} were not looked at: {reason}.", "yellow")


def _choose(screen: Screen, state: WizardState, found: _Found) -> WizardState:
    """Show what is proposed until somebody agrees."""
    chosen = _so_far(state, found)
    key = "rules.proposals"
    while True:
        _show(screen, found, chosen)
        try:
            way = screen.prompter.select(key, "These rules:", _ways(chosen), "accept")
        except Back:
            raise Back(_with(state, found, chosen)) from None
        key = "rules.agree"  # the same question, about something else
        try:
            if way == "accept":
                return _with(state, found, chosen)
            if way == "none":
                return _with(state, found, dict.fromkeys(chosen, None))
            change = _each if way == "each" else _one
            chosen = change(screen, found, chosen)
        except Back:
            continue  # to these rules


def _so_far(state: WizardState, found: _Found) -> dict[str, str | None]:
    """Strategies by the names of columns: chosen before, or proposed; None copies."""
    before: dict[str, str | None] = {each.column: each.strategy for each in state.rules}
    before |= dict.fromkeys(state.allow, None)
    return {each.name: before.get(each.name, each.strategy) for each in found.proposed}


def _ways(chosen: dict[str, str | None]) -> tuple[Choice, ...]:
    masked = sum(1 for each in chosen.values() if each)
    left = len(chosen) - masked
    accepted = f"{masked} masked" + (f", {left} copied as they are" if left else "")
    return (
        Choice("accept", "Go on with them", accepted),
        Choice("one", "Change one column"),
        Choice("each", "Go through all of them, one by one"),
        Choice("none", "Copy all of them as they are", "personal values stay"),
    )


def _show(screen: Screen, found: _Found, chosen: dict[str, str | None]) -> None:
    from confiture_flows.report.document import Document, Table
    from confiture_flows.report.text import print_document

    samples = _samples(screen, found, chosen)
    rows = []
    for each in found.proposed:
        surest = each.why[0]
        values = samples.values.get(each.column, ())
        rows.append(
            (
                each.name,
                f"{surest.category} {surest.score:.2f}",
                chosen[each.name] or "copied as it is",
                ", ".join(values) or "-",
            )
        )
    columns = ("Column", "Looks like", "Strategy", "Masked samples")
    print_document(screen.console, Document("Proposed rules", (Table(columns, tuple(rows)),)))
    if found.throwaway and any(chosen.values()):
        screen.say(
            "The samples use a secret made for now, as the configuration names none: the copy "
            "needs [anonymization] secret.",
            "yellow",
        )
    for error in samples.errors:
        screen.say(error, "red")


def _samples(screen: Screen, found: _Found, chosen: dict[str, str | None]) -> MaskedSamples:
    from confiture_flows.target import connect
    from confiture_flows.wizard.masked_samples import MaskedSamples, mask_samples

    wanted = {each.column: name for each in found.proposed if (name := chosen[each.name])}
    if not wanted:
        return MaskedSamples({})
    with connect(screen.target(found.reference), "wizard") as conn:
        conn.execute("SET lock_timeout = '10s'")
        conn.execute("SET statement_timeout = '30s'")
        return mask_samples(conn, found.secret, wanted, 2 if screen.console.width >= _WIDE else 1)


def _each(screen: Screen, found: _Found, chosen: dict[str, str | None]) -> dict[str, str | None]:
    """Ask for every column; Back leads to the one before."""
    chosen = dict(chosen)
    place = 0
    while place < len(found.proposed):
        each = found.proposed[place]
        try:
            chosen[each.name] = _strategy(screen, each, chosen[each.name])
        except Back:
            if place == 0:
                raise
            place -= 1
            continue
        place += 1
    return chosen


def _one(screen: Screen, found: _Found, chosen: dict[str, str | None]) -> dict[str, str | None]:
    choices = [
        Choice(each.name, each.name, chosen[each.name] or "copied as it is")
        for each in found.proposed
    ]
    name = screen.prompter.select("rules.column", "Which column?", choices)
    about = next(each for each in found.proposed if each.name == name)
    return chosen | {name: _strategy(screen, about, chosen[name])}


def _strategy(screen: Screen, about: ProposedRule, before: str | None) -> str | None:
    from confiture_flows.anonymization.proposal import fitting_strategies

    names = sorted(fitting_strategies(about.column), key=lambda name: name != about.strategy)
    choices = [Choice(name, name, _said(name, about)) for name in names]
    why = "; ".join(about.why[0].evidence)
    answer = screen.prompter.select(
        f"rules.columns.{about.name}",
        f"{about.name} ({about.column.type}; {why})",
        [*choices, Choice(_COPY, "Copy it as it is")],
        before or _COPY,
    )
    return None if answer == _COPY else answer


def _said(name: str, about: ProposedRule) -> str:
    from confiture_flows.anonymization.registry import registered

    said = (registered.find(name).__doc__ or "").strip().partition("\n")[0]
    return f"proposed: {said}" if name == about.strategy else said


def _with(state: WizardState, found: _Found, chosen: dict[str, str | None]) -> WizardState:
    rules = tuple(
        ColumnRuleText(column=name, strategy=strategy)
        for name, strategy in chosen.items()
        if strategy
    )
    allow = tuple(name for name, strategy in chosen.items() if strategy is None)
    return state.but(rules=[each.model_dump() for each in rules], allow=allow)


def _write(screen: Screen, state: WizardState, found: _Found) -> WizardState | None:
    if not state.rules:
        return None
    from confiture_flows.anonymization.proposal import write_rules
    from confiture_flows.config import FILE_NAME

    path = screen.project.source or Path(FILE_NAME)
    if not screen.prompter.confirm(
        "rules.write", f"Write the rules into {path.name} too, for later runs?", False
    ):
        return state
    chosen = {each.column: each.strategy for each in state.rules}
    named = tuple(
        replace(each, strategy=chosen[each.name]) for each in found.proposed if each.name in chosen
    )
    try:
        write_rules(named, path)
    except ConfigError as error:
        screen.tell(error)
        return state
    are = "1 rule is" if len(named) == 1 else f"{len(named)} rules are"
    screen.say(f"{are} in {path.name}; what was there is as it was.", "green")
    return state
