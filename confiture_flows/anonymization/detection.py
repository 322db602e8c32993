"""Columns with their samples -> Detections: what looks personal, how sure, and why. Pure.

Names and samples are read apart and then weighed: two that agree make it surer, samples that are
something else make a name less sure. Evidence is words and counts, never a value.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from confiture_flows.anonymization import detectors
from confiture_flows.anonymization.detect import (
    LOOKS_PERSONAL,
    around_all,
    hints,
    looks_personal,
)
from confiture_flows.anonymization.detector import Samples, ValueDetector, ValueReading
from confiture_flows.anonymization.detectors.free_text import is_running
from confiture_flows.anonymization.json_paths import KEYS, walked
from confiture_flows.anonymization.strategy import accepts_type
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_flows.anonymization.detect import Around, Likeliness
    from confiture_flows.anonymization.json_paths import PathValues
    from confiture_flows.anonymization.strategy import Column

ENTRY_POINTS = "confiture_flows.detectors"

_ENOUGH = 10  # samples; fewer refute nothing
_HARDLY = 0.1  # the share of matching samples below which a name is refuted
_REFUTED = 0.5
# What can be kept as a digest or encrypted and is personal all the same.
_KEPT_OPAQUE = frozenset(("e-mail", "phone", "government id", "payment"))
_OPAQUE = "long random words"


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """A column and what was read of it.

    Attributes:
        column: What it is.
        comment: What COMMENT ON says of it.
        values: Samples as text; of an array, one JSON array each; never shown.
        documents: Whether the samples are JSON.
        refers: Whether it is a foreign key: a rule for what it refers to is its rule too.
    """

    column: Column
    comment: str = ""
    values: tuple[str, ...] = field(default=(), repr=False)
    documents: bool = False
    refers: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """A column, or a path in its documents, that looks personal.

    Attributes:
        column: The column.
        path: The path in its documents, such as "$.email"; "" for the column as a whole.
        category: As in `Likeliness`.
        score: How sure it is, from 0 to 1.
        evidence: Why, in words and counts.
        kind: The type of the values at the path: "text", "numeric" or "bool".
    """

    column: Column
    path: str
    category: str
    score: float
    evidence: tuple[str, ...]
    kind: str = "text"

    def __str__(self) -> str:
        return f"{self.column} {self.path}".rstrip()


@cache
def all_detectors() -> tuple[ValueDetector, ...]:
    """Those of this package, and those of others by entry point.

    Raises:
        ConfigError: A package's entry point cannot be loaded, or is no detector.
    """
    found: list[ValueDetector] = []
    for module in pkgutil.iter_modules(detectors.__path__):
        found += import_module(f"{detectors.__name__}.{module.name}").DETECTORS
    for point in entry_points(group=ENTRY_POINTS):
        try:
            detector = point.load()
        except (ImportError, AttributeError, SyntaxError) as error:
            raise ConfigError(
                f"The detector {point.name} of {point.value} cannot be loaded: {error}.",
                next_step="Mend or uninstall the package that brings it.",
            ) from None
        if not isinstance(detector, ValueDetector):
            raise ConfigError(
                f"{point.value} is no detector.",
                next_step="Let the entry point name a confiture_flows.plugins.ValueDetector.",
            )
        found.append(detector)
    return tuple(found)


def detect_personal(
    columns: Iterable[SampledColumn], *, least: float = LOOKS_PERSONAL
) -> tuple[Detection, ...]:
    """What looks personal.

    Args:
        columns: With samples where there are some; columns of one table tell of one another.
        least: The score from which on something is reported.

    Raises:
        ConfigError: A detector of another package cannot be used.
    """
    known = tuple(columns)
    around = surroundings(each.column for each in known)
    found = (
        each
        for sampled in known
        if not sampled.refers
        for each in _in_column(sampled, around[sampled.column])
    )
    return tuple(each for each in found if each.score >= least)


def surroundings(columns: Iterable[Column]) -> dict[Column, Around]:
    """What else is known where columns are.

    Args:
        columns: All of a database, or of a part of it.
    """
    known = tuple(columns)
    around = around_all((each.name, each.table, each.type) for each in known)
    by_table: dict[tuple[str, str], set[str]] = {}
    for each in known:
        by_table.setdefault((each.schema, each.table), set()).add(each.name)
    return {
        each: replace(around, beside=frozenset(by_table[each.schema, each.table] - {each.name}))
        for each in known
    }


def _in_column(sampled: SampledColumn, around: Around) -> Iterator[Detection]:
    column = sampled.column
    named = hints(column.name, column.table, column.type, sampled.comment, around)
    if not sampled.documents:
        samples = Samples(sampled.values, column.type)
        yield from _judged(column, "", named, samples)
        return
    paths = walked(sampled.values, looks_personal)
    named = tuple(_read_in_documents(each, paths) for each in named)
    elements = column.type.endswith("[]")
    yield from () if elements and paths else _judged(column, "", named, Samples((), column.type))
    for each in paths:
        if elements and each.path == "$[*]":
            kind = column.type.removesuffix("[]") if not each.key else each.type
            yield from _judged(column, "", named, Samples(each.values, kind))
        else:
            yield from _at_path(column, each)


def _read_in_documents(hint: Likeliness, paths: tuple[PathValues, ...]) -> Likeliness:
    """What names say of documents, less sure where none of them holds a text in words."""
    texts = [value for each in paths if each.type == "text" for value in each.values]
    if hint.category != "free text" or len(texts) < _ENOUGH or any(map(is_running, texts)):
        return hint
    why = f"{hint.why}, but none of {len(texts)} texts in the samples is a sentence"
    return replace(hint, score=hint.score * _REFUTED, why=why)


def _at_path(column: Column, found: PathValues) -> Iterator[Detection]:
    named: tuple[Likeliness, ...] = ()
    if found.key and not found.path.endswith(KEYS):
        named = hints(found.key, f"{found.parent} {column.table}", found.type)
    yield from _judged(column, found.path, named, Samples(found.values, found.type))


def _judged(
    column: Column, path: str, named: tuple[Likeliness, ...], samples: Samples
) -> Iterator[Detection]:
    """The category that is surest, if there is any."""
    readings = readings_of(samples)
    best: Detection | None = None
    for category in dict.fromkeys((*(each.category for each in named), *readings)):
        hint = next((each for each in named if each.category == category), None)
        score, evidence = weighed(category, hint, readings)
        # Of two that are equally sure, what the values say is nearer the truth.
        if best is None or score > best.score or (score == best.score and hint is None):
            best = Detection(column, path, category, round(score, 2), evidence, samples.type)
    if best is not None and best.score > 0:
        yield best


def readings_of(samples: Samples) -> dict[str, tuple[ValueReading, ...]]:
    """What all detectors that look at such values say, by category.

    Args:
        samples: May be none.
    """
    found: dict[str, tuple[ValueReading, ...]] = {}
    if not samples.values:
        return found
    kind = samples.type.removesuffix("[]")
    for detector in all_detectors():
        if accepts_type(detector.types, kind):
            reading = detector.read(samples)
            found[detector.category] = (*found.get(detector.category, ()), reading)
    return found


def weighed(
    category: str, hint: Likeliness | None, readings: dict[str, tuple[ValueReading, ...]]
) -> tuple[float, tuple[str, ...]]:
    """How sure a category is by name and samples together, and the evidence.

    Args:
        category: Which.
        hint: What the names say of it.
        readings: What the samples say, by category.
    """
    said = max(readings.get(category, ()), key=lambda each: each.score, default=None)
    evidence: list[str] = []
    named = hint.score if hint else 0.0
    if hint:
        evidence.append(hint.why)
    if said and said.score:
        evidence.append(f"{said.matching} of {said.looked_at} samples are {said.name}")
    elif hint and _refuted(category, readings):
        named *= _REFUTED
        evidence.append(f"hardly a sample of {said.looked_at if said else 0} is one")
    return 1 - (1 - named) * (1 - (said.score if said else 0.0)), tuple(evidence)


def _refuted(category: str, readings: dict[str, tuple[ValueReading, ...]]) -> bool:
    """Whether the samples are something else than a name says."""
    refuting = {each.name for each in all_detectors() if each.refutes}
    said = [each for each in readings.get(category, ()) if each.name in refuting]
    if not said or said[0].looked_at < _ENOUGH or max(each.share for each in said) >= _HARDLY:
        return False
    opaque = any(
        each.name == _OPAQUE and each.share > 1 - _HARDLY
        for each in readings.get("credentials", ())
    )
    return not (opaque and category in _KEPT_OPAQUE)
