"""A planned table + the secret -> the strategies of its masked columns, and what they can do."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.strategy import StrategyBase
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.plan import PlannedTable


def strategies_of(table: PlannedTable, secret: Secret | None) -> dict[str, StrategyBase]:
    """The strategies by column, in the order of the table.

    Raises:
        ConfigError: A rule does not fit.
    """
    factory = StrategyFactory(secret)
    return {
        each.column.name: factory.make(each.rule, each.column)
        for each in table.columns
        if each.masked and each.written and each.rule is not None
    }


def expression_of(strategy: StrategyBase) -> str | None:
    """Its SQL for its column; None where there is none, or where it has to see each value first."""
    if type(strategy).validate is not StrategyBase.validate:
        return None
    table = strategy.column.table
    others = [_reference(table, name) for name in strategy.needs()]
    return strategy.to_sql(_reference(table, strategy.column.name), *others)


def import_modules(names: tuple[str, ...]) -> None:
    """Import modules that register strategies.

    Raises:
        ConfigError: One cannot be imported.
    """
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(
                f"The module {name} with strategies cannot be imported: {error}.",
                next_step="It has to lie in the folder of the configuration, or be installed.",
            ) from None


def modules_of(strategies: dict[str, StrategyBase]) -> tuple[str, ...]:
    """The modules whose import registers strategies of this process, for a worker to do the same.

    Raises:
        ConfigError: One was made where no other process can import it.
    """
    found: list[str] = []
    for each in strategies.values():
        module = type(each).__module__
        if getattr(sys.modules.get(module), "__file__", None) is None or module == "__main__":
            raise ConfigError(
                f"{each.column}: the strategy {each.name!r} is made in {module}, which the "
                "processes that copy cannot import.",
                next_step="Move it to a module of its own, and name that in `strategies`.",
            )
        if module not in found:
            found.append(module)
    return tuple(found)


def _reference(table: str, column: str) -> str:
    return sql.Identifier(table, column).as_string()
