"""Columns without a rule -> findings: those that look personal, or all that nothing lists. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from confiture_flows.anonymization.proposal import fitting_strategy, pattern_of
from confiture_flows.anonymization.registry import registered
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.anonymization.checks import MaskedTable
    from confiture_flows.anonymization.detection import Detection
    from confiture_flows.anonymization.registry import StrategyRegistry
    from confiture_flows.anonymization.rules import Rules
    from confiture_flows.anonymization.source import SourceColumn
    from confiture_flows.anonymization.uncovered import ColumnName


def personal_findings(
    rules: Rules,
    tables: tuple[MaskedTable, ...],
    detections: Mapping[ColumnName, Detection],
    registry: StrategyRegistry = registered,
) -> tuple[Finding, ...]:
    """What is copied as it is and looks personal; where `default = "deny"`, all that has no rule.

    Args:
        rules: What the configuration says.
        tables: Those whose rows are copied.
        detections: What looks personal, by column.
        registry: Where proposed strategies are looked up.
    """
    found: dict[str, Finding] = {}
    for masked in tables:
        for column in masked.table.columns:
            if column.name in masked.rules or rules.allows(masked.table.names, column.name):
                continue
            if not column.written and masked.changed.intersection(column.made_of):
                continue  # it is computed anew from what is anonymized
            name = (*masked.table.family, column.name)
            said = pattern_of(*name)
            finding = _finding(rules, column, said, detections.get(name), registry)
            if finding is not None:
                found.setdefault(said, finding)
    return tuple(found.values())


def _finding(
    rules: Rules,
    column: SourceColumn,
    name: str,
    found: Detection | None,
    registry: StrategyRegistry,
) -> Finding | None:
    strategy = fitting_strategy(column.column, found.category, registry) if found else None
    rule = f"{json.dumps(name)} = {json.dumps(strategy if strategy and column.written else 'keep')}"
    if rules.unlisted == "deny":
        looks = f" and looks like {found.category}" if found else ""
        return Finding(
            "column.unlisted",
            Severity.ERROR,
            f'{name} has no rule{looks}, and anonymization.default is "deny".',
            rule,
        )
    if found is None:
        return None
    where = f" at {found.path}" if found.path else ""
    return Finding(
        "personal.no_rule",
        Severity.WARNING,
        f"{name} looks like {found.category}{where} ({'; '.join(found.evidence)}) and is copied "
        "as it is.",
        rule,
    )
