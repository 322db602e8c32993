"""DatabaseSelector: what is to be done, and on which databases; each is tried at once."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, ClassVar, get_args

from confiture_flows.config import expand_variables
from confiture_flows.errors import ConfigError, TargetError
from confiture_flows.plan_file import WizardPath
from confiture_flows.target import DSN_VARIABLE, describe_dsn
from confiture_flows.wizard.prefect_profile import prefect_is_configured
from confiture_flows.wizard.prompts import Back, Choice, NeedsAnswer
from confiture_flows.wizard.state import IN_VARIABLE
from confiture_flows.wizard.step import ask_in_turn
from confiture_flows.wizard.trial import try_database

if TYPE_CHECKING:
    from confiture_flows.target import Target
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_PATHS = {
    "migrate": ("Migrate a database", "apply what is pending"),
    "copy": ("Make an anonymized copy", "the source is only read"),
    "migrate-and-copy": ("Make an anonymized copy and migrate it", "a rehearsal on real sizes"),
}
_BY_DSN, _BY_BLOCK = "dsn", "block"
_NAME = re.compile(r"^[A-Za-z_]\w*$")


class DatabaseSelector:
    """What is to be done, and on which databases."""

    name: ClassVar[str] = "database"
    title: ClassVar[str] = "Database"
    keys: ClassVar[tuple[str, ...]] = (
        "database.path",
        *(
            f"database.{role}{which}"
            for role in ("source", "target")
            for which in ("", "_variable", "_block")
        ),
    )

    def skipped(self, state: WizardState) -> str | None:
        """Never."""
        return None

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """See `WizardStep`."""

        def source(state: WizardState) -> WizardState | None:
            if not state.copies:
                return state.but(source=None) if state.source else None
            return state.but(source=self._database(screen, state, "source"))

        def target(state: WizardState) -> WizardState:
            return state.but(target=self._database(screen, state, "target"))

        return ask_in_turn(state, (lambda state: _path(screen, state), source, target))

    def _database(self, screen: Screen, state: WizardState, role: str) -> str:
        """Ask until a database answers.

        Returns:
            Its reference.

        Raises:
            ConfigError: What was wrong with the answer, where there is nobody to ask again.
            TargetError: The same.
        """
        failed: ConfigError | TargetError | None = None
        while True:
            try:
                reference = _reference(screen, state, role)
            except NeedsAnswer as error:
                raise failed or error from None
            try:
                return self._tried(screen, state, role, reference)
            except NeedsAnswer:
                raise
            except (ConfigError, TargetError) as error:
                screen.typed.pop(reference, None)
                screen.tell(error)
                failed = error

    def _tried(self, screen: Screen, state: WizardState, role: str, reference: str) -> str:
        target = screen.target(reference)
        if namesake := _namesake(screen, reference, target):
            screen.say(f"This is the database of the target {namesake}; its rules hold.")
            reference, target = namesake, screen.target(namesake)
        copied_to = role == "target" and state.copies
        if copied_to and state.source:
            from confiture_flows.anonymization.prepare import refuse_target

            refuse_target(screen.target(state.source), target)
        facts = try_database(target, may_be_missing=copied_to)
        if role == "target" and facts.standby:
            raise TargetError(
                f"{facts.where} is a standby: it can only be read.",
                next_step="Choose its primary.",
            )
        screen.say(f"  {facts}", "green")
        return reference


def _path(screen: Screen, state: WizardState) -> WizardState:
    choices = [Choice(path, *_PATHS[path]) for path in get_args(WizardPath)]
    path = screen.prompter.select("database.path", "What do you want to do?", choices, state.path)
    return state.but(path=path)


def _reference(screen: Screen, state: WizardState, role: str) -> str:
    message = {
        ("source", True): "Which database is copied?",
        ("target", True): "Which database becomes the copy?",
        ("target", False): "Which database is migrated?",
    }[role, state.copies]
    chosen: str | None = getattr(state, role)
    choices = _choices(screen, state, role)
    values = [each.value for each in choices]
    if chosen is not None and chosen not in values:
        choices.insert(0, Choice(chosen, chosen, "chosen before"))
    default = chosen or (values[0] if len(screen.project.targets) == 1 else None)
    while True:
        value = screen.prompter.select(f"database.{role}", message, choices, default)
        try:
            if value == _BY_DSN:
                return _by_dsn(screen, role)
            if value == _BY_BLOCK:
                return _by_block(screen, role)
        except Back:
            continue  # to the list
        return value


def _choices(screen: Screen, state: WizardState, role: str) -> list[Choice]:
    copied_to = role == "target" and state.copies
    found: list[Choice] = []
    for name, said in screen.project.targets.items():
        note, refused = _described(screen, said.dsn), None
        if said.production:
            note = f"{note}, production"
            refused = "production: no copy replaces it" if copied_to else None
        if copied_to and name == state.source:
            refused = "it is the source"
        found.append(Choice(name, name, note, refused))
    taken = {each.value for each in found}
    if os.environ.get(DSN_VARIABLE):
        note = _described(screen, os.environ[DSN_VARIABLE])
        found.append(Choice(f"{IN_VARIABLE}{DSN_VARIABLE}", f"What {DSN_VARIABLE} names", note))
    if _BY_DSN not in taken:
        found.append(Choice(_BY_DSN, "Another, by its connection string"))
    if _BY_BLOCK not in taken and not screen.offline and prefect_is_configured():
        found.append(Choice(_BY_BLOCK, "Another, by its Prefect block", "asks the Prefect server"))
    return found


def _described(screen: Screen, dsn: str) -> str:
    try:
        return describe_dsn(expand_variables(dsn, file=screen.project.source))
    except ConfigError as error:
        return error.message.rstrip(".")


def _by_dsn(screen: Screen, role: str) -> str:
    """The reference of a connection string, which is asked for where it stands nowhere."""

    def wrong(text: str) -> str | None:
        if _NAME.match(text):
            return None
        # It may be the connection string itself: it is not repeated, nor kept.
        return "This is no name of a variable. The connection string comes after it, unseen."

    name = screen.prompter.text(
        f"database.{role}_variable",
        "Which environment variable holds it, now or in later runs?",
        DSN_VARIABLE if role == "target" else f"{DSN_VARIABLE}_SOURCE",
        wrong,
    )
    reference = f"{IN_VARIABLE}{name}"
    screen.target(reference)
    return reference


def _by_block(screen: Screen, role: str) -> str:
    screen.say("Asking the Prefect server ...", "dim")
    from confiture_flows.blocks.target import saved_targets

    names = saved_targets()
    if not set(names).difference(screen.project.targets):
        raise ConfigError(
            "The Prefect server has no Postgres Target block that is not in confiture.toml.",
            next_step="Save one there, or choose in another way.",
        )
    hidden = "a target of confiture.toml has its name"
    choices = [
        Choice(each, each, disabled=hidden if each in screen.project.targets else None)
        for each in names
    ]
    return screen.prompter.select(f"database.{role}_block", "Which block?", choices)


def _namesake(screen: Screen, reference: str, target: Target) -> str | None:
    """The target of the configuration that a connection string leads to, too."""
    if not reference.startswith(IN_VARIABLE):
        return None
    where = describe_dsn(target.dsn)
    return next(
        (
            name
            for name, said in screen.project.targets.items()
            if _described(screen, said.dsn) == where
        ),
        None,
    )
