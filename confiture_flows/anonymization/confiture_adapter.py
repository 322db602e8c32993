"""A class written for fraiseql-confiture -> a strategy. Imports that package when asked for it.

Its seed, which is 0 there unless somebody sets it, comes from the key of the rule's domain.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from typing import Any, ClassVar, get_type_hints

from pydantic import PydanticUserError, create_model

from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase, UnfitValue
from confiture_flows.errors import ConfigError

_THEIR_BASE = "confiture.core.anonymization.strategy"
_THEIR_REGISTRY = "confiture.core.anonymization.registry"
_OWN_FIELDS = ("name",)  # a name for their own messages
_SEEDS = ("seed", "seed_env_var")

_adapted: dict[type[Any], type[StrategyBase]] = {}


class ConfitureStrategy(StrategyBase):
    """A strategy of fraiseql-confiture; values are what psycopg makes of them."""

    accepts = (ANY_TYPE,)
    keyed = True
    takes = "python"

    theirs: ClassVar[type[Any]]

    def prepare(self) -> None:
        """Make theirs, with a seed that nobody can guess."""
        values = {name: getattr(self.config, name) for name in type(self.config).model_fields}
        if all(values.get(name) is None for name in _SEEDS):
            values["seed"] = self.key.number(b"seed")
        self._inner = self.theirs(self.theirs.config_type(**values))

    @classmethod
    def reference(cls) -> str:
        """Their class's, which becomes this one whenever it is found."""
        return f"{cls.theirs.__module__}:{cls.theirs.__qualname__}"

    def anonymize(self, value: Any, *others: Any) -> Any:
        """What theirs gives; its ValueError is how it says that a value does not fit."""
        try:
            return self._inner.anonymize(value)
        except ValueError as error:
            raise UnfitValue(type(error).__name__) from None

    def validate(self, value: Any) -> bool:
        """What theirs says."""
        return bool(self._inner.validate(value))


def is_confiture_class(made: object) -> bool:
    """Whether it is a class for fraiseql-confiture; imports nothing."""
    base = getattr(sys.modules.get(_THEIR_BASE), "AnonymizationStrategy", None)
    return inspect.isclass(base) and inspect.isclass(made) and issubclass(made, base)


def adapted(theirs: type[Any]) -> type[StrategyBase]:
    """The strategy that a class for fraiseql-confiture is; the same each time.

    Raises:
        ConfigError: Its configuration cannot be read, or it is abstract.
    """
    if theirs not in _adapted:
        if inspect.isabstract(theirs):
            missing = ", ".join(sorted(theirs.__abstractmethods__))
            raise ConfigError(f"{theirs.__qualname__} can be no strategy: it has no {missing}.")
        members = {
            "__doc__": inspect.getdoc(theirs),
            "__module__": theirs.__module__,
            "__qualname__": theirs.__qualname__,
            "Config": _config(theirs),
            "theirs": theirs,
        }
        _adapted[theirs] = type(theirs.__name__, (ConfitureStrategy,), members)
    return _adapted[theirs]


def confiture_strategy(name: str) -> type[StrategyBase]:
    """The strategy that fraiseql-confiture has registered under a name.

    Raises:
        ConfigError: The package is not installed, or has none of that name.
    """
    try:
        importlib.import_module("confiture.core.anonymization")
        registry = importlib.import_module(_THEIR_REGISTRY).StrategyRegistry
    except ImportError as error:
        raise ConfigError(
            f"The strategy 'confiture:{name}' needs fraiseql-confiture: {error}.",
            next_step="Install it: pip install fraiseql-confiture",
        ) from None
    if not registry.is_registered(name):
        known = ", ".join(registry.list_available())
        raise ConfigError(
            f"fraiseql-confiture has no strategy {name!r}.", next_step=f"It has: {known}."
        )
    return adapted(registry.get_strategy_class(name))


def _config(theirs: type[Any]) -> type[StrategyBase.Config]:
    declared = theirs.config_type
    hints = get_type_hints(declared)
    fields: dict[str, Any] = {}
    for each in dataclasses.fields(declared):
        if each.name in _OWN_FIELDS or not each.init:
            continue
        if each.default_factory is not dataclasses.MISSING:
            default = each.default_factory()
        else:
            default = ... if each.default is dataclasses.MISSING else each.default
        fields[each.name] = (hints.get(each.name, Any), default)
    try:
        return create_model(f"{theirs.__name__}_config", __base__=StrategyBase.Config, **fields)
    except (NameError, PydanticUserError) as error:
        first_line = str(error).partition("\n")[0].rstrip(".")
        raise ConfigError(
            f"{theirs.__qualname__} can be no strategy: its options cannot be read ({first_line})."
        ) from None
