"""array: another strategy for each element of an array."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._inner import InnerName, InnerRule, inner_strategy
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase, UnfitValue

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOUNDS = re.compile(r"(?:\[-?\d+:-?\d+\])+=")
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"\\]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE = re.compile(r'(["\\])')


@register_strategy("array")
class Array(StrategyBase):
    """Another strategy for each element of an array, of one dimension or more; NULL stays."""

    accepts = (ANY_TYPE,)
    composite = True
    # An empty array stays one.
    keeps = True

    class Config(StrategyBase.Config):
        """Options of array."""

        element: InnerRule | InnerName = Field(
            description="The strategy for the elements: a name, or strategy, config and domain."
        )

    config: Config

    def prepare(self) -> None:
        """Make the strategy for the elements."""
        if not self.column.type.endswith("[]"):
            raise ValueError(f"the column is {self.column.type}, no array")
        type_name = self.column.type[:-2]
        self._inner = inner_strategy(self.config.element, self.column, type_name, self._key)

    def anonymize(self, value: str, *others: Any) -> str:
        """The array."""
        return self.anonymize_batch((value,))[0]

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The arrays; the strategy gets the elements of all of them at once."""
        found = [list(self._elements(value)) for value in values]
        elements = [text for each in found for _, _, text in each]
        if not all(map(self._inner.validate, elements)):
            raise UnfitValue
        masked = iter(self._inner.anonymize_batch(elements) if elements else ())
        made = []
        for value, each in zip(values, found, strict=True):
            pieces, place = [], 0
            for start, end, _ in each:
                pieces += (value[place:start], _quoted(next(masked)))
                place = end
            made.append("".join((*pieces, value[place:])))
        return made

    def _elements(self, value: str) -> list[tuple[int, int, str]]:
        """Where each element is, and what it is."""
        bounds = _BOUNDS.match(value)
        start = bounds.end() if bounds else 0
        if value[start : start + 1] != "{" or value[-1:] != "}":
            raise UnfitValue
        found = []
        for match in _ELEMENT.finditer(value, start):
            quoted, bare = match.groups()
            if bare != "NULL":
                text = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
                found.append((match.start(), match.end(), text))
        return found


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else '"' + _ESCAPE.sub(r"\\\1", text) + '"'
