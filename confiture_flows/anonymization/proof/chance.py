"""What a strategy declares of its results -> how many may meet a source value by chance. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.anonymization.strategy import StrategyBase

# Of so many possible results, none meets a value by chance.
_CERTAIN = 1 << 32
_NEGLIGIBLE = 1e-6


def picks(strategy: StrategyBase) -> bool:
    """Whether its results come from a range in which real values may lie too."""
    capacity = strategy.capacity()
    if capacity is None:
        return strategy.unique == "bijective"  # a code of the same form
    return capacity < _CERTAIN


def kept_by_chance(strategy: StrategyBase, distinct: int) -> int:
    """Of so many different values, how many may be their own result.

    None where the range is not declared: `keeps` is false, which says that none is.
    """
    capacity = strategy.capacity()
    if capacity is None:
        return 0
    return _at_most(distinct / max(capacity, 1), distinct)


def found_by_chance(strategy: StrategyBase, source: int, copy: int, *, telling: bool) -> int | None:
    """How many different results may be a value that some other row of the source has.

    Args:
        strategy: Of the column.
        source: Different values in the source.
        copy: Different values in the copy.
        telling: Whether the values are long and different, so that no other result is one.

    Returns:
        The bound, six standard deviations above the mean if all values lay in the strategy's
        range; None where chance cannot be told from a leak.
    """
    capacity = strategy.capacity()
    if capacity is None:
        return 0 if telling and strategy.unique != "bijective" else None
    mean = source * copy / max(capacity, 1)
    return None if mean >= copy / 2 else _at_most(mean, copy)


def _at_most(mean: float, most: int) -> int:
    return 0 if mean < _NEGLIGIBLE else min(most, math.ceil(mean + 6 * math.sqrt(mean)))
