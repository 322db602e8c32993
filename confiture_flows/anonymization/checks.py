"""Tables + their rules -> what would go wrong, as findings. Pure: no value is looked at.

What only values can tell (a CHECK, a domain, a length) is tried in trial.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.neutral import neutral_literal
from confiture_flows.errors import ConfigError, StrategyError
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confiture_flows.anonymization.factory import StrategyFactory
    from confiture_flows.anonymization.rules import ColumnRule
    from confiture_flows.anonymization.source import (
        ForeignKeyOf,
        SourceTable,
        UniqueKey,
    )
    from confiture_flows.anonymization.strategy import Column, StrategyBase

# Expected collisions of a whole table: from the first on the copy would most likely fail or be
# close to it, from the second on somebody should know.
_TOO_MANY, _WORTH_SAYING = 0.1, 0.0001

_Check = Callable[["MaskedTable"], "Iterator[Finding]"]


@dataclass(frozen=True, slots=True)
class MaskedTable:
    """A table, and what becomes of its columns.

    Attributes:
        table: What it is.
        rules: Of its columns that have one, by name.
        strategies: The same, ready to be called; those whose rule is wrong are not in it.
    """

    table: SourceTable
    rules: Mapping[str, ColumnRule]
    strategies: Mapping[str, StrategyBase]

    @property
    def changed(self) -> frozenset[str]:
        """The columns whose values change."""
        return frozenset(name for name, rule in self.rules.items() if rule.strategy != "keep")


def make_strategies(
    table: SourceTable, rules: Mapping[Column, ColumnRule], factory: StrategyFactory
) -> tuple[MaskedTable, tuple[Finding, ...]]:
    """The strategies of a table's columns, and what is wrong with its rules."""
    wrong: list[Finding] = []
    own: dict[str, ColumnRule] = {}
    made: dict[str, StrategyBase] = {}
    for each in table.columns:
        rule = rules.get(each.column)
        if rule is None:
            continue
        own[each.name] = rule
        try:
            made[each.name] = factory.make(rule, each.column)
        except (ConfigError, StrategyError) as error:
            text = error.message
            if str(each.column) not in text:
                text = f"{each.column}: {text}"
            wrong.append(Finding("rule.wrong", Severity.ERROR, text, error.next_step))
    masked = MaskedTable(table, own, made)
    return masked, (*wrong, *(finding for check in _CHECKS for finding in check(masked)))


def _generated_columns(masked: MaskedTable) -> Iterator[Finding]:
    for each in masked.table.columns:
        if not each.written and each.name in masked.changed:
            yield Finding(
                "rule.generated",
                Severity.ERROR,
                f"{each.column} is generated from {_listed(each.made_of)}, and the target "
                "computes it anew: no strategy can change it.",
                f"Give the rule to {_listed(each.made_of)}.",
            )


def _unfit_values(masked: MaskedTable) -> Iterator[Finding]:
    for name, rule in masked.rules.items():
        column = masked.table.column(name).column
        if rule.on_unfit == "null" and not column.nullable:
            yield Finding(
                "rule.not_null",
                Severity.ERROR,
                f'{column} is NOT NULL, and on_unfit = "null" would make it NULL.',
                'Write on_unfit = "stop", or "redact" where the type has an empty value.',
            )
        if rule.on_unfit == "redact" and neutral_literal(column) is None:
            yield Finding(
                "rule.no_redaction",
                Severity.ERROR,
                f'{column} is {column.type}, of which on_unfit = "redact" knows no empty value.',
                'Write on_unfit = "stop", or "null" where the column may be NULL.',
            )


def _partition_keys(masked: MaskedTable) -> Iterator[Finding]:
    for name in sorted(masked.table.partition_key & masked.changed):
        yield Finding(
            "rule.partition_key",
            Severity.ERROR,
            f"{'.'.join((*masked.table.family, name))} decides in which partition a row is; "
            "anonymized it would belong to another one.",
            "Keep it, and anonymize other columns.",
        )


