"""A function `value -> value` -> a strategy, whose configuration is its keyword parameters."""

from __future__ import annotations

import datetime
import decimal
import inspect
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

from pydantic import create_model

from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.anonymization.strategy import Form

# What the annotation of the first parameter says of the types that it takes.
_TAKES: dict[Any, tuple[Form, tuple[str, ...]]] = {
    str: ("text", ("text",)),
    int: ("python", ("integer",)),
    float: ("python", ("float4", "float8")),
    bool: ("python", ("bool",)),
    bytes: ("python", ("bytea",)),
    decimal.Decimal: ("python", ("numeric",)),
    datetime.date: ("python", ("date",)),
    datetime.datetime: ("python", ("timestamp",)),
    uuid.UUID: ("python", ("uuid",)),
    dict: ("python", ("json",)),
    list: ("python", ("json",)),
}
_GIVEN = ("key", "column")


class FunctionStrategy(StrategyBase):
    """A function as a strategy."""

    function: ClassVar[Callable[..., Any]]
    given: ClassVar[tuple[str, ...]] = ()

    def prepare(self) -> None:
        """Bind the configuration, the key and the column once."""
        bound = {name: getattr(self.config, name) for name in type(self.config).model_fields}
        for name in self.given:
            bound[name] = getattr(self, name)
        function = type(self).function
        self._call = (lambda value: function(value, **bound)) if bound else function

    def anonymize(self, value: Any, *others: Any) -> Any:
        """What the function gives."""
        return self._call(value)


def strategy_of_function(function: Callable[..., Any], name: str) -> type[StrategyBase]:
    """Make a strategy of a function.

    Args:
        function: Takes the value first; all other parameters have to be keywords.
        name: The strategy's.

    Raises:
        ConfigError: Its signature is another one.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
        hints = get_type_hints(function)
    except (TypeError, ValueError, NameError) as error:
        raise ConfigError(f"{function!r} can be no strategy: {error}.") from None
    first = parameters[0] if parameters else None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if first is None or first.kind not in positional:
        raise _wrong(function, "it takes no value")
    fields: dict[str, Any] = {}
    for each in parameters[1:]:
        if each.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise _wrong(function, f"*{each.name} says nothing of what can be configured")
        if each.name not in _GIVEN:
            default = ... if each.default is inspect.Parameter.empty else each.default
            fields[each.name] = (hints.get(each.name, Any), default)
    form, accepts = _TAKES.get(hints.get(first.name), ("text", (ANY_TYPE,)))
    given = tuple(each.name for each in parameters[1:] if each.name in _GIVEN)
    config = create_model(f"{function.__name__}_config", __base__=StrategyBase.Config, **fields)
    members = {
        "__doc__": inspect.getdoc(function),
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "Config": config,
        "name": name,
        "accepts": accepts,
        "takes": form,
        "keyed": "key" in given,
        "function": staticmethod(function),
        "given": given,
    }
    return type(function.__name__, (FunctionStrategy,), members)


def _wrong(function: Callable[..., Any], why: str) -> ConfigError:
    return ConfigError(
        f"{function.__qualname__} can be no strategy: {why}.",
        next_step="Write it as def mask(value: str, *, option: str = ...) -> str.",
    )
