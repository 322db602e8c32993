"""Things to run -> seconds: every one in turn, round after round, so that noise meets all alike."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Sample = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Series:
    """What one candidate took, a figure a round, in seconds."""

    seconds: tuple[float, ...]

    @property
    def least(self) -> float:
        """The round that was disturbed least."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The usual round."""
        return statistics.median(self.seconds)

    @property
    def most(self) -> float:
        """The worst round."""
        return max(self.seconds)


def interleave(
    runs: Mapping[str, Callable[[], Sample]],
    rounds: int,
    tell: Callable[[str], None] = lambda _what: None,
) -> dict[str, dict[str, Series]]:
    """Run each in every round, each round starting with another one.

    One round more is run first and thrown away: it warms caches and compiles byte code. A
    single round is for trying things out and has none before it.

    Args:
        runs: By name; each gives its figures by name.
        rounds: How many count.
        tell: Told what runs next.

    Returns:
        By run and figure.
    """
    names = list(runs)
    found: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in names}
    for number in range(1 if rounds == 1 else 0, rounds + 1):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            tell(f"round {number} of {rounds}: {name}")
            for figure, seconds in runs[name]().items():
                if number > 0:
                    found[name][figure].append(seconds)
    return {
        name: {figure: Series(tuple(each)) for figure, each in figures.items()}
        for name, figures in found.items()
    }
