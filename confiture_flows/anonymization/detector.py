"""ValueDetector: samples of a column -> how many are of a kind. Pure; no value leaves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FEW = 20  # so many samples of one or two values are a code, whatever they look like
_UNVARIED = 0.5


@dataclass(frozen=True, slots=True)
class Samples:
    """Values of a column, or of one path in its documents.

    Attributes:
        values: As PostgreSQL writes them, without NULL and empty text; never shown.
        type: The name in pg_type; of a path in documents "text", "numeric" or "bool".
    """

    values: tuple[str, ...] = field(repr=False)
    type: str = "text"

    @property
    def distinct(self) -> int:
        """How many different ones there are."""
        return len(set(self.values))


@dataclass(frozen=True, slots=True)
class ValueReading:
    """What a detector says of samples.

    Attributes:
        name: Of what kind they are, in words.
        category: As in `Likeliness`.
        matching: How many are.
        looked_at: Of how many.
        score: How sure the column is of the category by this alone, from 0 to 1.
    """

    name: str
    category: str
    matching: int
    looked_at: int
    score: float

    @property
    def share(self) -> float:
        """The share of the samples that match."""
        return self.matching / self.looked_at if self.looked_at else 0.0


@dataclass(frozen=True, slots=True)
class ValueDetector:
    """Tells values of a kind.

    Attributes:
        name: What they are, in words and plural: "e-mail addresses".
        category: As in `Likeliness`.
        count: How many of the samples are of the kind.
        alone: The score of a column full of them whose name says nothing.
        least: The share of the samples below which it says nothing: what chance gives.
        full: The share from which on more would not make it surer.
        types: Names of types or of groups of types whose values it looks at.
        refutes: Whether a name that speaks of the category is wrong when hardly a sample matches.
    """

    name: str
    category: str
    count: Callable[[Samples], int]
    alone: float
    least: float = 0.6
    full: float = 0.9
    types: tuple[str, ...] = ("text",)
    refutes: bool = False

    def read(self, samples: Samples) -> ValueReading:
        """Look at samples."""
        size = len(samples.values)
        matching = self.count(samples)
        share = matching / size if size else 0.0
        score = 0.0
        if matching and share >= self.least:
            # One that matches may be chance; many are not.
            score = self.alone * min(1.0, share / self.full) * matching / (matching + 1)
            if size >= _FEW and samples.distinct <= 2:
                score *= _UNVARIED
        return ValueReading(self.name, self.category, matching, size, score)


def each_value(matches: Callable[[str], object]) -> Callable[[Samples], int]:
    """Count the samples for which something is true.

    Args:
        matches: Takes one value.
    """
    return lambda samples: sum(1 for value in samples.values if matches(value))


def digits_of(value: str, separators: str = " -./") -> str:
    """The digits of a number, or "" where it holds anything but them and separators.

    Args:
        value: Such as "44 051 401 359".
        separators: What may stand between.
    """
    bare = value.translate({ord(each): None for each in separators})
    return bare if bare.isascii() and bare.isdigit() else ""
