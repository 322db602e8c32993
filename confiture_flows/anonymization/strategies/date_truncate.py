"""date-truncate: the start of the year, quarter, month, week, day or hour."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._days import civil, ordinal, read_day, write_day
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

_TIME = re.compile(r" (\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?")
_INFINITE = ("infinity", "-infinity")
_DAY = 86_400


@register_strategy("date-truncate")
class DateTruncate(StrategyBase):
    """The start of the year, quarter, month, week (Monday), day or hour of a date.

    Timestamps with a time zone are cut in UTC. Infinity stays.
    """

    accepts = ("day",)
    keeps = True

    class Config(StrategyBase.Config):
        """Options of date-truncate."""

        to: Literal["year", "quarter", "month", "week", "day", "hour"] = Field(
            default="month", description="What it is cut to."
        )

    config: Config

    def prepare(self) -> None:
        """Refuse to cut a date to what it is."""
        if self.column.type == "date" and self.config.to in ("day", "hour"):
            raise ValueError(f"a date cannot be cut to the {self.config.to}")

    def anonymize(self, value: str, *others: Any) -> str:
        """The start."""
        if value in _INFINITE:
            return value
        day, time = read_day(value)
        type_name = self.column.type
        if type_name == "date":
            if time:
                raise UnfitValue
            return write_day(self._start(day), "", type_name)
        match = _TIME.fullmatch(time)
        if match is None or bool(match[4]) is (type_name == "timestamp"):
            raise UnfitValue
        hour = int(match[1])
        if match[4]:
            seconds = int(match[2]) * 60 + int(match[3]) + hour * 3600
            offset = int(match[5]) * 3600 + int(match[6] or 0) * 60 + int(match[7] or 0)
            seconds += offset if match[4] == "-" else -offset
            day, hour = day + seconds // _DAY, seconds % _DAY // 3600
        cut = f" {hour:02}:00:00" if self.config.to == "hour" else " 00:00:00"
        return write_day(self._start(day), cut + ("+00" if match[4] else ""), type_name)

    def _start(self, day: int) -> int:
        to = self.config.to
        if to == "week":
            return day - (day - 1) % 7
        if to in ("day", "hour"):
            return day
        year, month, of_month = civil(day)
        if to == "month":
            return day - of_month + 1
        return ordinal(year, 1 if to == "year" else (month - 1) // 3 * 3 + 1, 1)

    def to_sql(self, column: str, *others: str) -> str:
        """The start, computed by the source."""
        if self.column.type == "timestamptz":
            return f"date_trunc('{self.config.to}', {column} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
        cut = f"date_trunc('{self.config.to}', {column}::timestamp)"
        return f"{cut}::date" if self.column.type == "date" else cut
