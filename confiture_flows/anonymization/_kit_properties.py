"""A strategy on samples of a column -> what it promises and does not keep. No database.

Each property is a function that gives the first value it fails on and why, or None; those of
single values are tried again by hypothesis, for the smallest such value.
"""

from __future__ import annotations

import json
import pickle
import time
import uuid
from collections.abc import Callable  # noqa: TC003 - of a dataclass
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization._kit_values import TriedValues, kind_of, quiet
from confiture_flows.anonymization.copying.masking import is_unicode
from confiture_flows.anonymization.describe import OTHER
from confiture_flows.anonymization.strategy import TYPE_GROUPS, StrategyBase, UnfitValue
from confiture_flows.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNFIT = object()  # what `result` gives for a value that is refused
_LARGE = 2**40  # so many different results that none is the value itself by chance
_LONG = 10  # characters from which on a permutation's fixed points are not to be met
_SMALLER_SECONDS = 5.0
_INTEGERS = {"int2": 16, "int4": 32, "int8": 64}


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept.

    Attributes:
        why: In words.
        example: The value; of a batch, the list of values.
    """

    why: str
    example: Any


@dataclass(frozen=True, slots=True)
class Tried:
    """A strategy for a column, ready to be tried.

    Attributes:
        make: Makes it anew, under the key of a number.
        samples: What it is tried on.
    """

    make: Callable[[int], StrategyBase]
    samples: TriedValues

    def fit(self) -> tuple[Any, ...]:
        """The samples that it anonymizes."""
        made = self.make(0)
        return tuple(value for value in self.samples.all if result(made, value) is not UNFIT)


def result(made: StrategyBase, value: Any) -> Any:
    """What a strategy makes of a value, or a mark that the value is unfit."""
    try:
        if type(made).validate is not StrategyBase.validate and not made.validate(value):
            return UNFIT
        return made.anonymize(value, *(OTHER for _ in made.needs()))
    except UnfitValue:
        return UNFIT


def raises_only_unfit(tried: Tried) -> Broken | None:
    """A value is anonymized, or UnfitValue is raised; and some values are anonymized."""
    made = tried.make(0)

    def check(value: Any) -> str | None:
        error = _raised(made, value)
        return f"raises {type(error).__name__}, not UnfitValue: {error}" if error else None

    if broken := _each(tried, check):
        return broken
    if tried.samples.all and not tried.fit():
        return Broken("none of the samples fits; give values=[...] that do", tried.samples.all[0])
    return None


def gives_the_type(tried: Tried) -> Broken | None:
    """Results are of the column's type, and not longer than it takes."""
    made = tried.make(0)
    return _each(tried, lambda value: _wrong_result(made, result(made, value)))


def is_deterministic(tried: Tried) -> Broken | None:
    """Equal values give equal results, also from another instance under the same key."""
    made, again = tried.make(0), tried.make(0)

    def check(value: Any) -> str | None:
        first = result(made, value)
        if result(made, value) != first:
            return "gives another result the second time"
        return None if result(again, value) == first else "another instance gives another result"

    return _each(tried, check)


def depends_on_the_key(tried: Tried) -> Broken | None:
    """Another key gives other results, and a keyed strategy is one that says so."""
    made, other = tried.make(0), tried.make(1)
    fit = tried.fit()
    if not fit or any(result(made, value) != result(other, value) for value in fit):
        return None
    return Broken("says keyed = True, and gives the same results under another key", fit[0])


def batches_are_the_same(tried: Tried) -> Broken | None:
    """anonymize_batch gives what anonymize gives, one for one, and leaves its values alone."""
    made = tried.make(0)
    fit = list(tried.fit())
    for batch in ([], fit[:1], fit, fit[:7] * 3):
        given = list(batch)
        others = [[OTHER] * len(batch) for _ in made.needs()]
        found = list(made.anonymize_batch(given, *others))
        if given != batch:
            return Broken("anonymize_batch changes the list that it is given", batch)
        if len(found) != len(batch):
            return Broken(f"anonymize_batch gives {len(found)} for {len(batch)} values", batch[:3])
        for value, one in zip(batch, found, strict=True):
            if one != result(made, value):
                return Broken("anonymize_batch gives another result than anonymize", value)
    return None


def changes_values(tried: Tried) -> Broken | None:
    """Results are not the values themselves; single ones by chance, where there are few."""
    made = tried.make(0)
    capacity = made.capacity()
    by_chance = not (made.keyed and made.unique != "no") or (capacity or _LARGE) < _LARGE
    for group in (tried.samples.realistic, tried.samples.generated):
        fit = [value for value in group if value and result(made, value) is not UNFIT]
        same = [value for value in fit if result(made, value) == value]
        # Of a short code there are few others, so that one may well become itself.
        long = [value for value in same if _size(value) >= _LONG]
        if (long and not by_chance) or (len(same) * 2 > len(fit) and len(fit) > 1):
            many = f"{len(same)} of {len(fit)} values come back as they were"
            return Broken(f"{many}; say keeps = True if that is meant", min(same, key=_size))
    return None


def is_injective(tried: Tried) -> Broken | None:
    """Different values give different results, where `unique` promises it."""
    made = tried.make(0)
    results: dict[Any, Any] = {}
    words = made.column.type in TYPE_GROUPS["text"]
    fit = tried.fit()
    for value in dict.fromkeys(_with_neighbours(fit, words)):
        error, made_of_it = _call(lambda value=value: result(made, value))
        if error or made_of_it is UNFIT:
            continue
        one = _hashable(made_of_it)
        if one in results:
            why = f"says unique = {made.unique!r}, and gives one result for both"
            return Broken(why, [results[one], value])
        results[one] = value
    capacity = made.capacity()
    if capacity is not None and len(results) > capacity:
        return Broken(f"says capacity() {capacity}, and gave {len(results)} results", None)
    return None


