"""jsonb: another strategy for each path of a document."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._inner import (
    InnerName,
    InnerRule,
    inner_strategy,
    masked_part,
)
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase, UnfitValue

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = re.compile(r'\.([^.\[\]"*]+)|\."((?:[^"\\]|\\.)+)"|(\.\*)|(\[\*\])')
# jsonb holds no NUL: a text that starts so is a number, kept with all of its digits.
_NUMBER = "\0number:"
_WRITTEN_NUMBERS = re.compile(r'"\\u0000number:([^"]*)"')
# A json, unlike a jsonb, may hold a NUL and half a character, if they are written as escapes.
_NUMBER_ESCAPED = "\\u0000number:"
_HALVES = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder(parse_float=_NUMBER.__add__, parse_int=_NUMBER.__add__)
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_EACH, _ANY = 0, 1  # [*] and .*
_NUMBERS = ("int8", "numeric", "float8")

PartType = Literal["text", "int8", "numeric", "float8", "date", "timestamp", "timestamptz", "inet"]


class PathRule(InnerRule):
    """What becomes of a path of a document."""

    type: PartType = Field(default="text", description="What the part is, as a column's type.")


@register_strategy("jsonb")
class JsonByPath(StrategyBase):
    """Another strategy for each path of a JSON document; what no path names stays.

    Paths are written $.customer.email, $.items[*].name, $.people.*.phone and $."odd.key". A path
    that a document does not have is fine, and so is null at it. Something of another type there
    (an object where a text is expected) makes the whole document unfit.
    """

    accepts = ("json",)
    composite = True
    # A document may have none of the paths.
    keeps = True

    class Config(StrategyBase.Config):
        """Options of jsonb."""

        paths: dict[str, PathRule | InnerName] = Field(
            min_length=1,
            description="Paths and their strategies: a name, or strategy, config, domain and type.",
        )

    config: Config

    def prepare(self) -> None:
        """Read the paths and make their strategies."""
        self._rules = []
        for path, rule in self.config.paths.items():
            type_name = "text" if isinstance(rule, str) else rule.type
            made = inner_strategy(rule, self.column, type_name, self._key)
            self._rules.append((_steps(path), type_name, made, made.accepts == (ANY_TYPE,)))

    def anonymize(self, value: str, *others: Any) -> str:
        """The document."""
        if _NUMBER_ESCAPED in value:
            raise UnfitValue
        try:
            # In a list of its own, so that the path $ has something to be replaced in.
            root = [_DECODER.decode(value)]
        except (ValueError, RecursionError):
            raise UnfitValue from None
        try:
            made = self._replaced(root)
        except (UnicodeEncodeError, RecursionError):
            raise UnfitValue from None
        if self.column.type == "json" and "\\u" in value:
            made = _HALVES.sub(lambda half: f"\\u{ord(half[0]):04x}", made)
        return made

    def _replaced(self, root: list[Any]) -> str:
        """The document in a list, with its parts replaced."""
        for steps, type_name, inner, takes_all in self._rules:
            for holder, place in _places(root, 0, steps):
                part = holder[place]
                if part is None:
                    continue
                holder[place] = (
                    _replaced_whole(part, inner) if takes_all else _replaced(part, type_name, inner)
                )
        return _written(root[0])


def _written(part: Any) -> str:
    return _WRITTEN_NUMBERS.sub(r"\1", _ENCODER.encode(part))


def _steps(path: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    place = 1
    while match := _STEP.match(path, place):
        if match[3] or match[4]:
            steps.append(_ANY if match[3] else _EACH)
        else:
            steps.append(match[1] or re.sub(r"\\(.)", r"\1", match[2]))
        place = match.end()
    if not path.startswith("$") or place != len(path):
        raise ValueError(f"{path!r} is no path; write it as $.customer.email or $.items[*].name")
    return tuple(steps)


def _places(holder: Any, place: Any, steps: tuple[str | int, ...]) -> Iterator[tuple[Any, Any]]:
    """All places of a path: what holds them, and its key or index there."""
    if not steps:
        yield holder, place
        return
    here, step, rest = holder[place], steps[0], steps[1:]
    if here is None:
        return
    if not isinstance(here, list if step == _EACH else dict):
        raise UnfitValue
    if isinstance(step, str):
        if step in here:
            yield from _places(here, step, rest)
        return
    for each in range(len(here)) if isinstance(here, list) else list(here):
        yield from _places(here, each, rest)


def _replaced_whole(part: Any, inner: StrategyBase) -> Any:
    """A part of any type by a strategy that takes all of them, such as null or constant."""
    text = isinstance(part, str) and not part.startswith(_NUMBER)
    return masked_part(inner, part if text else _written(part))


def _replaced(part: Any, type_name: str, inner: StrategyBase) -> Any:
    if not isinstance(part, str):
        raise UnfitValue
    number = part.startswith(_NUMBER)
    if number is not (type_name in _NUMBERS):
        raise UnfitValue
    text = part.removeprefix(_NUMBER) if number else part
    if type_name == "int8" and not _is_int8(text):
        raise UnfitValue
    made = masked_part(inner, text)
    return _NUMBER + made if number and made is not None else made


def _is_int8(text: str) -> bool:
    digits = text.removeprefix("-")
    # So many digits that Python reads them at once.
    return digits.isdigit() and len(digits) < 20 and -(1 << 63) <= int(text) < 1 << 63
