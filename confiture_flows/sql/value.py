"""A class -> a dataclass of which linting makes many; that nobody changes one, pyright sees to.

`dataclass(frozen=True)` also refuses a change when the program runs, for which it sets each field
through a call of its own. That took an eighth of the time of a lint. What is made by the hundred
thousand is a `value`; elsewhere the refusal costs nothing that anybody notices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(*, kw_only: bool = False) -> Callable[[type[_Value]], type[_Value]]:
    """Make a class a dataclass with slots, equal and hashed by its fields, and frozen to pyright.

    Args:
        kw_only: Whether its fields are given by name only.
    """

    def made(cls: type[_Value]) -> type[_Value]:
        return dataclass(slots=True, unsafe_hash=True, kw_only=kw_only)(cls)

    return made