def survives_pickling(tried: Tried) -> Broken | None:
    """A worker process gets the same strategy."""
    made = tried.make(0)
    try:
        again = pickle.loads(pickle.dumps(made))  # noqa: S301 - just made
    except (StrategyError, pickle.PicklingError, AttributeError, TypeError) as error:
        return Broken(f"does not pickle: {error}", None)
    for value in tried.fit():
        if result(made, value) != result(again, value):
            return Broken("gives another result after pickling", value)
    return None


def validates_consistently(tried: Tried) -> Broken | None:
    """Validate says True or False, raises nothing, and what it allows is anonymized."""
    made = tried.make(0)

    def check(value: Any) -> str | None:
        said = made.validate(value)
        if not isinstance(said, bool):
            return f"validate gives {said!r}, not True or False"
        if said and type(made).validate is not StrategyBase.validate:
            try:
                made.anonymize(value, *(OTHER for _ in made.needs()))
            except UnfitValue:
                return "validate says True, and anonymize raises UnfitValue"
        return None

    return _each(tried, check)


def _wrong_result(made: StrategyBase, one: Any) -> str | None:
    column = made.column
    if one is UNFIT:
        return None
    if one is None:
        return None if column.nullable else "gives None for a column that is NOT NULL"
    if made.takes == "text":
        if not isinstance(one, str):
            return f"gives a {type(one).__name__}, not a str"
        if "\0" in one:
            return "gives a NUL character, which no text of PostgreSQL can hold"
        if not is_unicode(one):
            return "gives half a character, which cannot be sent"
        if column.labels and one not in column.labels:
            return "gives a value that the enum does not have"
        return _too_long(column.max_length, one) or _unreadable(column.type, one)
    kind = kind_of(column.type)
    if kind and kind.classes and not isinstance(one, kind.classes):
        expected = " or ".join(each.__name__ for each in kind.classes)
        return f"gives a {type(one).__name__} for {column.type}, not {expected}"
    if kind and not kind.classes:
        try:
            json.dumps(one)
        except (TypeError, ValueError) as error:
            return f"gives what JSON cannot hold: {error}"
    return _too_long(column.max_length, one) if isinstance(one, str) else None


def _too_long(longest: int | None, one: str) -> str | None:
    if longest is None or len(one) <= longest:
        return None
    return f"gives {len(one)} characters for a column of {longest}"


def _unreadable(type_name: str, one: str) -> str | None:
    try:
        if type_name in _INTEGERS and not -1 <= int(one) >> (_INTEGERS[type_name] - 1) <= 0:
            return f"gives a number that {type_name} cannot hold"
        if type_name == "uuid":
            uuid.UUID(one)
        if type_name in ("json", "jsonb"):
            json.loads(one)
    except ValueError:
        return f"gives text that is no {type_name}"
    return None


def _each(tried: Tried, check: Callable[[Any], str | None]) -> Broken | None:
    """The smallest value that a check has something against."""
    for value in sorted(tried.samples.all, key=_size):
        why = _asked(check, value)
        if why:
            smaller = _smaller(tried, check)
            return (
                smaller if smaller and _size(smaller.example) < _size(value) else Broken(why, value)
            )
    return None


def _asked(check: Callable[[Any], str | None], value: Any) -> str | None:
    error, why = _call(lambda: check(value))
    return f"raises {type(error).__name__}: {error}" if error else why


def _smaller(tried: Tried, check: Callable[[Any], str | None]) -> Broken | None:
    if tried.samples.generator is None:
        return None
    from hypothesis import find
    from hypothesis.errors import Flaky, NoSuchExample

    # Hypothesis may look for a smaller one for five minutes; nobody waits for that.
    until = time.monotonic() + _SMALLER_SECONDS
    found: list[Broken] = []

    def is_broken(value: Any) -> bool:
        why = _asked(check, value) if time.monotonic() < until else None
        if why and (not found or _size(value) < _size(found[0].example)):
            found[:] = [Broken(why, value)]
        return bool(why)

    with suppress(NoSuchExample, Flaky):  # the second when its time is up
        find(tried.samples.generator, is_broken, settings=quiet(200))
    return found[0] if found else None


def _raised(made: StrategyBase, value: Any) -> BaseException | None:
    return _call(lambda: result(made, value))[0]


def _call(call: Callable[[], Any]) -> tuple[BaseException | None, Any]:
    """What a strategy raises is its author's to read, whatever it is."""
    try:
        return None, call()
    except (Exception, SystemExit) as error:
        return error, None


def _with_neighbours(values: tuple[Any, ...], words: bool) -> Iterator[Any]:
    """Values and some that hardly differ from them, which is where a short look goes wrong."""
    for value in values:
        if isinstance(value, str) and words:
            yield from (value, value + "x", "x" + value, value[:-1], value[1:], value.swapcase())
            yield value[: len(value) // 2] + "x" + value[len(value) // 2 :]
        elif isinstance(value, int) and not isinstance(value, bool):
            yield from (value, value + 1, -value)
        elif not isinstance(value, dict | list):
            yield value


def _size(value: Any) -> int:
    return len(str(value))


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, dict | list) else value
