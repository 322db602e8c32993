"""Durations and sizes as people write them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.dryrun.report import Estimate

_UNITS = ("kB", "MB", "GB", "TB")


def duration(seconds: float) -> str:
    """A time in the unit that suits it: "3 ms", "1.5 s", "12 min", "3 h"."""
    if seconds < 1:
        milliseconds = seconds * 1000
        return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "under 1 ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def span(estimate: Estimate) -> str:
    """An estimate as a range."""
    if estimate.low is None or estimate.high is None:
        return "for an unknown time"
    low, high = duration(estimate.low), duration(estimate.high)
    if low == high or estimate.high < 0.01:
        return high
    number, _, unit = low.rpartition(" ")
    return f"{number if high.endswith(unit) and not low.startswith('under') else low} to {high}"


def size(count: int) -> str:
    """Bytes in the unit that suits them."""
    value, unit = float(count), "bytes"
    for bigger in _UNITS:
        if value < 1024:
            break
        value, unit = value / 1024, bigger
    return f"{value:.0f} {unit}" if value >= 10 or unit == "bytes" else f"{value:.1f} {unit}"