def _unique_keys(masked: MaskedTable) -> Iterator[Finding]:
    for key in masked.table.keys:
        changed = [name for name in key.columns if name in masked.changed]
        changed = [name for name in changed if masked.rules[name].strategy != "null"]
        strategies = [masked.strategies[each] for each in changed if each in masked.strategies]
        if len(strategies) == len(changed) and changed:
            yield from _one_key(masked.table, key, strategies)


def _one_key(
    table: SourceTable, key: UniqueKey, strategies: list[StrategyBase]
) -> Iterator[Finding]:
    alone = len(key.columns) == len(strategies)
    where = f"{table}, unique index {key.name}"
    for each in strategies:
        if each.unique == "bijective":
            if key.of_expressions:
                yield Finding(
                    "unique.of_expression",
                    Severity.WARNING,
                    f"{where} is over an expression: values of {each.column.name} that stay "
                    "different may have the same one afterwards, such as in small letters.",
                    "Choose a strategy that gives one form only, such as hash.",
                )
            continue
        capacity = each.capacity()
        if each.unique == "no":
            yield Finding(
                "unique.not_promised",
                Severity.ERROR if alone else Severity.WARNING,
                f"{where}: {each.column.name} has to stay unique, and the strategy "
                f"{each.name!r} may make one of two values.",
                "Choose one that says it is unique: confiture-flows strategies list",
            )
        elif capacity is not None:
            expected = expected_collisions(table.rows, capacity)
            if expected >= _WORTH_SAYING:
                yield Finding(
                    "unique.collisions",
                    Severity.ERROR if expected >= _TOO_MANY else Severity.WARNING,
                    f"{where}: {each.column.name} has about {table.rows:,} values, and the "
                    f"strategy {each.name!r} can make {capacity:,} different ones: about "
                    f"{expected:.2g} would collide.",
                    "Give it more room (a longer result), or choose a bijective strategy.",
                )


def expected_collisions(values: int, capacity: int) -> float:
    """How many pairs of different values get the same result, by the birthday bound.

    Args:
        values: How many different values there are.
        capacity: How many results there can be.
    """
    pairs = values * (values - 1) / 2
    return pairs / capacity if capacity else pairs


_CHECKS: tuple[_Check, ...] = (_generated_columns, _unfit_values, _partition_keys, _unique_keys)


def check_foreign_key(
    key: ForeignKeyOf, strategies: Mapping[str, StrategyBase]
) -> Iterator[Finding]:
    """What a foreign key cannot live with in the strategies of its own columns.

    Args:
        key: The foreign key.
        strategies: Of the referring table, by column.
    """
    for name in key.columns:
        strategy = strategies.get(name)
        if strategy is not None and strategy.needs():
            yield Finding(
                "foreign_key.needs_others",
                Severity.ERROR,
                f"{'.'.join((*key.table, name))}: the strategy {strategy.name!r} also reads "
                f"{_listed(strategy.needs())}, so that the two ends of {key.name} would differ.",
                "Choose one that makes its result of the value alone, such as hash.",
            )


def check_access(table: SourceTable) -> Iterator[Finding]:
    """Whether the user sees all rows of a table."""
    if not table.readable:
        yield Finding(
            "source.unreadable",
            Severity.ERROR,
            f"The user may not read {table}.",
            f"GRANT SELECT ON {table} TO the user; or leave its rows out: "
            f'"{table}" = {{ rows = false }} in anonymization.tables.',
        )
    elif table.row_security:
        yield Finding(
            "source.row_security",
            Severity.ERROR,
            f"Row security hides rows of {table} from the user.",
            "Copy as a role with BYPASSRLS, or as the table's owner.",
        )


def unknown_needs(masked: MaskedTable) -> Iterator[Finding]:
    """Other columns that a strategy asks for and the table does not have."""
    there = {each.name for each in masked.table.columns}
    for name, strategy in masked.strategies.items():
        missing = [each for each in strategy.needs() if each not in there]
        if missing:
            yield Finding(
                "rule.names_nothing",
                Severity.ERROR,
                f"{masked.table}.{name}: the strategy {strategy.name!r} reads "
                f"{_listed(missing)}, which the table does not have.",
                "Check the options of the rule.",
            )


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
