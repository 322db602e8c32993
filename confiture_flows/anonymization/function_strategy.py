"""A function `value -> value` -> a strategy, whose configuration is its keyword parameters."""

from __future__ import annotations

import datetime
import decimal
import inspect
import types
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from pydantic import PydanticUserError, create_model

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
    datetime.time: ("python", ("time",)),
    datetime.timedelta: ("python", ("interval",)),
    decimal.Decimal: ("python", ("numeric",)),
    datetime.date: ("python", ("date",)),
    datetime.datetime: ("python", ("timestamp",)),
    uuid.UUID: ("python", ("uuid",)),
    dict: ("python", ("json",)),
    list: ("python", ("json",)),
}
_GIVEN = ("key", "column")
# A function has one class, so that what `register_strategy` says of it holds by every reference.
_classes: dict[Callable[..., Any], type[StrategyBase]] = {}


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

    @classmethod
    def reference(cls) -> str:
        """The function's, which makes the class when it is registered or asked for."""
        return f"{cls.function.__module__}:{cls.function.__qualname__}"

    def anonymize(self, value: Any, *others: Any) -> Any:
        """What the function gives."""
        return self._call(value)


def strategy_of_function(function: Callable[..., Any]) -> type[StrategyBase]:
    """The strategy of a function; the same class each time.

    Args:
        function: Takes the value first; all other parameters have to be keywords.

    Raises:
        ConfigError: Its signature is another one.
    """
    if function not in _classes:
        _classes[function] = _made(function)
    return _classes[function]


def _made(function: Callable[..., Any]) -> type[StrategyBase]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
        hints = get_type_hints(function)
    except (TypeError, ValueError, NameError) as error:
        raise ConfigError(f"{function!r} can be no strategy: {error}.") from None
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise _wrong(function, "it returns no value but something to wait for")
    first = parameters[0] if parameters else None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if first is None or first.kind not in positional:
        raise _wrong(function, "it takes no value")
    form, accepts = _taken(function, hints.get(first.name, Any))
    given = tuple(each.name for each in parameters[1:] if each.name in _GIVEN)
    members = {
        "__doc__": inspect.getdoc(function),
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "Config": _config(function, parameters[1:], hints),
        "accepts": accepts,
        "takes": form,
        "keyed": "key" in given,
        "function": staticmethod(function),
        "given": given,
    }
    return type(function.__name__, (FunctionStrategy,), members)


def _config(
    function: Callable[..., Any], parameters: list[inspect.Parameter], hints: dict[str, Any]
) -> type[StrategyBase.Config]:
    fields: dict[str, Any] = {}
    for each in parameters:
        if each.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise _wrong(function, f"*{each.name} says nothing of what can be configured")
        if each.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise _wrong(function, f"{each.name} cannot be given by its name")
        if each.name not in _GIVEN:
            default = ... if each.default is inspect.Parameter.empty else each.default
            fields[each.name] = (hints.get(each.name, Any), default)
    try:
        return create_model(f"{function.__name__}_config", __base__=StrategyBase.Config, **fields)
    except (NameError, PydanticUserError) as error:
        first_line = str(error).partition("\n")[0].rstrip(".")
        raise _wrong(function, f"its parameters cannot be options ({first_line})") from None


def _taken(function: Callable[..., Any], hint: Any) -> tuple[Form, tuple[str, ...]]:
    """What an annotation says of the values; without one they are text of any type."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [each for each in get_args(hint) if each is not type(None)]
        hint = rest[0] if len(rest) == 1 else hint
    hint = get_origin(hint) or hint
    if hint in (Any, object):
        return "text", (ANY_TYPE,)
    if hint not in _TAKES:
        known = ", ".join(each.__name__ for each in _TAKES)
        raise _wrong(function, f"no column gives it a {getattr(hint, '__name__', hint)}", known)
    return _TAKES[hint]


def _wrong(function: Callable[..., Any], why: str, known: str = "") -> ConfigError:
    return ConfigError(
        f"{function.__qualname__} can be no strategy: {why}.",
        next_step=f"Values may be: {known}; or leave the annotation out for PostgreSQL's text."
        if known
        else "Write it as def mask(value: str, *, option: str = ...) -> str.",
    )
