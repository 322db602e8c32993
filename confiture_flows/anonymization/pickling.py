"""A strategy -> what another process makes it of again: its class, configuration, column and key.

A worker process may know neither the folder of the configuration nor what was registered here:
the class is found by its reference, with the folder that its module was imported from.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import StrategyError

if TYPE_CHECKING:
    from confiture_flows.anonymization.strategy import StrategyBase


def reduced(strategy: StrategyBase) -> tuple[Any, ...]:
    """What `pickle` asks a strategy for.

    Raises:
        StrategyError: Its class stands inside a function, where no other process finds it.
    """
    made = type(strategy)
    reference = made.reference()
    if "<" in reference:
        raise StrategyError(
            f"The strategy {made.name or made.__name__!r} stands inside a function, where the "
            "worker processes of a copy cannot find it.",
            next_step="Move it to the top of its module.",
        )
    config = strategy.config
    values = {name: getattr(config, name) for name in type(config).model_fields}
    # Pickled by itself, so that its classes are looked for after the folder is known.
    state = pickle.dumps((values, strategy.column, strategy._key))
    return (remade, (reference, _folder(made.__module__), made.name, state))


def remade(reference: str, folder: str | None, name: str, state: bytes) -> StrategyBase:
    """Make a strategy again.

    Args:
        reference: Of its class.
        folder: Where its module was imported from; None is on every process's path.
        name: The strategy's.
        state: Pickled: the values of its configuration, its column, and its key or None.

    Raises:
        ConfigError: Its module cannot be imported.
    """
    from confiture_flows._imports import on_path
    from confiture_flows.anonymization.registry import registered

    root = Path(folder) if folder else Path.cwd()
    found = registered.at(root).find(reference)
    found.name = found.name or name
    with on_path(root):
        values, column, key = pickle.loads(state)  # noqa: S301 - of `reduced`
    return found(found.Config.model_construct(**values), column, key)


def _folder(module: str) -> str | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return None
    path = Path(file).resolve()
    parts = module.count(".") + (path.stem == "__init__")
    return str(path.parents[parts])
