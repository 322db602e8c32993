"""A package of rules, a module each -> their RULE, by code."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


def rules_in(package: ModuleType) -> tuple[Any, ...]:
    """What the modules of a package call RULE."""
    found = [
        import_module(f"{package.__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(package.__path__)
    ]
    return tuple(sorted(found, key=attrgetter("code")))
