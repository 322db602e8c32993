"""A class -> the same class, as a strategy; a ConfigError when it declares what it cannot."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, get_args

from confiture_flows.anonymization.strategy import (
    Form,
    StrategyBase,
    Uniqueness,
    is_sql_only,
)
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


def checked_class(made: type[Any]) -> type[StrategyBase]:
    """The class, when it can be a strategy.

    Raises:
        ConfigError: It cannot; all that is wrong is named.
    """
    if not issubclass(made, StrategyBase):
        raise ConfigError(
            f"{made.__qualname__} is no strategy.",
            next_step="Let it inherit from confiture_flows.plugins.StrategyBase.",
        )
    if wrong := list(_mistakes(made)):
        raise ConfigError(f"{made.__qualname__} can be no strategy: {'; '.join(wrong)}.")
    return made


def _mistakes(made: type[StrategyBase]) -> Iterator[str]:
    accepts = made.accepts
    if (
        not isinstance(accepts, tuple)
        or not accepts
        or not all(isinstance(each, str) for each in accepts)
    ):
        yield f'accepts is {accepts!r}, not a tuple of types such as ("text",)'
    if made.unique not in get_args(Uniqueness):
        yield f"unique is {made.unique!r}, not one of {', '.join(get_args(Uniqueness))}"
    if made.takes not in get_args(Form):
        yield f"takes is {made.takes!r}, not one of {', '.join(get_args(Form))}"
    if not (inspect.isclass(made.Config) and issubclass(made.Config, StrategyBase.Config)):
        yield "its Config does not inherit from StrategyBase.Config"
    elif made.Config.model_config.get("extra") != "forbid":
        # A misspelt option would silently be none.
        yield 'its Config does not say extra="forbid"'
    if is_sql_only(made) and made.to_sql is StrategyBase.to_sql:
        yield "it has neither anonymize nor to_sql"
    if inspect.iscoroutinefunction(made.anonymize):
        yield "its anonymize is async"
