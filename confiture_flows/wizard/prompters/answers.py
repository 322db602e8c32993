"""Answers from a TOML file: for CI, and to fill in what is known beforehand.

`[database] target = "staging"` answers "database.target". What the file does not say takes its
default; what has none is asked of a person, if there is one, and refused otherwise.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import ConfigError
from confiture_flows.wizard.prompts import NeedsAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from confiture_flows.wizard.prompts import Choice, Prompter


@dataclass(frozen=True, slots=True)
class AnswersFile:
    """What a file answers.

    Attributes:
        path: The file.
        answers: By key.
    """

    path: Path
    answers: dict[str, Any]

    @classmethod
    def read(cls, path: Path, known: Iterable[str]) -> AnswersFile:
        """Read it.

        Args:
            path: The file.
            known: The keys there are; "rules.columns.*" stands for all that begin with it.

        Raises:
            ConfigError: It cannot be read, or answers what nobody asks.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"This is not TOML: {error}.", file=path) from None
        except OSError as error:
            raise ConfigError(f"It cannot be read: {error.strerror}.", file=path) from None
        answers = dict(_flat(table))
        known = tuple(known)
        for key in answers:
            if not any(fnmatchcase(key, each) for each in known):
                near = get_close_matches(key, known, 1)
                raise ConfigError(
                    f"Nothing asks for {key}.",
                    file=path,
                    next_step=f"Did you mean {near[0]}?" if near else _known(known),
                )
        return cls(path, answers)


def _known(keys: Sequence[str]) -> str:
    return f"Keys are: {', '.join(keys)}."


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@dataclass
class AnswersPrompter:
    """Answers from a file.

    Attributes:
        file: What it says.
        yes: Whether what has to be confirmed is.
        person: Who is asked for the rest; None asks nobody.
    """

    file: AnswersFile
    yes: bool = False
    person: Prompter | None = None
    _given: set[str] = field(default_factory=set)

    def select(
        self, key: str, message: str, choices: Sequence[Choice], default: str | None = None
    ) -> str:
        """See `Prompter`."""
        able = [each.value for each in choices if not each.disabled]
        found = self._found(key, default if default in able else None)
        if found is None:
            return self._ask(key, message, able).select(key, message, choices, default)
        self._check_choice(key, found, choices)
        return str(found)

    def select_many(
        self, key: str, message: str, choices: Sequence[Choice], ticked: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """See `Prompter`."""
        found = self._found(key, None if self.person else list(ticked))
        if found is None:
            return self._ask(key, message).select_many(key, message, choices, ticked)
        if not isinstance(found, list):
            raise self._wrong(key, "is no list")
        for each in found:
            self._check_choice(key, each, choices)
        return tuple(each.value for each in choices if each.value in found)

    def text(
        self,
        key: str,
        message: str,
        default: str | None = None,
        check: Callable[[str], str | None] | None = None,
    ) -> str:
        """See `Prompter`."""
        found = self._found(key, default)
        if found is None:
            return self._ask(key, message).text(key, message, default, check)
        if not isinstance(found, str):
            raise self._wrong(key, "is no text")
        if wrong := check(found) if check else None:
            raise self._wrong(key, f"is refused: {wrong}")
        return found

    def secret(self, key: str, message: str) -> str:
        """See `Prompter`; a file is no place for a secret."""
        if self.person:
            return self.person.secret(key, message)
        variable = key.rpartition(".")[2]
        raise NeedsAnswer(
            f"{message} is not in the environment.", next_step=f"Set it: export {variable}=..."
        )

    def confirm(self, key: str, message: str, default: bool | None = None) -> bool:
        """See `Prompter`."""
        found = self._found(key, True if self.yes and default is None else default)
        if found is None:
            return self._ask(key, message, ["true", "false"]).confirm(key, message, default)
        if not isinstance(found, bool):
            raise self._wrong(key, "is neither true nor false")
        return found

    def _found(self, key: str, default: Any) -> Any:
        """The answer; a question that comes again was answered wrong, or somebody went back."""
        again = key in self._given
        self._given.add(key)
        if again:
            return None
        if key in self.file.answers:
            return self.file.answers[key]
        return None if self.person else default

    def _ask(self, key: str, message: str, values: Sequence[str] = ()) -> Prompter:
        if self.person:
            return self.person
        section, _, name = key.partition(".")
        can_be = f" It can be: {', '.join(values)}." if values else ""
        if key in self.file.answers:
            raise NeedsAnswer(
                f"The answer to {key} leads no further: {message}",
                file=self.file.path,
                next_step=f"Change {name} in [{section}].{can_be}",
            )
        raise NeedsAnswer(
            f"The file has no answer to {key}: {message}",
            file=self.file.path,
            next_step=f"Add {name} to [{section}].{can_be}",
        )

    def _check_choice(self, key: str, value: object, choices: Sequence[Choice]) -> None:
        by_value = {each.value: each for each in choices}
        if not isinstance(value, str) or value not in by_value:
            near = get_close_matches(str(value), by_value, 1)
            hint = f"Did you mean {near[0]}?" if near else None
            raise self._wrong(key, f"has no {value!r}", hint or _few(list(by_value)))
        if reason := by_value[value].disabled:
            raise self._wrong(key, f"cannot be {value!r}: {reason}")

    def _wrong(self, key: str, what: str, next_step: str | None = None) -> ConfigError:
        return ConfigError(f"{key} {what}.", file=self.file.path, next_step=next_step)


def _few(values: Sequence[str]) -> str:
    more = f", and {len(values) - 20} more" if len(values) > 20 else ""
    return f"There are: {', '.join(values[:20])}{more}."
