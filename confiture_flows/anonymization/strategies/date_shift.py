"""date-shift: days earlier or later, the same for all dates of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_flows.anonymization.keys import NUMBER_BYTES
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._days import read_day, write_day
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

if TYPE_CHECKING:
    from collections.abc import Sequence


@register_strategy("date-shift")
class DateShift(StrategyBase):
    """Whole days earlier or later, by a shift that is keyed by a person's column.

    All dates of a person move by the same number of days, in every column and table of one
    domain: their order and the time between them stay. Without `person` each value is shifted by
    itself, and no order stays. A shift is never 0. `infinity` and NULL as a person are unfit.
    """

    accepts = ("day",)
    keyed = True

    class Config(StrategyBase.Config):
        """Options of date-shift."""

        days: int = Field(
            default=180, ge=1, le=36_500, description="How many days a shift has at most."
        )
        person: str | None = Field(
            default=None, description="The column that says whose the date is."
        )

    config: Config

    def needs(self) -> tuple[str, ...]:
        """The person's column."""
        return (self.config.person,) if self.config.person else ()

    def anonymize(self, value: str, *others: Any) -> str:
        """The shifted date."""
        return self.anonymize_batch((value,), *((other,) for other in others))[0]

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The shifted dates."""
        digest, number, type_name = self.key.digest, int.from_bytes, self.column.type
        days = self.config.days
        shifts: dict[str, int] = {}
        made = []
        for value, person in zip(values, others[0] if others else values, strict=True):
            if person is None:
                raise UnfitValue
            shift = shifts.get(person)
            if shift is None:
                part = number(digest(str(person).encode())[:NUMBER_BYTES], "big") % (2 * days)
                shift = shifts[person] = part - days if part < days else part - days + 1
            day, time = read_day(value)
            made.append(write_day(day + shift, time, type_name))
        return made
