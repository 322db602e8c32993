"""address: a street and number of a locale, the same for equal values."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._picking import PickingStrategy
from confiture_flows.anonymization.strategies._places import street_parts
from confiture_flows.anonymization.strategies._words import Locale, fitting, words
from confiture_flows.anonymization.strategy import StrategyBase


@register_strategy("address")
class Address(PickingStrategy):
    """A street with a number, or with a city too; equal values get equal addresses.

    Streets have common names, so that a real address may be met by chance; it says nothing of
    anybody.
    """

    class Config(StrategyBase.Config):
        """Options of address."""

        part: Literal["street", "full"] = Field(
            default="street", description="The street's line alone, or with a city."
        )
        locale: Locale = Field(default="en", description="Whose streets and cities.")

    config: Config

    def prepare(self) -> None:
        """Choose what the column has room for."""
        locale, room = self.config.locale, self.room
        if self.config.part == "street":
            self.pick_from(*street_parts(locale, room))
            return
        between = "" if locale == "ja" else ", "
        cities = words(locale, "cities")
        if room is not None:
            cities = fitting(cities, max(room // 3, min(map(len, cities))))
            room -= max(map(len, cities)) + len(between)
        lines = street_parts(locale, room)
        self.pick_from(*((cities, *lines) if locale == "ja" else (*lines, between, cities)))
