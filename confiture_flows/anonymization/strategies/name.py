"""name: a common name of a locale, the same for equal values."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._picking import PickingStrategy
from confiture_flows.anonymization.strategies._words import Locale, fitting, words
from confiture_flows.anonymization.strategy import StrategyBase

_FAMILY_FIRST = ("ja",)


@register_strategy("name")
class Name(PickingStrategy):
    """A first, last or full name that is common in a locale; equal values get equal names.

    Many people get the same one: a column of full English names holds 180,000 at most.
    """

    class Config(StrategyBase.Config):
        """Options of name."""

        part: Literal["full", "first", "last"] = Field(
            default="full", description="Which part of a name the column holds."
        )
        locale: Locale = Field(default="en", description="Where the names are common.")

    config: Config

    def prepare(self) -> None:
        """Choose the names that the column has room for."""
        locale, room = self.config.locale, self.room
        first, last = words(locale, "first_names"), words(locale, "last_names")
        if self.config.part == "first":
            self.pick_from(fitting(first, room))
        elif self.config.part == "last":
            self.pick_from(fitting(last, room))
        else:
            if room is not None:
                shortest = min(map(len, first)), min(map(len, last))
                if room < sum(shortest) + 1:
                    raise ValueError(f"the column takes {room} characters, too few for two names")
                # Half for each, unless all the last names leave more for the first.
                for_last = max((room - 1) // 2, shortest[1])
                first = fitting(first, room - 1 - min(for_last, max(map(len, last))))
                last = fitting(last, room - 1 - max(map(len, first)))
            both = (last, " ", first) if locale in _FAMILY_FIRST else (first, " ", last)
            self.pick_from(*both)
