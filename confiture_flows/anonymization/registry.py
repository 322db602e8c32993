"""A strategy's name -> its class.

A name is one that was registered in this process, a built-in one (a module of strategies/ that is
called so, imported when it is asked for), an entry point of the group `confiture_flows.strategies`,
"module:Class" or "module:function", or "confiture:NAME" where fraiseql-confiture is installed.
Refuses two strategies of one name, naming both origins.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from confiture_flows._imports import import_plugin, importing, on_path, root_of
from confiture_flows.anonymization.confiture_adapter import (
    adapted,
    confiture_strategy,
    is_confiture_class,
)
from confiture_flows.anonymization.declarations import checked_class
from confiture_flows.anonymization.function_strategy import strategy_of_function
from confiture_flows.anonymization.trust import StrategyName, marked, strategy_name
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.anonymization.strategy import StrategyBase, Uniqueness
    from confiture_flows.config import Project

ENTRY_POINTS = "confiture_flows.strategies"
CONFITURE = "confiture:"
_BUILT_IN = "confiture_flows.anonymization.strategies"
_UNKNOWN_MODULE = (
    "Name a module in the folder of the configuration, or one that is installed; without .py."
)
_UNKNOWN = (
    "Write it as module:Class or module:function; the module stands in the folder of the "
    "configuration, or is installed."
)

_Made = TypeVar("_Made", bound="Callable[..., Any]")


class StrategyRegistry:
    """Strategies by name."""

    def __init__(self, root: Path | None = None) -> None:
        """Make an empty registry.

        Args:
            root: The folder beside which modules may stand; the working directory when not given.
        """
        self._classes: dict[str, type[StrategyBase]] = {}
        self._root = root

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))

    def at(self, root: Path) -> StrategyRegistry:
        """The same strategies, with modules from another folder."""
        moved = StrategyRegistry(root)
        moved._classes = self._classes
        return moved

    def add(self, name: str, strategy: type[StrategyBase]) -> None:
        """Add a strategy under a name.

        Raises:
            ConfigError: The name is taken, or can be none; or the class declares what it cannot.
        """
        if not name or not all(part.isidentifier() for part in name.split("-")):
            raise ConfigError(
                f"{name!r} cannot be the name of a strategy.",
                next_step="Use letters, digits, - and _.",
            )
        checked_class(strategy)
        present = self._classes.get(name)
        taken = _origin(present) if present else _built_in_origin(name, strategy)
        if taken and taken != _origin(strategy):
            raise _two(name, taken, _origin(strategy))
        own = _called(strategy)
        if own and own != name:
            raise ConfigError(
                f"{_origin(strategy)} is called {own!r} already, and cannot be {name!r} too.",
                next_step="Register a subclass of it.",
            )
        strategy.name = name
        self._classes[name] = strategy

    def remove(self, name: str) -> None:
        """Forget a strategy that was added; a built-in one is found again when asked for."""
        self._classes.pop(name, None)

    def find(self, name: str) -> type[StrategyBase]:
        """The class of a strategy.

        Raises:
            ConfigError: There is none, there are two, or it cannot be imported.
        """
        name = marked(name)
        if isinstance(name, StrategyName) and (isolated := _isolated(name)):
            return isolated
        if name.startswith(CONFITURE):
            return confiture_strategy(name.removeprefix(CONFITURE))
        if ":" in name:
            return self._referenced(name)
        found = self._classes.get(name)
        if found is None and name in built_in_names():
            found = self._classes[name] = _built_in(name)
        point = _entry_point(name)
        if point is not None:
            found = self._of_entry_point(point, found)
        if found is None:
            raise ConfigError(
                f"There is no strategy {name!r}.",
                next_step=f"There are: {', '.join(self.names())}; or write module:Class.",
            )
        return found

    def names(self) -> tuple[str, ...]:
        """All names: registered, built-in and of entry points."""
        points = (point.name for point in _entry_points(tuple(sys.path)))
        return tuple(sorted({*self._classes, *built_in_names(), *points}))

    def _referenced(self, reference: str) -> type[StrategyBase]:
        module, _, name = reference.partition(":")
        subject = f"The strategy {reference!r}"
        found: Any = import_plugin(module, self._root or Path.cwd(), subject, _UNKNOWN)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is None:
            raise ConfigError(
                f"{subject} cannot be found: {module} has no {name}.", next_step=_UNKNOWN
            )
        return strategy_of(found, reference)

    def _of_entry_point(
        self, point: EntryPoint, present: type[StrategyBase] | None
    ) -> type[StrategyBase]:
        if present and present.__module__.startswith(f"{_BUILT_IN}."):
            raise _two(point.name, _origin(present), _described(point))
        subject = f"The strategy {point.name!r} of {_described(point)}"
        unknown = "Mend or uninstall the distribution that brings it."
        with importing(point.module, subject, unknown), on_path(self._root or Path.cwd()):
            loaded = point.load()
        if inspect.ismodule(loaded):  # whose strategies have registered themselves
            found = self._classes.get(point.name)
            if found is None:
                raise ConfigError(f"{subject} is not registered by its module.", next_step=unknown)
        else:
            found = strategy_of(loaded, subject)
        if present and _origin(present) != _origin(found):
            raise _two(point.name, _origin(present), _described(point))
        self.add(point.name, found)
        return found


registered = StrategyRegistry()


def register_strategy(
    name: str,
    *,
    accepts: tuple[str, ...] | None = None,
    unique: Uniqueness | None = None,
    keeps: bool | None = None,
    registry: StrategyRegistry = registered,
) -> Callable[[_Made], _Made]:
    """Register a subclass of StrategyBase, or a function `value -> value`, under a name.

    A function's keyword parameters are its configuration; `key` and `column` are given to it if
    it has them. The annotation of its first parameter says what it takes.

    Args:
        name: As column rules name it.
        accepts: Types, instead of what the class or the annotation says.
        unique: The same for uniqueness.
        keeps: The same for whether a result may be the value itself.
        registry: Where it goes.

    Raises:
        ConfigError: The name is taken, or it can be no strategy.
    """

    def register(made: _Made) -> _Made:
        strategy = strategy_of(made, name)
        said = {"accepts": accepts, "unique": unique, "keeps": keeps}
        for attribute, value in said.items():
            if value is not None:
                setattr(strategy, attribute, value)
        registry.add(name, strategy)
        return made

    return register


def load_strategies(project: Project, registry: StrategyRegistry = registered) -> StrategyRegistry:
    """The strategies that a project's column rules may name.

    Imports the modules of `strategies = [...]` in [anonymization], which register what they have.

    Args:
        project: The configuration; its folder is where modules are looked for first.
        registry: Where they have been registered.

    Raises:
        ConfigError: One of them cannot be imported, or registers a name that is taken.
    """
    root = root_of(project)
    # Names that come from elsewhere, such as the command line, are looked up with its trust too.
    strategy_name("", project)
    for module in project.anonymization.strategies:
        subject = f"The module of strategies {module!r}"
        try:
            import_plugin(module, root, subject, _UNKNOWN_MODULE)
        except ConfigError as error:
            error.file = error.file or project.source
            raise
    return registry.at(root)


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


def _built_in(name: str) -> type[StrategyBase]:
    module = importlib.import_module(f"{_BUILT_IN}.{_module_of(name)}")
    own = (each for each in vars(module).values() if inspect.isclass(each))
    return next(
        checked_class(each)
        for each in own
        if each.__module__ == module.__name__ and _called(each) == name
    )


def _called(made: type[Any]) -> str | None:
    return vars(made).get("name")


def strategy_of(found: Any, subject: str = "") -> type[StrategyBase]:
    """The strategy that a class or a function is.

    Args:
        found: A subclass of StrategyBase, a function, or a class for fraiseql-confiture.
        subject: What it is called in the error.

    Raises:
        ConfigError: It can be none.
    """
    if is_confiture_class(found):
        return adapted(found)
    if inspect.isclass(found):
        return checked_class(found)
    if callable(found):
        return strategy_of_function(found)
    raise ConfigError(
        f"{subject or repr(found)} is no strategy.",
        next_step="Name a subclass of confiture_flows.plugins.StrategyBase, or a function.",
    )


def _two(name: str, first: str, second: str) -> ConfigError:
    return ConfigError(
        f"Two strategies are called {name!r}: {first} and {second}.",
        next_step="Give one of them another name, or uninstall one.",
    )


def _isolated(name: StrategyName) -> type[StrategyBase] | None:
    """The strategy if its module is not trusted; nothing of it is imported here."""
    references = [str(name)]
    if ":" not in name and name not in built_in_names() and (point := _entry_point(name)):
        references.append(point.value)
    for reference in references:
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


@lru_cache(maxsize=8)
def _entry_points(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Those of what is installed on a path; reading them takes some 10 ms."""
    return tuple(entry_points(group=ENTRY_POINTS))


def _entry_point(name: str) -> EntryPoint | None:
    """The one of a name.

    Raises:
        ConfigError: Two distributions bring it.
    """
    points = [each for each in _entry_points(tuple(sys.path)) if each.name == name]
    if len(points) > 1:
        raise _two(name, _described(points[0]), _described(points[1]))
    return points[0] if points else None


def _described(point: EntryPoint) -> str:
    return f"{point.value} of {point.dist.name}" if point.dist else point.value
