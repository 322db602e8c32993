r"""A batch of lines of COPY's text format -> the same with some columns masked. No database.

The columns to mask stand last in each line, after them the columns that strategies need and nobody
gets. One split a line, one call a strategy, one join; what stands before is never looked at, and a
value is unescaped only where its column holds a backslash. \N never reaches a strategy.

What a strategy may not do stops the copy with the column and a count, never with a value: the text
of its own exception is not repeated either.
"""

from __future__ import annotations

import math
import re
import traceback
from dataclasses import dataclass
from operator import eq
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.copying.neutral import neutral_literal
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue
from confiture_flows.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from psycopg.abc import Buffer

    from confiture_flows._anonymization_config import OnUnfit

NULL = "\\N"
_NO_OBJECT = object()
_CERTAIN = 1 << 32  # of so many values, none is the one that was there by chance

_ESCAPED = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
)


@dataclass(slots=True)
class ColumnMask:
    """What becomes of one column.

    Attributes:
        strategy: Ready to be called.
        on_unfit: What becomes of a value that it cannot anonymize.
        needs: Places of the columns it needs, among those that come after the masked ones.
        codec: From PostgreSQL's text to a Python object and back, where the strategy takes those.
        unfit: How many values were replaced by `on_unfit` so far.
        chance: How many results so far were by chance what was there before.
    """

    strategy: StrategyBase
    on_unfit: OnUnfit = "stop"
    needs: tuple[int, ...] = ()
    codec: tuple[Callable[[str], Any], Callable[[Any], str]] | None = None
    unfit: int = 0
    chance: int = 0


class BatchMask:
    """Masks the last columns of lines."""

    def __init__(
        self,
        masks: Sequence[ColumnMask],
        *,
        heads: bool = True,
        extras: int = 0,
        calling: Callable[[str, int], None] = lambda _column, _count: None,
    ) -> None:
        """Prepare.

        Args:
            masks: One a masked column, in the order of the line.
            heads: Whether columns stand before them.
            extras: How many columns come after them, and are dropped.
            calling: Told before a strategy is called: the column's name and how many values.
        """
        self._masks = tuple(masks)
        self._heads = heads
        self._splits = len(self._masks) + extras - (0 if heads else 1)
        self._calling = calling

    def lines(self, batch: Iterable[Buffer]) -> bytes:
        """Mask lines as they come from `CopyReader`."""
        text = b"".join(batch).decode("utf-8", "surrogateescape")
        return self(text).encode("utf-8", "surrogateescape")

    def __call__(self, text: str) -> str:
        """Mask whole lines, each with its line feed."""
        splits = self._splits
        lines = text.split("\n")
        lines.pop()
        columns = list(zip(*[line.rsplit("\t", splits) for line in lines], strict=True))
        first = 1 if self._heads else 0
        last = first + len(self._masks)
        extras = columns[last:]
        written: list[Sequence[str]] = list(columns[:first])
        for mask, values in zip(self._masks, columns[first:last], strict=True):
            self._calling(mask.strategy.column.name, len(values))
            written.append(_masked(mask, values, [extras[place] for place in mask.needs]))
        joined = "\n".join(map("\t".join, zip(*written, strict=True)))
        return f"{joined}\n"


def unescape(value: str) -> str:
    """What a field of COPY's text format means; not for NULL."""
    return _ESCAPED.sub(_meaning, value) if "\\" in value else value


def escape(value: str) -> str:
    """A value as a field of COPY's text format."""
    return value.translate(_ESCAPES)


def _meaning(match: re.Match[str]) -> str:
    sign = match[1]
    if sign[0].isdigit() and sign[0] < "8":
        return chr(int(sign, 8))
    if sign[0] == "x" and len(sign) > 1:
        return chr(int(sign[1:], 16))
    return _LETTERS.get(sign, sign)


def _masked(
    mask: ColumnMask, fields: tuple[str, ...], others: list[tuple[str, ...]]
) -> Sequence[str]:
    """The fields of a column, masked, in COPY's text format again."""
    values: Sequence[str] = fields
    there: list[int] | None = None
    if "\\" in "".join(fields):
        if NULL in fields:
            there = [place for place, each in enumerate(fields) if each != NULL]
            values = [fields[place] for place in there]
        values = [unescape(each) if "\\" in each else each for each in values]
    if not values:
        return fields
    given = [_argument(mask, each, there) for each in others]
    results = _results(mask, values, given)
    if there is None:
        return results
    whole = list(fields)
    for place, result in zip(there, results, strict=True):
        whole[place] = result
    return whole


