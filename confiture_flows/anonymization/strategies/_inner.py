"""A strategy within a strategy: its rule -> the strategy, with the key that a column would get."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from confiture_flows.anonymization.registry import registered
from confiture_flows.anonymization.strategy import UnfitValue, accepts_type
from confiture_flows.anonymization.trust import marked
from confiture_flows.anonymization.validator import ConfigValidator

if TYPE_CHECKING:
    from confiture_flows.anonymization.keys import Key
    from confiture_flows.anonymization.strategy import Column, StrategyBase


# Goes to the worker processes of a copy with the trust that it has here.
InnerName = Annotated[str, AfterValidator(marked)]


class InnerRule(BaseModel):
    """What becomes of a part of a value, as a column rule says of a column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: InnerName = Field(description="The strategy's name.")
    config: dict[str, Any] = Field(default_factory=dict, description="Its options.")
    domain: str | None = Field(
        default=None, description="Equal values of one domain become equal; its name by default."
    )


def inner_strategy(
    rule: InnerRule | str, column: Column, type_name: str, key: Key | None
) -> StrategyBase:
    """Make the strategy of an inner rule; equal values become what they become in a column.

    Args:
        rule: The rule, or a strategy's name.
        column: The whole value's column.
        type_name: The type of the part.
        key: The outer strategy's.

    Raises:
        ValueError: It does not fit.
    """
    if isinstance(rule, str):
        rule = InnerRule(strategy=rule)
    made = registered.find(rule.strategy)
    config = ConfigValidator().validate(rule.strategy, rule.config)
    if not accepts_type(made.accepts, type_name):
        raise ValueError(f"{rule.strategy!r} takes {', '.join(made.accepts)}, not {type_name}")
    if made.takes != "text":
        raise ValueError(f"{rule.strategy!r} takes psycopg's objects and cannot stand within")
    if made.keyed and key is None:
        raise ValueError(f"{rule.strategy!r} needs a secret, and there is none")
    own = key.sibling(rule.domain or made.name or rule.strategy) if key else None
    part = replace(column, type=type_name, oid=25, nullable=True)
    strategy = made(config, part, own if made.keyed or made.composite else None)
    if strategy.needs():
        raise ValueError(f"{rule.strategy!r} needs other columns and cannot stand within")
    return strategy


def masked_part(strategy: StrategyBase, text: str) -> str | None:
    """What becomes of a part.

    Raises:
        UnfitValue: The strategy refuses it.
    """
    if not strategy.validate(text):
        raise UnfitValue
    return strategy.anonymize(text)
