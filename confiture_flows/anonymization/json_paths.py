"""Documents -> their paths, with the values that stand there. Pure.

A key is shown when several documents have it; others may be somebody's name or address
themselves, so that they become * and are looked at like values.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$\-]{0,47}")
_OFTEN = 0.05  # the share of the objects at a path that have a key, for it to be shown
_DEEPEST, _MOST_PATHS, _MOST_KEYS = 8, 300, 100
KEYS = "(keys)"


@dataclass(frozen=True, slots=True)
class PathValues:
    """What stands at a path of a column's documents.

    Attributes:
        path: Such as "$.contacts[*].email"; "$.*" where keys are as different as values.
        key: The last key that is shown, as a name; "" for none.
        parent: The one before it.
        values: Scalars as text; never shown.
        type: "text", "numeric" or "bool": that of most.
    """

    path: str
    key: str
    parent: str
    values: tuple[str, ...] = field(repr=False)
    type: str = "text"


def walked(
    texts: Iterable[str], is_word: Callable[[str], object] = lambda _key: False
) -> tuple[PathValues, ...]:
    """Walk through documents.

    Args:
        texts: Each a JSON document; what is none is left out.
        is_word: Whether a key that only one document has is a word of a programmer all the same.
    """
    documents: list[Any] = []
    for text in texts:
        try:
            documents.append(json.loads(text))
        except (ValueError, RecursionError):
            continue
    found: list[PathValues] = []
    _walk(documents, "$", ("", ""), is_word, found, 0)
    return tuple(found[:_MOST_PATHS])


def _walk(
    nodes: list[Any],
    path: str,
    names: tuple[str, str],
    is_word: Callable[[str], object],
    found: list[PathValues],
    depth: int,
) -> None:
    if depth > _DEEPEST or len(found) >= _MOST_PATHS:
        return
    scalars = [each for each in nodes if each is not None and not isinstance(each, dict | list)]
    if scalars:
        kind = Counter(map(_type_of, scalars)).most_common(1)[0][0]
        values = tuple(filter(None, map(_text_of, scalars)))
        found.append(PathValues(path, names[1], names[0], values, kind))
    items = [item for each in nodes if isinstance(each, list) for item in each]
    if items:
        _walk(items, f"{path}[*]", names, is_word, found, depth + 1)
    objects = [each for each in nodes if isinstance(each, dict)]
    if objects:
        _walk_objects(objects, path, names, is_word, found, depth)


def _walk_objects(
    objects: list[dict[str, Any]],
    path: str,
    names: tuple[str, str],
    is_word: Callable[[str], object],
    found: list[PathValues],
    depth: int,
) -> None:
    often = Counter(key for each in objects for key in each)
    least = max(2, _OFTEN * len(objects))
    shown = {
        key
        for key, times in often.most_common(_MOST_KEYS)
        if _KEY.fullmatch(key) and (times >= least or is_word(key))
    }
    below: dict[str, list[Any]] = defaultdict(list)
    other: list[Any] = []
    for each in objects:
        for key, value in each.items():
            (below[key] if key in shown else other).append(value)
    for key, values in below.items():
        _walk(values, f"{path}.{key}", (names[1], key), is_word, found, depth + 1)
    hidden = tuple(key for key in often if key not in shown)
    if hidden:
        found.append(PathValues(f"{path}.* {KEYS}", "", names[1], tuple(filter(None, hidden))))
        _walk(other, f"{path}.*", (names[1], ""), is_word, found, depth + 1)


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "numeric"


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
