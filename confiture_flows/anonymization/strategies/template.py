"""template: a text of several parts, each made by another strategy."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._inner import (
    InnerName,
    InnerRule,
    inner_strategy,
    masked_part,
)
from confiture_flows.anonymization.strategy import StrategyBase

_PLACE = re.compile(r"\{(\w+)(?::(\d+))?\}")
_ALPHABETS = {"digits": "0123456789", "letters": "abcdefghijklmnopqrstuvwxyz"}
_MOST_SIGNS = 32


class PartRule(InnerRule):
    """How a part of a template is made."""

    column: str | None = Field(
        default=None, description="The column it is made of, instead of the value itself."
    )


@register_strategy("template")
class Template(StrategyBase):
    """A text such as {first}.{last}-{digits:4}@example.com, each part made by a strategy.

    {digits:4} and {letters:4} are keyed signs. Other parts are named in `parts`; one that has a
    `column` is made of that column of the row, and gets what that column itself becomes under the
    same strategy and domain. A part whose column is NULL is empty.
    """

    keyed = True

    class Config(StrategyBase.Config):
        """Options of template."""

        template: str = Field(min_length=1, description="The text, with its parts in braces.")
        parts: dict[str, PartRule | InnerName] = Field(
            default_factory=dict,
            description="How they are made: a strategy's name, or strategy, config and column.",
        )
        lower: bool = Field(default=False, description="Whether all is written small.")

    config: Config

    def prepare(self) -> None:
        """Read the template and make the strategies."""
        config = self.config
        # The column's length holds for the whole, not for a part.
        wide = replace(self.column, max_length=None)
        self._columns: list[str] = []
        self._pieces: list[tuple[str, StrategyBase | str, int]] = []
        place = 0
        used = set()
        for match in _PLACE.finditer(config.template):
            before, name = config.template[place : match.start()], match[1]
            place = match.end()
            if name in _ALPHABETS and name not in config.parts:
                count = int(match[2] or 1)
                if not 1 <= count <= _MOST_SIGNS:
                    raise ValueError(f"{match[0]} has to have 1 to {_MOST_SIGNS} signs")
                self._pieces.append((before, _ALPHABETS[name], count))
                continue
            rule = config.parts.get(name)
            if rule is None or match[2]:
                raise ValueError(f"the template's part {match[0]} is not in parts")
            used.add(name)
            made = inner_strategy(rule, wide, "text", self.key)
            self._pieces.append((before, made, self._source(rule)))
        self._end = config.template[place:]
        unused = set(config.parts) - used
        if unused:
            raise ValueError(f"the template has no {{{min(unused)}}}")
        if not self._pieces:
            raise ValueError("the template has no parts; use the strategy constant")

    def _source(self, rule: PartRule | str) -> int:
        if isinstance(rule, str) or rule.column is None:
            return -1
        if rule.column not in self._columns:
            self._columns.append(rule.column)
        return self._columns.index(rule.column)

    def needs(self) -> tuple[str, ...]:
        """The columns of the parts."""
        return tuple(self._columns)

    def anonymize(self, value: str, *others: Any) -> str:
        """The text, cut to the column."""
        number = int.from_bytes(self.key.digest(value.encode()), "big")
        made = []
        for before, how, extra in self._pieces:
            made.append(before)
            if isinstance(how, str):
                for _ in range(extra):
                    number, index = divmod(number, len(how))
                    made.append(how[index])
                continue
            source = value if extra < 0 else others[extra]
            if source is not None:
                made.append(masked_part(how, str(source)) or "")
        text = "".join((*made, self._end))
        return (text.lower() if self.config.lower else text)[: self.column.max_length]