def masked_values(
    mask: ColumnMask, values: Sequence[str | None], others: Sequence[Sequence[str | None]]
) -> Sequence[str | None]:
    """A column, masked.

    Args:
        mask: What becomes of it.
        values: The texts of its values; NULL is None, and stays.
        others: Of the columns that come after the masked ones.

    Raises:
        StrategyError: The strategy failed, or did what it says it never does.
    """
    needed = [others[place] for place in mask.needs]
    if None not in values:
        return _texts(mask, values, needed)[0]  # pyright: ignore[reportArgumentType]
    there = [place for place, each in enumerate(values) if each is not None]
    if not there:
        return values
    chosen = [[each[place] for place in there] for each in (values, *needed)]
    whole = list(values)
    for place, result in zip(there, _texts(mask, chosen[0], chosen[1:])[0], strict=True):  # pyright: ignore[reportArgumentType]
        whole[place] = result
    return whole


def _argument(mask: ColumnMask, fields: Sequence[str], there: list[int] | None) -> list[Any]:
    """A needed column; it may hold None."""
    chosen = fields if there is None else [fields[place] for place in there]
    return [None if each == NULL else unescape(each) for each in chosen]


def _results(mask: ColumnMask, values: Sequence[str], others: list[list[Any]]) -> list[str]:
    """What takes the place of values, as fields."""
    results, text = _texts(mask, values, others)
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        results = [None if each is None else each.translate(_ESCAPES) for each in results]
    return [NULL if each is None else each for each in results] if None in results else results  # pyright: ignore[reportReturnType]


def _texts(
    mask: ColumnMask, values: Sequence[str], others: Sequence[Sequence[Any]]
) -> tuple[list[str | None], str]:
    """What takes the place of values, as texts, and all those texts together."""
    strategy = mask.strategy
    given, unfit = _loaded(mask.codec[0], values) if mask.codec else (values, set[int]())
    unfit |= _refused_by_validate(strategy, given)
    results = _called(mask, given, others, unfit)
    if not strategy.keeps:
        _find_unchanged(mask, given, results, unfit)
    if unfit:
        _replace_unfit(mask, results, unfit)
    return _as_texts(mask, results, unfit)


def _loaded(load: Callable[[str], Any], values: Sequence[str]) -> tuple[Sequence[Any], set[int]]:
    """The objects of texts, and the places of those that Python has no object for."""
    try:
        return list(map(load, values)), set()
    except UnfitValue:
        pass
    found: list[Any] = []
    unfit: set[int] = set()
    for place, each in enumerate(values):
        try:
            found.append(load(each))
        except UnfitValue:
            found.append(_NO_OBJECT)
            unfit.add(place)
    return found, unfit


def _refused_by_validate(strategy: StrategyBase, values: Sequence[Any]) -> set[int]:
    if type(strategy).validate is StrategyBase.validate:
        return set()
    try:
        return {
            place
            for place, each in enumerate(values)
            if each is not _NO_OBJECT and not strategy.validate(each)
        }
    except (Exception, SystemExit) as error:  # a plug-in may raise anything
        raise _raised(strategy, error, len(values)) from None


def _called(
    mask: ColumnMask, values: Sequence[Any], others: Sequence[Sequence[Any]], unfit: set[int]
) -> list[Any]:
    """Call the strategy; places of values that turn out unfit are added, and hold None."""
    strategy = mask.strategy
    try:
        if not unfit:
            try:
                results = list(strategy.anonymize_batch(values, *others))
            except UnfitValue:
                pass
            else:
                if len(results) != len(values):
                    raise _broken(
                        strategy, f"gave {len(results):,} values for {len(values):,}", len(values)
                    )
                return results
        results = [None] * len(values)
        for place, arguments in enumerate(zip(values, *others, strict=True)):
            if place not in unfit:
                try:
                    results[place] = strategy.anonymize(*arguments)
                except UnfitValue:
                    unfit.add(place)
    except StrategyError:
        raise
    except (Exception, SystemExit) as error:  # a plug-in may raise anything
        raise _raised(strategy, error, len(values)) from None
    return results


