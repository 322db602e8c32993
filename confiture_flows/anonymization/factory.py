"""StrategyFactory: a column + its rule + the secret -> a strategy that is ready to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.anonymization.registry import StrategyRegistry, registered
from confiture_flows.anonymization.strategy import accepts_type
from confiture_flows.anonymization.validator import ConfigValidator, why_unfit
from confiture_flows.errors import ConfigError, StrategyError

if TYPE_CHECKING:
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.rules import ColumnRule
    from confiture_flows.anonymization.strategy import Column, StrategyBase


class StrategyFactory:
    """Makes strategies of column rules."""

    def __init__(
        self, secret: Secret | None = None, registry: StrategyRegistry = registered
    ) -> None:
        self._secret = secret
        self._registry = registry
        self._validator = ConfigValidator(registry)

    @property
    def registry(self) -> StrategyRegistry:
        """Where it finds strategies."""
        return self._registry

    def make(self, rule: ColumnRule, column: Column) -> StrategyBase:
        """The strategy of a rule for a column.

        Raises:
            ConfigError: The rule's strategy or options are wrong, the strategy does not take
                the column's type, needs a secret where there is none, or fails.
            StrategyError: It is isolated, and fails on samples.
        """
        made = self._registry.find(rule.strategy)
        config = self._validator.validate(rule.strategy, rule.config)
        if not accepts_type(made.accepts, column.type):
            raise ConfigError(
                f"{column} is {column.type}; the strategy {rule.strategy!r} takes "
                f"{', '.join(made.accepts)}.",
                next_step="Choose another one: confiture-flows strategies list",
            )
        if made.keyed and self._secret is None:
            raise ConfigError(
                f"{column}: the strategy {rule.strategy!r} needs a secret, and there is none.",
                next_step="Set CONFITURE_ANONYMIZATION_SECRET, or `secret` of [anonymization].",
            )
        # One domain a strategy, unless said otherwise: equal values become equal everywhere.
        key = self._secret.key(rule.domain or made.name or rule.strategy) if self._secret else None
        try:
            return made(config, column, key if made.keyed or made.composite else None)
        except ValueError as error:
            raise ConfigError(
                f"{column}: the strategy {rule.strategy!r} does not fit: {why_unfit(error)}.",
                next_step=f"See: confiture-flows strategies show {rule.strategy}",
            ) from None
        except StrategyError:
            raise
        except (Exception, SystemExit) as error:  # a plug-in may raise anything
            raise ConfigError(
                f"{column}: the strategy {rule.strategy!r} cannot be made: "
                f"{type(error).__name__}: {error}.",
                next_step=f"Mend it, and check it: confiture-flows strategies test {rule.strategy}",
            ) from error
