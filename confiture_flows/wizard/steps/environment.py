"""EnvironmentChooser: the rules of the chosen target, and its name typed where it is production."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from confiture_flows.report.document import Document, Facts
from confiture_flows.report.finding import Severity
from confiture_flows.wizard.prompts import Choice
from confiture_flows.wizard.step import ask_in_turn

if TYPE_CHECKING:
    from confiture_flows.target import Target
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_GATES = {
    "info": "stop at every finding",
    "warning": "stop at warnings and errors",
    "error": "stop at errors only",
}
_DRY_RUNS = {
    "off": "none before the apply",
    "static": "read the files, and the sizes of the tables",
    "scratch": "apply in a scratch database first",
}


class EnvironmentChooser:
    """What the target's rules are, and whether this run keeps them."""

    name: ClassVar[str] = "environment"
    title: ClassVar[str] = "Environment"
    keys: ClassVar[tuple[str, ...]] = (
        "environment.name",
        "environment.rules",
        "environment.gate",
        "environment.dry_run",
    )

    def skipped(self, state: WizardState) -> str | None:
        """Never."""
        return None

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """See `WizardStep`."""
        assert state.target is not None  # noqa: S101 - the step before has chosen it
        target = screen.target(state.target)
        from confiture_flows.report.text import print_document

        print_document(screen.console, _rules(target, state))

        def name(state: WizardState) -> WizardState | None:
            return _confirmed(screen, state, target) if target.production else None

        def keep(state: WizardState) -> WizardState:
            changed = bool(state.gate or state.dry_run)
            choices = [Choice("keep", "Keep these rules"), Choice("change", "Change them once")]
            answer = screen.prompter.select(
                "environment.rules",
                "For this run:",
                choices,
                "change" if changed else "keep",
            )
            return (
                state.but(gate=None, dry_run=None)
                if answer == "keep"
                else _change(screen, state, target)
            )

        return ask_in_turn(state, (name, keep))


def _rules(target: Target, state: WizardState) -> Document:
    limits = target.limits
    pairs = [
        ("production", "yes" if target.production else "no"),
        ("findings", f"{_GATES[target.fail_on]} (fail_on = {target.fail_on})"),
    ]
    if state.migrates:
        out_of_order = target.out_of_order or ("refuse" if target.production else "warn")
        pairs += [
            ("dry run", f"{_DRY_RUNS[target.dry_run]} (dry_run = {target.dry_run})"),
            *([("approval", _approval(target))] if target.approve != "never" else []),
            ("verify", target.verify),
            ("on error", f"{target.on_error} what was applied"),
            ("out of order", out_of_order),
            ("a lock", f"is waited for {limits.lock_timeout_ms} ms, then tried again"),
            ("patience", f"{limits.busy_patience:g} s for busy tables"),
        ]
    return Document(f"Rules of {target.name}", (Facts(tuple(pairs)),))


def _approval(target: Target) -> str:
    when = target.approve.removeprefix("above:")
    asked = "of every plan" if when == "always" else f"of plans with findings of {when} or above"
    return f"{asked} (approve = {target.approve})"


def _confirmed(screen: Screen, state: WizardState, target: Target) -> WizardState:
    def wrong(text: str) -> str | None:
        return None if text == target.name else f"It is called {target.name}. Esc goes back."

    typed = screen.prompter.text(
        "environment.name",
        f"{target.name} is a production target. Type its name to go on:",
        check=wrong,
    )
    return state.but(confirmed_name=typed)


def _change(screen: Screen, state: WizardState, target: Target) -> WizardState:
    """Ask for this run's own gate and dry run; production's can become stricter only."""

    def gate(state: WizardState) -> WizardState:
        least = Severity.of(target.fail_on)
        choices = [
            Choice(
                each,
                each,
                note,
                "looser than its rules, and it is production"
                if target.production and Severity.of(each) > least
                else None,
            )
            for each, note in _GATES.items()
        ]
        return state.but(
            gate=screen.prompter.select(
                "environment.gate",
                "At which findings does the run stop?",
                choices,
                state.gate or target.fail_on,
            )
        )

    def dry_run(state: WizardState) -> WizardState | None:
        if not state.migrates:
            return state.but(dry_run=None) if state.dry_run else None
        ways = list(_DRY_RUNS)
        choices = [
            Choice(
                each,
                each,
                note,
                "less than its rules, and it is production"
                if target.production and ways.index(each) < ways.index(target.dry_run)
                else None,
            )
            for each, note in _DRY_RUNS.items()
        ]
        return state.but(
            dry_run=screen.prompter.select(
                "environment.dry_run",
                "How far does a dry run go before the apply?",
                choices,
                state.dry_run or target.dry_run,
            )
        )

    return ask_in_turn(state, (gate, dry_run))