def _find_unchanged(
    mask: ColumnMask, values: Sequence[Any], results: list[Any], unfit: set[int]
) -> None:
    """Count results that are what was there before; too many of them are unfit."""
    same = [place for place, both in enumerate(map(eq, values, results)) if both]
    if not same:
        return
    strategy = mask.strategy
    distinct = len(set(map(repr, values)))
    equal = len({repr(values[place]) for place in same})
    if equal <= chance_matches(strategy, distinct):
        mask.chance += len(same)
    elif mask.on_unfit == "stop":
        raise _broken(strategy, f"gave {len(same):,} values back unchanged", len(values))
    else:
        unfit.update(same)


def chance_matches(strategy: StrategyBase, distinct: int) -> int:
    """How many of different values may come out unchanged by chance.

    None where the strategy promises uniqueness over a large capacity. Of a capacity c each value
    meets itself once in c, with six standard deviations on top. Where the capacity is not known,
    no more than half: a rounded date is often round already.
    """
    capacity = strategy.capacity()
    if strategy.unique != "no" and (capacity is None or capacity >= _CERTAIN):
        return 0
    if capacity is None:
        return distinct // 2
    mean = distinct / max(capacity, 1)
    return min(distinct, math.ceil(mean + 6 * math.sqrt(mean)))


def _replace_unfit(mask: ColumnMask, results: list[Any], unfit: set[int]) -> None:
    column = mask.strategy.column
    if mask.on_unfit == "stop":
        raise StrategyError(
            f"{column}: {len(unfit):,} of {len(results):,} values are none that the strategy "
            f"{mask.strategy.name!r} can anonymize.",
            next_step='Choose another strategy, or set on_unfit = "null" or "redact" in the '
            "column's rule.",
        )
    mask.unfit += len(unfit)
    # Redacted values are put in as text, when fields are made.
    for place in unfit:
        results[place] = None


def _as_texts(
    mask: ColumnMask, results: list[Any], unfit: set[int]
) -> tuple[list[str | None], str]:
    if mask.codec:
        dump = mask.codec[1]
        try:
            results = [None if each is None else dump(each) for each in results]
        except Exception as error:  # whatever an adapter says of a foreign object
            raise _raised(
                mask.strategy, error, len(results), "gave what cannot be written"
            ) from None
    if mask.on_unfit == "redact" and unfit:
        literal = neutral_literal(mask.strategy.column)
        for place in unfit:
            results[place] = literal
    nulls = None in results
    try:
        text = "".join(each for each in results if each is not None) if nulls else "".join(results)
    except TypeError:
        wrong = next(each for each in results if each is not None and not isinstance(each, str))
        raise _broken(
            mask.strategy, f"gave a {type(wrong).__name__} where text is due", len(results)
        ) from None
    _check_length(mask.strategy, results)
    if "\0" in text:
        raise _broken(mask.strategy, "gave text with a NUL in it", len(results))
    if not text.isascii() and not is_unicode(text):
        raise _broken(mask.strategy, "gave text with half a character in it", len(results))
    return results, text


def is_unicode(text: str) -> bool:
    """Whether it can be sent; bytes of the source that were no UTF-8 can."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _check_length(strategy: StrategyBase, results: list[Any]) -> None:
    limit = strategy.column.max_length
    if limit is None:
        return
    long = sum(1 for each in results if each is not None and len(each) > limit)
    if long:
        raise _broken(
            strategy, f"gave {long:,} values of more than {limit} characters", len(results)
        )


def _broken(strategy: StrategyBase, what: str, count: int) -> StrategyError:
    return StrategyError(
        f"{strategy.column}: the strategy {strategy.name!r} {what} (a batch of {count:,} rows).",
        next_step=f"Mend it, and check it: confiture-flows strategies test {strategy.name}",
    )


def _raised(
    strategy: StrategyBase, error: BaseException, count: int, what: str = "failed"
) -> StrategyError:
    """Where it happened, without the text of the exception: it may quote the value."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if each.filename != __file__]
    place = f" at {own[-1].filename}:{own[-1].lineno}" if own else ""
    return _broken(strategy, f"{what} with {type(error).__name__}{place}", count)
