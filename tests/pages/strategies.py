"""The built-in strategies -> a table of them."""

from __future__ import annotations

from confiture_flows.anonymization.registry import built_in_names, registered
from confiture_flows.anonymization.strategy import StrategyBase

_UNIQUE = {"no": "", "probable": "probable", "bijective": "always"}


def table_of_strategies(_arguments: list[str]) -> str:
    """A row a strategy, by its name."""
    rows = [
        "| strategy | takes | unique | key | SQL | what it gives |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*rows, *(_row_of(name) for name in built_in_names())])


def _row_of(name: str) -> str:
    found = registered.find(name)
    unique = "option" if "unique" in found.Config.model_fields else _UNIQUE[found.unique]
    key = "parts" if found.composite else "yes" if found.keyed else ""
    sql = "yes" if found.to_sql is not StrategyBase.to_sql else ""
    summary = (found.__doc__ or "").splitlines()[0].replace("|", "\\|")
    cells = (f"`{name}`", ", ".join(found.accepts), unique, key, sql, summary)
    return "| " + " | ".join(cells).replace("|  |", "| |").replace("|  |", "| |") + " |"
