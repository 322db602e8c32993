"""city: a town of a locale, the same for equal values."""

from __future__ import annotations

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._picking import PickingStrategy
from confiture_flows.anonymization.strategies._words import Locale, fitting, words
from confiture_flows.anonymization.strategy import StrategyBase


@register_strategy("city")
class City(PickingStrategy):
    """A town of a locale; equal values get equal towns."""

    class Config(StrategyBase.Config):
        """Options of city."""

        locale: Locale = Field(default="en", description="Where the towns are.")

    config: Config

    def prepare(self) -> None:
        """Choose the towns that the column has room for."""
        self.pick_from(fitting(words(self.config.locale, "cities"), self.room))
