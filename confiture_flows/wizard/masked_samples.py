"""A source and column rules -> some values as the copy would write them; originals stay there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

    from confiture_flows.anonymization.checks import MaskedTable
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.planning import Planned
    from confiture_flows.anonymization.strategy import Column
    from confiture_flows.config import Project

_ROWS = 20  # looked at, so that a column with many NULLs has something to show


@dataclass(frozen=True, slots=True)
class MaskedSamples:
    """What columns would hold.

    Attributes:
        values: Some by column; "***" stands for one that the source holds in this column too.
        errors: What would stop the copy, in words.
    """

    values: Mapping[Column, tuple[str, ...]]
    errors: tuple[str, ...] = ()


def preview_secret(project: Project) -> tuple[Secret, bool]:
    """The secret of a project, or one made for now; and whether it was."""
    from confiture_flows.anonymization.keys import Secret, secret_of

    try:
        found = secret_of(project)
    except ConfigError:
        found = None  # told when the copy is planned
    return (found, False) if found else (Secret.random(), True)


def mask_samples(
    conn: Connection, secret: Secret, chosen: Mapping[Column, str], count: int = 2
) -> MaskedSamples:
    """Mask some rows of the tables of columns.

    Args:
        conn: The source; only read.
        secret: What keys are made from.
        chosen: Strategies by column; without options.
        count: How many values of a column.

    Raises:
        TargetError: The source refuses.
    """
    from confiture_flows.anonymization.factory import StrategyFactory
    from confiture_flows.anonymization.planning import plan_copy
    from confiture_flows.anonymization.prepare import folder_of_keys
    from confiture_flows.anonymization.proposal import pattern_of
    from confiture_flows.anonymization.rules import ColumnRule, Pattern, Rules

    rules = Rules(
        tuple(
            ColumnRule(Pattern.read(pattern_of(each.schema, each.table, each.name), 3), strategy)
            for each, strategy in chosen.items()
        )
    )
    with folder_of_keys() as folder:
        planned = plan_copy(conn, rules, StrategyFactory(secret), folder)
        values, wrong = _masked(conn, planned, chosen, count)
    return MaskedSamples(
        values, tuple(dict.fromkeys((*(each.message for each in planned.plan.errors), *wrong)))
    )


def _masked(
    conn: Connection, planned: Planned, chosen: Mapping[Column, str], count: int
) -> tuple[dict[Column, tuple[str, ...]], list[str]]:
    from confiture_flows.anonymization.preview import preview_table

    values: dict[Column, tuple[str, ...]] = {}
    wrong: list[str] = []
    families: dict[tuple[str, str], list[Column]] = {}
    for each in chosen:
        families.setdefault((each.schema, each.table), []).append(each)
    for family, columns in families.items():
        # Of a partitioned table the part with the most rows speaks for all.
        parts = [
            each
            for each in planned.tables
            if each.table.family == family and len(each.strategies) == len(each.rules)
        ]
        if not parts:
            continue
        preview = preview_table(conn, planned, str(max(parts, key=_rows).table), _ROWS)
        wrong += preview.errors
        shown = {each["column"]: each["after"] for each in preview.json()["columns"]}
        for column in columns:
            found = [each for each in shown.get(column.name, ()) if each is not None]
            nulls = ["NULL"] if shown.get(column.name) and not found else []
            values[column] = tuple(dict.fromkeys((*found, *nulls)))[:count]
    return values, wrong


def _rows(masked: MaskedTable) -> int:
    return masked.table.rows
