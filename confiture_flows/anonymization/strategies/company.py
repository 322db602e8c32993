"""company: an invented company of a locale, the same for equal values."""

from __future__ import annotations

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._picking import PickingStrategy
from confiture_flows.anonymization.strategies._words import Locale, fitting, words
from confiture_flows.anonymization.strategy import StrategyBase


@register_strategy("company")
class Company(PickingStrategy):
    """An invented company such as Redwood Logistics LLC; equal values get equal companies.

    A company of that name may exist by chance; it says nothing of the one it stands for.
    """

    class Config(StrategyBase.Config):
        """Options of company."""

        locale: Locale = Field(default="en", description="Where it sounds at home.")

    config: Config

    def prepare(self) -> None:
        """Choose what the column has room for."""
        locale, room = self.config.locale, self.room
        stems, forms = words(locale, "companies"), words(locale, "company_forms")
        between = "" if locale == "ja" else " "
        if room is not None:
            shortest = min(map(len, stems))
            forms = fitting(forms, max(room * 3 // 5, min(map(len, forms))))
            forms = fitting(forms, room - shortest - len(between))
            stems = fitting(stems, room - len(between) - max(map(len, forms)))
        self.pick_from(stems, between, forms)
