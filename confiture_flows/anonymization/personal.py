"""Columns without a rule -> those that look personal, or all where nothing goes unlisted. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from confiture_flows.anonymization.detect import looks_personal, proposed_strategy
from confiture_flows.anonymization.registry import registered
from confiture_flows.anonymization.strategy import accepts_type
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from confiture_flows.anonymization.checks import MaskedTable
    from confiture_flows.anonymization.detect import Likeliness
    from confiture_flows.anonymization.registry import StrategyRegistry
    from confiture_flows.anonymization.rules import Rules
    from confiture_flows.anonymization.source import SourceColumn, SourceTable

# When the one that fits the category does not take the column's type.
_FALLBACKS = ("hash", "null", "keep")


def personal_findings(
    rules: Rules, tables: tuple[MaskedTable, ...], registry: StrategyRegistry = registered
) -> tuple[Finding, ...]:
    """What is copied as it is and looks personal; where `default = "deny"`, all that has no rule.

    Args:
        rules: What the configuration says.
        tables: Those whose rows are copied.
        registry: Where proposed strategies are looked up.
    """
    found: dict[str, Finding] = {}
    for masked in tables:
        for column in masked.table.columns:
            if column.name in masked.rules or _is_allowed(rules, masked.table, column.name):
                continue
            if not column.written and masked.changed.intersection(column.made_of):
                continue  # it is computed anew from what is anonymized
            name = ".".join(_quoted(part) for part in (*masked.table.family, column.name))
            finding = _finding(rules, masked.table, column, name, registry)
            if finding is not None:
                found.setdefault(name, finding)
    return tuple(found.values())


def _finding(
    rules: Rules, table: SourceTable, column: SourceColumn, name: str, registry: StrategyRegistry
) -> Finding | None:
    likeliness = looks_personal(column.name, table.family[1], column.column.type, column.comment)
    if table.family[1].startswith("tb_confiture"):
        likeliness = None  # the ledger's own
    if rules.unlisted == "deny":
        looks = f" and looks like {likeliness.category}" if likeliness else ""
        return Finding(
            "column.unlisted",
            Severity.ERROR,
            f'{name} has no rule{looks}, and anonymization.default is "deny".',
            f"{json.dumps(name)} = {json.dumps(_proposed(likeliness, column, registry))}",
        )
    if likeliness is None:
        return None
    return Finding(
        "personal.no_rule",
        Severity.WARNING,
        f"{name} looks like {likeliness.category} ({likeliness.why}) and is copied as it is.",
        f"{json.dumps(name)} = {json.dumps(_proposed(likeliness, column, registry))}",
    )


def _proposed(
    likeliness: Likeliness | None, column: SourceColumn, registry: StrategyRegistry
) -> str:
    if likeliness is None or not column.written:
        return "keep"
    known = registry.names()
    for name in (proposed_strategy(likeliness.category), *_FALLBACKS):
        if name not in known or (name == "null" and not column.column.nullable):
            continue
        if accepts_type(registry.find(name).accepts, column.column.type):
            return name
    return "keep"


def _is_allowed(rules: Rules, table: SourceTable, column: str) -> bool:
    return any(pattern.matches(*name, column) for pattern in rules.allowed for name in table.names)


def _quoted(part: str) -> str:
    """A part of a name as rules write it."""
    return f'"{part}"' if "." in part else part
