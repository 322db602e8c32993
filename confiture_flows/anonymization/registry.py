"""A strategy's name -> its class.

A name is one that was registered in this process, a built-in one (a module of strategies/ that is
called so, imported when it is asked for), an entry point of the group `confiture_flows.strategies`,
or "module:Class". Refuses two strategies of one name, naming both origins.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from confiture_flows.anonymization.function_strategy import strategy_of_function
from confiture_flows.anonymization.strategy import StrategyBase
from confiture_flows.anonymization.trust import StrategyName
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.anonymization.strategy import Uniqueness

ENTRY_POINTS = "confiture_flows.strategies"
_BUILT_IN = "confiture_flows.anonymization.strategies"

_Made = TypeVar("_Made", bound="Callable[..., Any]")


class StrategyRegistry:
    """Strategies by name."""

    def __init__(self) -> None:
        self._classes: dict[str, type[StrategyBase]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))

    def add(self, name: str, strategy: type[StrategyBase]) -> None:
        """Add a strategy under a name.

        Raises:
            ConfigError: The name is taken, or can be none.
        """
        if not name or not all(part.isidentifier() for part in name.split("-")):
            raise ConfigError(
                f"{name!r} cannot be the name of a strategy.",
                next_step="Use letters, digits, - and _.",
            )
        present = self._classes.get(name)
        taken = _origin(present) if present else _built_in_origin(name, strategy)
        if taken and taken != _origin(strategy):
            raise ConfigError(
                f"Two strategies are called {name!r}: {taken} and {_origin(strategy)}.",
                next_step="Give one of them another name.",
            )
        strategy.name = name
        self._classes[name] = strategy

    def remove(self, name: str) -> None:
        """Forget a strategy that was added; a built-in one is found again when asked for."""
        self._classes.pop(name, None)

    def find(self, name: str) -> type[StrategyBase]:
        """The class of a strategy.

        Raises:
            ConfigError: There is none, or it cannot be imported.
        """
        if isinstance(name, StrategyName) and (isolated := _isolated(name)):
            return isolated
        if name in self._classes:
            return self._classes[name]
        if ":" in name:
            return self._imported(name)
        if name in built_in_names():
            importlib.import_module(f"{_BUILT_IN}.{_module_of(name)}")
            return self._classes[name]
        for point in entry_points(group=ENTRY_POINTS, name=name):
            found = _loaded(point)
            self.add(name, found if _is_strategy(found) else strategy_of_function(found, name))
            return self._classes[name]
        raise ConfigError(
            f"There is no strategy {name!r}.",
            next_step=f"There are: {', '.join(self.names())}; or write module:Class.",
        )

    def names(self) -> tuple[str, ...]:
        """All names: registered, built-in and of entry points."""
        points = (point.name for point in entry_points(group=ENTRY_POINTS))
        return tuple(sorted({*self._classes, *built_in_names(), *points}))

    def _imported(self, reference: str) -> type[StrategyBase]:
        module, _, name = reference.partition(":")
        try:
            found = getattr(importlib.import_module(module), name, None)
        except ImportError as error:
            raise ConfigError(
                f"The strategy {reference!r} cannot be imported: {error}.",
                next_step="It is module:Class, from the folder of the configuration or installed.",
            ) from None
        if _is_strategy(found):
            return found
        if callable(found) and not inspect.isclass(found):
            return strategy_of_function(found, name)
        raise ConfigError(
            f"{reference!r} is no strategy.",
            next_step="Name a subclass of confiture_flows.plugins.StrategyBase, or a function.",
        )


registered = StrategyRegistry()


def register_strategy(
    name: str,
    *,
    accepts: tuple[str, ...] | None = None,
    unique: Uniqueness | None = None,
    registry: StrategyRegistry = registered,
) -> Callable[[_Made], _Made]:
    """Register a subclass of StrategyBase, or a function `value -> value`, under a name.

    A function's keyword parameters are its configuration; `key` and `column` are given to it if
    it has them. The annotation of its first parameter says what it takes.

    Args:
        name: As column rules name it.
        accepts: Types, instead of what the class or the annotation says.
        unique: The same for uniqueness.
        registry: Where it goes.

    Raises:
        ConfigError: The name is taken, or it can be no strategy.
    """

    def register(made: _Made) -> _Made:
        strategy = made if _is_strategy(made) else strategy_of_function(made, name)
        if accepts is not None:
            strategy.accepts = accepts
        if unique is not None:
            strategy.unique = unique
        registry.add(name, strategy)
        return made

    return register


def built_in_names() -> tuple[str, ...]:
    """The built-in strategies, sorted."""
    package = importlib.import_module(_BUILT_IN)
    modules = (each.name for each in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(_name_of(each) for each in modules if not each.startswith("_")))


def _name_of(module: str) -> str:
    """A module is called as its strategy; an underscore at the end avoids a Python name."""
    return module.rstrip("_").replace("_", "-")


def _module_of(name: str) -> str:
    package = importlib.import_module(_BUILT_IN)
    modules = (each.name for each in pkgutil.iter_modules(package.__path__))
    return next(each for each in modules if _name_of(each) == name)


def _is_strategy(made: object) -> TypeGuard[type[StrategyBase]]:
    """Whether it is a strategy's class.

    Raises:
        ConfigError: It is another class.
    """
    if not inspect.isclass(made):
        return False
    if not issubclass(made, StrategyBase):
        raise ConfigError(
            f"{made.__qualname__} is no strategy.",
            next_step="Let it inherit from confiture_flows.plugins.StrategyBase.",
        )
    return True


def _isolated(name: StrategyName) -> type[StrategyBase] | None:
    """The strategy if its module is not trusted; nothing of it is imported here."""
    points = () if ":" in name else entry_points(group=ENTRY_POINTS, name=name)
    for reference in (str(name), *(point.value for point in points)):
        if isolation := name.isolation(reference):
            from confiture_flows.anonymization.sandbox.strategy import isolated_strategy

            return isolated_strategy(reference, isolation)
    return None


def _origin(strategy: type[StrategyBase]) -> str:
    return f"{strategy.__module__}.{strategy.__qualname__}"


def _built_in_origin(name: str, strategy: type[StrategyBase]) -> str | None:
    """Where a built-in strategy of that name is, if it is another one."""
    if name not in built_in_names() or strategy.__module__.startswith(f"{_BUILT_IN}."):
        return None
    return f"{_BUILT_IN}.{_module_of(name)}"


def _loaded(point: Any) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ConfigError(
            f"The strategy {point.name!r} of {point.value} cannot be loaded: {error}.",
            next_step="Mend or uninstall the package that brings it.",
        ) from None
